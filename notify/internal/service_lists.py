"""Lists of services, and the search by name (contract: internal-services 2.1)."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.errors import FieldProblemError
from notify.infra.json_values import dump_json
from notify.infra.replica import BulkSession
from notify.internal.detailed_services import CountedServiceAnswer, counted_services
from notify.internal.fields import IsoDate, row_id
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, FieldsQuery, data_response
from notify.internal.service_answers import ServiceAnswer
from notify.reporting.service_list import services_as_json
from notify.services.search import find_services

routes = Routes("service_lists", "/service")


class ServicesQuery(FieldsQuery):
    """The services to list. `only_active` and `detailed` only count as `True`, `include_from_test_key` as `False`."""

    only_active: str = ""
    detailed: str = ""
    user_id: str = ""
    include_from_test_key: str = ""
    start_date: IsoDate | MISSING = MISSING
    end_date: IsoDate | MISSING = MISSING


class NameQuery(FieldsQuery):
    """A part of a name."""

    service_name: str = ""


class ShortServiceAnswer(Answer):
    """A service in search results."""

    id: UUID
    name: str
    active: bool
    restricted: bool


@routes.get("")
def list_services(
    session: BulkSession, query: ServicesQuery
) -> Data[list[ServiceAnswer]] | Data[list[CountedServiceAnswer]] | Response:
    """List services."""
    only_active = query.only_active == "True"
    if query.detailed == "True" and not query.user_id:
        given = query.given()
        counted = counted_services(
            session,
            given.get("start_date"),
            given.get("end_date"),
            only_active=only_active,
            with_test_keys=query.include_from_test_key != "False",
        )
        return Response(dump_json(counted, sort_keys=True), content_type="application/json")
    user_id = row_id(query.user_id) if query.user_id else None
    services = services_as_json(session, only_active=only_active, user_id=user_id)
    return data_response(services)


@routes.get("/find-services-by-name")
def find_services_by_name(session: Session, query: NameQuery) -> Data[list[ShortServiceAnswer]] | Response:
    """Find services by a part of their name."""
    if not query.service_name:
        raise FieldProblemError("service_name", "Missing data for required field.")
    return data_response(find_services(session, query.service_name))
