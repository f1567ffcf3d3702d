"""The weekly invitation to user research (contract: workers 16)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.infra.database import Database
from notify.messages.models import Notification
from notify.notices.catalogue import USER_RESEARCH
from notify.notices.sender import Notices
from notify.services.models import NOTIFY_SERVICE_ID

OLDEST: Final = timedelta(days=16)
NEWEST: Final = timedelta(days=9)
_LOCK: Final = "weekly user research email"


def invite_to_research(database: Database, notices: Notices, now: datetime) -> int:
    """Email the active users who registered 9 to 16 days ago and agreed to take part in research; returns how many.

    All emails are stored in one transaction, and only once a day: a second run on the same day does nothing.
    """
    today = datetime.combine(now.date(), time(), UTC)
    with database.transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
        if _sent_since(session, today):
            return 0
        users = session.scalars(
            select(User)
            .where(
                User.state == "active",
                User.take_part_in_research,
                User.created_at >= today - OLDEST,
                User.created_at < today - NEWEST,
            )
            .order_by(User.created_at, User.id)
        ).all()
        for user in users:
            notices.send(session, USER_RESEARCH, user.email_address, {"name": user.name})
    return len(users)


def _sent_since(session: Session, moment: datetime) -> bool:
    sent = select(Notification.id).where(
        Notification.service_id == NOTIFY_SERVICE_ID,
        Notification.created_at >= moment,
        Notification.template_id == USER_RESEARCH,
    )
    return bool(session.scalar(select(exists(sent))))
