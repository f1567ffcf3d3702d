"""`notify generate-bulktest-data`: a large database to develop on (contract: workers 17)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import click
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.cli.common import find_user, json_option, open_parts, show
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import local_midnight, utc_now
from notify.messages.models import PERSONALISATION, TO
from notify.organisations.actions import create_organisation
from notify.services.organisations import link_service
from notify.services.service import create_service
from notify.templates.actions import create_template

SERVICES: Final = 100
MESSAGES: Final = 5_000_000
AT_A_TIME: Final = 10_000
HISTORY_SHARE: Final = 0.5
"""Share of the messages that are in the history."""
DAYS: Final = 7
HISTORY_DAYS: Final = 365
TYPES: Final = ("sms", "email")
RECIPIENTS: Final = {"sms": "07900900123", "email": "bulk@example.com"}
NORMALISED: Final = {"sms": "447900900123", "email": "bulk@example.com"}

_COPY: Final = """
COPY notifications (id, "to", _personalisation, normalised_to, service_id, template_id, template_version, key_type,
                    notification_type, created_at, sent_at, sent_by, updated_at, billable_units, notification_status,
                    international, rate_multiplier) FROM STDIN
"""
_HISTORY: Final = """
INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type,
                                  created_at, sent_at, sent_by, updated_at, billable_units, notification_status,
                                  international, rate_multiplier)
SELECT gen_random_uuid(), %(service)s, %(template)s, 1, 'normal', %(type)s::notification_type, moment, moment,
       %(provider)s, moment, %(units)s, CASE WHEN n %% 50 = 0 THEN 'permanent-failure' ELSE 'delivered' END, false, 1
FROM generate_series(1, %(number)s) AS n,
     LATERAL (SELECT %(newest)s::timestamptz - n * %(span)s::interval / %(number)s AS moment) AS m
"""
_STATUS_FACTS: Final = """
INSERT INTO ft_notification_status (bst_date, template_id, service_id, job_id, notification_type, key_type,
                                    notification_status, notification_count, created_at)
SELECT (created_at AT TIME ZONE 'Europe/London')::date AS day, template_id, service_id,
       '00000000-0000-0000-0000-000000000000', notification_type, key_type, notification_status, count(*), now()
FROM notification_history WHERE service_id = ANY(%s) GROUP BY 1, 2, 3, 5, 6, 7
ON CONFLICT DO NOTHING
"""
_BILLING_FACTS: Final = """
INSERT INTO ft_billing (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international,
                        rate, postage, billable_units, notifications_sent, created_at)
SELECT (created_at AT TIME ZONE 'Europe/London')::date AS day, template_id, service_id, notification_type, sent_by,
       CASE notification_type WHEN 'sms' THEN 1 ELSE 0 END, false,
       CASE notification_type WHEN 'sms' THEN coalesce((
           SELECT rate FROM rates WHERE notification_type = 'sms' ORDER BY valid_from DESC LIMIT 1), 0) ELSE 0 END,
       'none', sum(billable_units), count(*), now()
FROM notification_history WHERE service_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO NOTHING
"""


class _Source(NamedTuple):
    """A service, and one of its templates to create messages from."""

    service_id: UUID
    template_id: UUID
    type: str


@click.command("generate-bulktest-data")
@click.option("-u", "--user-id", "--user_id", "who", required=True, help="Id or email address of the creator.")
@click.option("--services", "services", type=click.IntRange(1), default=SERVICES, show_default=True, help="Services.")
@click.option("--messages", type=click.IntRange(1), default=MESSAGES, show_default=True, help="Messages in all.")
@json_option
def generate_bulktest_data_command(who: str, services: int, messages: int, as_json: bool) -> None:
    """Fill a database with an organisation, its services and messages.

    Half of the messages are in the history, with their facts. In development and test only. The default takes some
    minutes.
    """
    with open_parts() as parts:
        if not parts.settings.is_safe_environment:
            raise click.ClickException(f"refused in environment {parts.settings.notify_environment!r}")
        with parts.database.transaction() as session:
            sources = _make_services(session, find_user(session, who), services)
        old = int(messages * HISTORY_SHARE)
        midnight = local_midnight(utc_now().date())
        shares = list(zip(sources, _shares(messages - old, len(sources)), _shares(old, len(sources)), strict=True))
        with click.progressbar(shares, label="messages", hidden=as_json) as bar:
            for source, live, archived in bar:
                _fill(parts, source, live, utc_now())
                _fill_history(parts, source, archived, midnight - timedelta(days=DAYS))
        ids = list({source.service_id for source in sources})
        with parts.database.connection() as connection:
            connection.execute(_STATUS_FACTS, (ids,))
            connection.execute(_BILLING_FACTS, (ids,))
    show({"services": services, "messages": messages - old, "in_history": old}, as_json)


def _make_services(session: Session, user: User, number: int) -> list[_Source]:
    name = f"Bulk test {new_id()}"
    organisation = create_organisation(session, name=name, organisation_type="central", crown=True)
    sources = []
    for count in range(number):
        service = create_service(
            session, name=f"{name} service {count}", user_id=user.id, from_number="bulktest", restricted=False
        )
        link_service(session, organisation.id, service.id)
        for type_ in TYPES:
            template = create_template(
                session,
                service_id=service.id,
                template_type=type_,
                name=f"Bulk {type_}",
                subject="Bulk test" if type_ == "email" else None,
                content="Hello ((name))",
                created_by_id=user.id,
            )
            sources.append(_Source(service.id, template.id, type_))
    return sources


def _shares(total: int, parts: int) -> list[int]:
    """A number split into nearly equal parts."""
    return [total // parts + (place < total % parts) for place in range(parts)]


def _fill(parts: Parts, source: _Source, number: int, now: datetime) -> None:
    """Store messages of the last days, in transactions of some thousands."""
    for first in range(0, number, AT_A_TIME):
        last = min(first + AT_A_TIME, number)
        with parts.database.connection() as connection, connection.cursor().copy(_COPY) as copy:
            for row in _rows(parts, source, range(first, last), now - timedelta(days=DAYS) / number * last, number):
                copy.write_row(row)


def _rows(parts: Parts, source: _Source, places: range, oldest: datetime, number: int) -> Iterator[tuple[Any, ...]]:
    step = timedelta(days=DAYS) / number
    is_text = source.type == "sms"
    for place in places:
        id_, moment = new_id(), oldest + step * (places.stop - place)
        yield (
            id_,
            parts.encryptor.encrypt(RECIPIENTS[source.type], TO, id_),
            parts.encryptor.encrypt_json({"name": "Bulk"}, PERSONALISATION, id_),
            NORMALISED[source.type],
            source.service_id,
            source.template_id,
            1,
            "normal",
            source.type,
            moment,
            moment,
            "mmg" if is_text else "ses",
            moment,
            int(is_text),
            "permanent-failure" if place % 50 == 0 else "delivered",
            False,
            1 if is_text else None,
        )


def _fill_history(parts: Parts, source: _Source, number: int, newest: datetime) -> None:
    values = {
        "service": source.service_id,
        "template": source.template_id,
        "type": source.type,
        "provider": "mmg" if source.type == "sms" else "ses",
        "units": int(source.type == "sms"),
        "number": number,
        "newest": newest,
        "span": timedelta(days=HISTORY_DAYS),
    }
    if number:
        with parts.database.connection() as connection:
            connection.execute(_HISTORY, values)
