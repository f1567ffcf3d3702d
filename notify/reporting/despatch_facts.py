"""Facts of letters that the print provider handed to the postal service on a day (contract: workers 15.2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.billing.queries import NoRateError, letter_prices_at
from notify.infra.times import local_midnight, utc_now

_STORE: Final = text("""
WITH alike AS (
    SELECT coalesce(letter.postage, 'none') AS postage, despatch.cost_threshold, letter.billable_units AS sheets,
           count(*) AS sent
    FROM notifications_letter_despatch AS despatch CROSS JOIN LATERAL (
        SELECT postage, billable_units FROM notifications WHERE id = despatch.notification_id
        UNION ALL
        SELECT postage, billable_units FROM notification_history WHERE id = despatch.notification_id LIMIT 1) AS letter
    WHERE despatch.despatched_on = :day
    GROUP BY 1, 2, 3
),
priced AS MATERIALIZED (
    SELECT postage, cost_threshold, sheets, CASE WHEN sheets = 0 THEN 0 ELSE rate END AS rate, sent
    FROM alike LEFT JOIN
         unnest(CAST(:sheets AS int[]), CAST(:postages AS text[]), CAST(:rates AS numeric[]))
         AS price(sheets, postage, rate) USING (sheets, postage)
),
gone AS (
    DELETE FROM ft_billing_letter_despatch AS fact
    WHERE bst_date = :day AND NOT EXISTS (
        SELECT FROM priced WHERE (priced.postage, priced.cost_threshold, priced.sheets, priced.rate)
                               = (fact.postage, fact.cost_threshold, fact.billable_units, fact.rate))
)
INSERT INTO ft_billing_letter_despatch (bst_date, postage, cost_threshold, rate, billable_units, notifications_sent,
                                        created_at)
SELECT CAST(:day AS date), postage, cost_threshold, rate, sheets, sent, CAST(:now AS timestamptz)
FROM priced ORDER BY 2, 3, 4, 5
ON CONFLICT (bst_date, postage, cost_threshold, rate, billable_units)
DO UPDATE SET notifications_sent = excluded.notifications_sent, updated_at = excluded.created_at
WHERE ft_billing_letter_despatch.notifications_sent IS DISTINCT FROM excluded.notifications_sent
""")


def store_despatch(session: Session, day: date) -> int:
    """Make the facts of the letters handed to the postal service on a day; outdated facts are deleted. Returns the
    number of new or changed facts. Raises `NoRateError` (a letter has no price).
    """
    prices = letter_prices_at(session, local_midnight(day))
    values = {
        "day": day,
        "sheets": [price.sheets for price in prices],
        "postages": [price.postage for price in prices],
        "rates": [price.rate for price in prices],
        "now": utc_now(),
    }
    try:
        return int(session.execute(_STORE, values).rowcount)  # type: ignore[attr-defined]
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") == "23502":  # no value: the price
            raise NoRateError(f"a letter that was despatched on {day} has no price") from error
        raise
