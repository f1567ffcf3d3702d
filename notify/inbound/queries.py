"""Reading received text messages."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from notify.inbound.models import InboundText


def page(session: Session, service_id: UUID, older_than: UUID | None, limit: int) -> list[InboundText]:
    """The service's received texts, newest first; those older than an id that it does not have are none
    (public-api 9).
    """
    query = select(InboundText).where(InboundText.service_id == service_id)
    if older_than is not None:
        cursor = select(InboundText.created_at, InboundText.id).where(
            InboundText.id == older_than, InboundText.service_id == service_id
        )
        query = query.where(tuple_(InboundText.created_at, InboundText.id) < cursor.scalar_subquery())
    return list(session.scalars(query.order_by(InboundText.created_at.desc(), InboundText.id.desc()).limit(limit)))
