"""What a message costs on a day, from the built-in prices (contract: data-model 6.4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from notify.billing.queries import NoRateError, letter_rate, sms_rate
from notify.infra.parts import Parts


@pytest.mark.parametrize(
    ("day", "price"),
    [
        (date(2016, 5, 18), "0.0165"),
        (date(2017, 3, 31), "0.0165"),
        (date(2017, 4, 1), "0.0158"),
        (date(2022, 4, 30), "0.0161"),
        (date(2022, 5, 1), "0.0172"),
        (date(2026, 3, 31), "0.0233"),
        (date(2026, 4, 1), "0.024"),
        (date(2040, 1, 1), "0.024"),
    ],
)
def test_text_messages(parts: Parts, day: date, price: str) -> None:
    with parts.database.session() as session:
        assert sms_rate(session, day) == Decimal(price)


def test_text_messages_before_the_first_price(parts: Parts) -> None:
    with parts.database.session() as session, pytest.raises(NoRateError):
        sms_rate(session, date(2016, 5, 17))


@pytest.mark.parametrize(
    ("day", "sheets", "postage", "price"),
    [
        (date(2026, 4, 6), 1, "first", "1.49"),
        (date(2026, 4, 7), 1, "first", "1.56"),
        (date(2026, 4, 7), 5, "first", "1.76"),
        (date(2026, 1, 4), 2, "second", "0.72"),
        (date(2026, 1, 5), 2, "second", "0.77"),
        (date(2026, 7, 1), 3, "economy", "0.724"),
        (date(2026, 5, 3), 4, "europe", "1.92"),
        (date(2026, 5, 2), 4, "rest-of-world", "1.85"),
        (date(2019, 9, 30), 1, "second", "0.30"),
        (date(2018, 10, 1), 2, "second", "0.35"),
        (date(2018, 7, 1), 4, "second", "0.39"),
        (date(2018, 6, 30), 4, "second", None),
        (date(2025, 3, 31), 1, "economy", None),
        (date(2026, 1, 1), 6, "second", None),
        (date(2026, 1, 1), 0, "second", None),
        (date(2026, 1, 1), 1, "pigeon", None),
    ],
)
def test_letters(parts: Parts, day: date, sheets: int, postage: str, price: str | None) -> None:
    with parts.database.session() as session:
        assert letter_rate(session, day, sheets, postage) == (None if price is None else Decimal(price))
