"""Providers: how traffic is shared between them (contract: internal-jobs-billing-platform 8)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import MISSING, Field, model_validator
from sqlalchemy.orm import Session

from notify.billing.usage import units_by_provider
from notify.infra.errors import FieldsProblemError
from notify.infra.times import local_date, utc_now
from notify.internal.fields import HttpDate, Moment, RowId, TruncatedInt, row_id
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Empty, Fields
from notify.providers import details
from notify.providers.details import ProviderView

routes = Routes("providers", "/provider-details")

CHANGEABLE: Final = ("priority", "created_by", "active", "reason")


class ProviderChanges(Fields):
    """The fields of a provider to change. `created_by` is the user who changes it."""

    priority: Annotated[TruncatedInt, Field(ge=0)] | MISSING = MISSING
    created_by: RowId | MISSING = MISSING
    active: bool | MISSING = MISSING
    reason: str | MISSING | None = MISSING

    @model_validator(mode="before")
    @classmethod
    def _only_changeable(cls, data: Any) -> Any:
        """Refuse all other fields first, as the contract does."""
        others = [name for name in data if name not in CHANGEABLE] if isinstance(data, dict) else []
        if others:
            raise FieldsProblemError({name: ["Not permitted to be updated"] for name in others})
        return data


class ProviderUser(Answer):
    """The user who made the last change."""

    id: UUID
    name: str
    email_address: str


class ProviderAnswer(Answer):
    """A provider, or a version of one."""

    id: UUID
    display_name: str
    identifier: str
    priority: int
    notification_type: str
    active: bool
    version: int
    updated_at: Moment | None
    created_by: ProviderUser | None
    reason: str | None
    supports_international: bool


class ListedProviderAnswer(Answer):
    """A provider in the list, with the text message fragments sent through it this month."""

    id: UUID
    display_name: str
    identifier: str
    priority: int
    notification_type: str
    active: bool
    updated_at: HttpDate | None
    supports_international: bool
    created_by_name: str | None
    reason: str | None
    current_month_billable_sms: int


class ProvidersAnswer(Answer):
    """Every provider."""

    provider_details: list[ListedProviderAnswer]


class OneProviderAnswer(Answer):
    """One provider."""

    provider_details: ProviderAnswer | Empty


def _answer(view: ProviderView) -> ProviderAnswer:
    user = None
    if view.created_by_id is not None:
        user = {"id": view.created_by_id, "name": view.created_by_name, "email_address": view.created_by_email_address}
    return ProviderAnswer.model_validate(view._asdict() | {"created_by": user})


@routes.get("")
def list_providers(session: Session) -> ProvidersAnswer:
    """List providers."""
    units = units_by_provider(session, local_date(utc_now()).replace(day=1))
    return ProvidersAnswer(
        provider_details=[
            ListedProviderAnswer(**view._asdict(), current_month_billable_sms=units.get(view.identifier, 0))
            for view in details.list_providers(session)
        ]
    )


@routes.get("/<uuid:provider_details_id>")
def get_provider(session: Session, provider_details_id: UUID) -> OneProviderAnswer:
    """Get a provider."""
    view = details.get_provider(session, provider_details_id)
    return OneProviderAnswer(provider_details=Empty() if view is None else _answer(view))


@routes.get("/<uuid:provider_details_id>/versions")
def list_versions(session: Session, provider_details_id: UUID) -> Data[list[ProviderAnswer]]:
    """List the versions of a provider."""
    return Data(data=[_answer(view) for view in details.list_versions(session, provider_details_id)])


@routes.post("/<uuid:provider_details_id>")
def change_provider(session: Session, provider_details_id: UUID, body: ProviderChanges) -> OneProviderAnswer:
    """Change a provider's share of the traffic."""
    given = body.given()
    changed_by = row_id(given.pop("created_by")) if "created_by" in given else None
    view = details.change_provider(session, provider_details_id, changed_by=changed_by, **given)
    return OneProviderAnswer(provider_details=_answer(view))
