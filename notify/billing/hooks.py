"""Sets the free allowance when a service is created, or its type of organisation changes."""

from datetime import datetime

from sqlalchemy.orm import Session

from notify.billing.allowances import grant_default_allowance, reset_default_allowance
from notify.infra.times import local_date
from notify.services import hooks
from notify.services.models import Service


@hooks.created.subscribe
def _grant_allowance(session: Session, service: Service, now: datetime) -> None:
    grant_default_allowance(session, service, local_date(now))


@hooks.organisation_type_set.subscribe
def _reset_allowance(session: Session, service: Service, now: datetime) -> None:
    reset_default_allowance(session, service, local_date(now))
