"""Celery tasks about accounts: thin wrappers."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery.schedules import crontab

from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.notices.sender import Notices
from notify.sign_in.codes import delete_old_codes
from notify.sign_in.research import invite_to_research
from notify.sign_in.settings import AccountSettings

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("delete-verify-codes", timedelta(minutes=63))
def delete_verify_codes(container: Container) -> None:
    """Delete sign-in codes created more than a day ago (contract: workers 14)."""
    number = delete_old_codes(container.parts.database, utc_now())
    if number:
        logger.info("codes of sign-in deleted", number=number)


@tasks.periodic("weekly-user-research-email", crontab(day_of_week="wed", hour=10, minute=0))
def weekly_user_research_email(container: Container) -> None:
    """Invite new users to user research, if that is switched on (contract: workers 16)."""
    if not container.parts.settings.part(AccountSettings).weekly_user_research_email_enabled:
        return
    number = invite_to_research(container.parts.database, container.get(Notices), utc_now())
    logger.info("users invited to research", number=number)
