"""Tickets about services for the people who run this (contract: workers 16)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.branding.models import EmailBranding, OrganisationEmailBranding
from notify.infra.times import local_date, local_midnight
from notify.organisations.models import Organisation
from notify.services.models import InboundNumber

logger = structlog.get_logger(__name__)

FEWEST_NUMBERS: Final = 50
"""With this many free inbound numbers or fewer, a ticket requests more."""
SATURDAY: Final = 5

NUMBERS_SUBJECT: Final = "Request more inbound SMS numbers"
NUMBERS_TASK: Final = "notify_task_request_inbound_SMS"
BRANDINGS_SUBJECT: Final = "Review new email brandings"
BRANDINGS_TASK: Final = "notify_task_branding_review"
REPORT_DUE: Final = timedelta(days=7, hours=3, minutes=10)


class NewBranding(NamedTuple):
    """A new email branding, and an organisation that may use it."""

    id: UUID
    name: str
    organisation_id: UUID | None
    organisation_name: str | None


class TicketReport(NamedTuple):
    """Queries (by file name) whose results are added to a ticket each week."""

    ticket_id: int
    queries: Mapping[str, str]


def count_free_numbers(session: Session) -> int:
    """The number of inbound numbers that are active and not assigned."""
    free = select(func.count()).where(InboundNumber.active, InboundNumber.service_id.is_(None))
    return session.scalar(free.select_from(InboundNumber)) or 0


def numbers_message(number: int) -> str:
    """The text of the ticket about free numbers."""
    return (
        f"{number} inbound numbers are left that can be given to services.\n\n"
        "Request more from the provider, and add them with `insert-inbound-numbers`."
    )


def previous_weekday(now: datetime) -> datetime:
    """The local midnight (aware UTC) that begins the last Monday to Friday before the local day of `now`."""
    day = local_date(now) - timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day -= timedelta(days=1)
    return local_midnight(day)


def new_brandings(session: Session, since: datetime) -> list[NewBranding]:
    """Email brandings made since a time by anyone except platform admins: by organisation, those without one last. A
    branding in the pools of several organisations is listed for each.
    """
    pool = OrganisationEmailBranding
    rows = session.execute(
        select(EmailBranding.id, EmailBranding.name, Organisation.id, Organisation.name)
        .join(User, User.id == EmailBranding.created_by)
        .join(pool, pool.email_branding_id == EmailBranding.id, isouter=True)
        .join(Organisation, Organisation.id == pool.organisation_id, isouter=True)
        .where(EmailBranding.created_at >= since, ~User.platform_admin)
        .order_by(Organisation.name.nulls_last(), Organisation.id, EmailBranding.name, EmailBranding.id)
    )
    return [NewBranding(*row) for row in rows]


def brandings_message(admin_base_url: str, brandings: Sequence[NewBranding]) -> str:
    """The text of the ticket about new brandings, in HTML."""
    parts = ["<p>These email brandings are new. Check that they belong to their organisation.</p>"]
    for (organisation_id, name), group in groupby(brandings, lambda row: (row.organisation_id, row.organisation_name)):
        if organisation_id is None:
            parts.append("<p>Without an organisation:</p>")
        else:
            parts.append(f"<p>{_link(f'{admin_base_url}/organisations/{organisation_id}/settings', name or '')}:</p>")
        links = "".join(f"<li>{_link(f'{admin_base_url}/email-branding/{row.id}', row.name)}</li>" for row in group)
        parts.append(f"<ul>{links}</ul>")
    return "".join(parts)


def _link(address: str, words: str) -> str:
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def read_report(configured: object) -> TicketReport | None:
    """A report of `ZENDESK_REPORTING`, `{"query": {file name: SELECT}, "ticket_id": number}`; None if malformed."""
    if not isinstance(configured, Mapping):
        return None
    queries, ticket_id = configured.get("query"), configured.get("ticket_id")
    if not isinstance(queries, Mapping) or not queries or isinstance(ticket_id, bool):
        return None
    if not isinstance(ticket_id, int | str) or not str(ticket_id).isdecimal():
        return None
    if not all(isinstance(part, str) and part for pair in queries.items() for part in pair):
        return None
    return TicketReport(int(ticket_id), dict(queries))


def run_query(session: Session, query: str) -> bytes:
    """The result of a query as CSV, with a header line."""
    result = session.execute(text(query.replace(":", r"\:")))
    return _csv(result.keys(), result)


def _csv(names: Iterable[str], rows: Iterable[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(names)
    writer.writerows(rows)
    return written.getvalue().encode()
