"""Billing facts: what each service sent from each template on a local day, and at what price (contract: workers 15.1,
internal-jobs-billing-platform 5.3). The database makes them from messages, in one statement per chunk of services.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.billing.models import BillingFact
from notify.billing.queries import NoRateError, letter_prices_at, sms_rate_at
from notify.infra.database import Database
from notify.infra.times import utc_now
from notify.reporting.days import bounds_of, check_messages_are_kept, chunks_of_services
from notify.vocabulary import NOTIFICATION_TYPES

_STORE: Final = text("""
WITH message AS (
    SELECT service_id, template_id, notification_type::text AS type, sent_by, rate_multiplier, international, postage,
           billable_units
    FROM (SELECT service_id, template_id, notification_type, sent_by, rate_multiplier, international, postage,
                 billable_units, created_at, key_type, notification_status FROM notifications
          UNION ALL
          SELECT service_id, template_id, notification_type, sent_by, rate_multiplier, international, postage,
                 billable_units, created_at, key_type, notification_status FROM notification_history) AS kept
    WHERE service_id = ANY(:services) AND created_at >= :since AND created_at < :until
      AND key_type IN ('normal', 'team') AND notification_type = ANY(CAST(:types AS notification_type[]))
      AND CASE notification_type
          WHEN 'sms' THEN notification_status IN
            ('sending', 'sent', 'delivered', 'pending', 'temporary-failure', 'permanent-failure')
          WHEN 'email' THEN notification_status IN ('sending', 'delivered', 'temporary-failure', 'permanent-failure')
          ELSE notification_status IN ('sending', 'delivered', 'returned-letter') END
),
alike AS (
    SELECT service_id, template_id, type,
           CASE type WHEN 'sms' THEN coalesce(sent_by, 'unknown') WHEN 'email' THEN 'ses' ELSE 'dvla' END AS provider,
           CASE type WHEN 'email' THEN 0 ELSE coalesce(rate_multiplier, 1)::int END AS multiplier,
           CASE type WHEN 'email' THEN false ELSE coalesce(international, false) END AS international,
           CASE type WHEN 'letter' THEN coalesce(postage, 'none') ELSE 'none' END AS postage,
           CASE type WHEN 'letter' THEN billable_units END AS sheets,
           sum(CASE type WHEN 'email' THEN 0 ELSE billable_units END) AS units, count(*) AS sent
    FROM message GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
INSERT INTO ft_billing (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international,
                        rate, postage, billable_units, notifications_sent, created_at)
SELECT CAST(:day AS date), template_id, service_id, type, provider, multiplier, international,
       CASE type WHEN 'sms' THEN CAST(:sms_rate AS numeric) WHEN 'email' THEN 0
                 ELSE CASE WHEN sheets = 0 THEN 0 ELSE price.rate END END,
       postage, sum(units), sum(sent), CAST(:now AS timestamptz)
FROM alike
LEFT JOIN unnest(CAST(:sheets AS int[]), CAST(:postages AS text[]), CAST(:rates AS numeric[]))
     AS price(sheets, postage, rate) USING (sheets, postage)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ON CONFLICT (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international, rate,
             postage)
DO UPDATE SET billable_units = excluded.billable_units, notifications_sent = excluded.notifications_sent,
              updated_at = excluded.created_at
WHERE (ft_billing.billable_units, ft_billing.notifications_sent)
      IS DISTINCT FROM (excluded.billable_units, excluded.notifications_sent)
""")


def store_billing(
    session: Session,
    day: date,
    services: Sequence[UUID],
    *,
    types: Collection[str] = NOTIFICATION_TYPES,
    now: datetime | None = None,
) -> int:
    """Make the facts of a local day for some services, from messages of these types. Existing facts are updated; those
    without messages stay. Returns the number of new or changed facts.

    Raises `NoRateError` (a message has no price).
    """
    since, until = bounds_of(day)
    prices = letter_prices_at(session, since)
    values = {
        "day": day,
        "services": list(services),
        "since": since,
        "until": until,
        "types": list(types),
        "sms_rate": sms_rate_at(session, since),
        "sheets": [price.sheets for price in prices],
        "postages": [price.postage for price in prices],
        "rates": [price.rate for price in prices],
        "now": now or utc_now(),
    }
    try:
        return int(session.execute(_STORE, values).rowcount)  # type: ignore[attr-defined]
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") == "23502":  # no value: the price
            raise NoRateError(f"a message of {day} has no price") from error
        raise


def store_billing_of_day(
    database: Database, day: date, *, service_id: UUID | None = None, rebuild: bool = False
) -> Iterator[int]:
    """Make the facts of a local day for all services, or for one, with one transaction per chunk of services; yields
    the number of new or changed facts of each chunk. `rebuild`: delete existing facts first.

    Safe to run again, after an interruption or at the same time. Raises `NoRateError`, `MessagesGoneError` (only for
    `rebuild`).
    """
    if rebuild:
        check_messages_are_kept(database, day, BillingFact)
    for services in chunks_of_services(database, service_id):
        with database.transaction() as session:
            if rebuild:
                of_day = BillingFact.bst_date == day, BillingFact.service_id.in_(services)
                session.execute(delete(BillingFact).where(*of_day))
            number = store_billing(session, day, services)
        yield number
