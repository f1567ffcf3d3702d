"""Statistics of services (contract: internal-services 12)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.internal.fields import IntText
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, FieldsQuery
from notify.reporting.counts import USUAL_DAYS, count_for_service

routes = Routes("statistics", "/service/<uuid:service_id>/statistics")


class StatisticsQuery(FieldsQuery):
    """The days to count. `today_only` only counts as `True`."""

    today_only: str = ""
    limit_days: IntText = USUAL_DAYS


class TypeCountsAnswer(Answer):
    """Messages of a type."""

    requested: int
    delivered: int
    failed: int


class CountsAnswer(Answer):
    """Messages of each type."""

    sms: TypeCountsAnswer
    email: TypeCountsAnswer
    letter: TypeCountsAnswer


@routes.get("")
def get_statistics(
    session: Session, container: Container, service_id: UUID, query: StatisticsQuery
) -> Data[CountsAnswer]:
    """Count the recent messages of a service."""
    days = 0 if query.today_only == "True" else query.limit_days
    counts = count_for_service(session, container.parts.cache, service_id, days=days, now=utc_now())
    return Data(data=CountsAnswer.model_validate(counts))
