"""The hidden template of each service, for its precompiled letters."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from notify.infra.database import Database
from notify.templates.actions import precompiled_template
from notify.templates.models import Template


class HiddenTemplate(NamedTuple):
    """The id and version that a letter stores."""

    id: UUID
    version: int
    postage: str


def hidden_template(database: Database, service_id: UUID) -> HiddenTemplate:
    """A service's hidden template, created if missing. Raises `NotFoundProblemError` (no such service)."""
    query = (
        select(Template.id, Template.version, Template.postage)
        .where(Template.service_id == service_id, Template.template_type == "letter", Template.hidden)
        .order_by(Template.created_at, Template.id)
        .limit(1)
    )
    with database.session() as session:
        row = session.execute(query).first()
    if row is None:
        with database.transaction() as session:
            precompiled_template(session, service_id)
            row = session.execute(query).one()
    return HiddenTemplate(row.id, row.version, row.postage or "second")
