"""What templates do when their service is archived."""

from datetime import datetime

from sqlalchemy.orm import Session

from notify.services import hooks
from notify.services.models import Service
from notify.templates.actions import archive_templates


@hooks.archived.subscribe
def _archive_templates(session: Session, service: Service, now: datetime) -> None:
    archive_templates(session, service.id, now=now)
