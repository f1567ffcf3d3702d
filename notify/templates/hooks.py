"""Updates templates when their service, or the contact block that they use, is archived."""

from datetime import datetime

from sqlalchemy.orm import Session

from notify.services import hooks
from notify.services.models import LetterContact, Service
from notify.templates.actions import archive_templates, clear_letter_contact


@hooks.archived.subscribe
def _archive_templates(session: Session, service: Service, now: datetime) -> None:
    archive_templates(session, service.id, now=now)


@hooks.letter_contact_archived.subscribe
def _clear_letter_contact(session: Session, contact: LetterContact, now: datetime) -> None:
    clear_letter_contact(session, contact.id)
