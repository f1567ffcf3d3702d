"""Statistics of templates (contract: internal-users-orgs-templates 7)."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import FieldProblemError
from notify.infra.times import utc_now
from notify.internal.fields import Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Query
from notify.reporting import template_statistics as statistics

routes = Routes("template_statistics", "/service/<service_id>/template-statistics")

MOST_DAYS: Final = 7
_INTEGER: Final = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)


class Days(Query):
    """The number of whole days before today to include; `limit_days` is the older name."""

    whole_days: str | MISSING = MISSING
    limit_days: str | MISSING = MISSING

    def number(self) -> int:
        """The number of days. Raises `FieldProblemError`."""
        given = self.given()
        text = str(given.get("whole_days", given.get("limit_days", "")))
        if not _INTEGER.fullmatch(text):
            raise FieldProblemError("whole_days", f"{text} is not an integer")
        if not 0 <= int(text) <= MOST_DAYS:
            raise FieldProblemError("whole_days", f"whole_days must be between 0 and {MOST_DAYS}")
        return int(text)


class TemplateCountAnswer(Answer):
    """The number of a template's messages in a status."""

    count: int
    template_id: UUID
    template_name: str | None
    template_type: str
    is_precompiled_letter: bool
    status: str


class LastUsedAnswer(Answer):
    """The time of a template's last use."""

    last_date_used: Moment | None


@routes.get("")
def count_by_template(
    session: Session, container: Container, service_id: UUID, query: Days
) -> Data[list[TemplateCountAnswer]]:
    """Count a service's messages of the last days by template."""
    cache = container.parts.cache
    rows = statistics.count_by_template(session, cache, service_id, query.number(), now=utc_now())
    return Data(data=TemplateCountAnswer.of_each(rows))


@routes.get("/last-used/<uuid:template_id>")
def get_last_use(session: Session, service_id: UUID, template_id: UUID) -> LastUsedAnswer:
    """Get when a template was last used."""
    return LastUsedAnswer(last_date_used=statistics.last_used(session, service_id, template_id, now=utc_now()))
