"""Queries for prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from notify.billing.models import LetterRate, Rate


class NoRateError(Exception):
    """No price is known for that day."""


class LetterPrice(NamedTuple):
    """Pounds for a letter of this many sheets in a class of post."""

    sheets: int
    postage: str
    rate: Decimal


def _moment(day: date) -> datetime:
    # Prices change at a local midnight, which is never after the UTC midnight of the same date.
    return datetime.combine(day, time(), UTC)


def sms_rate(session: Session, on: date) -> Decimal:
    """Pounds per text message fragment on a local day: the newest price that began by then. Raises `NoRateError`."""
    rate = session.scalar(
        select(Rate.rate)
        .where(Rate.notification_type == "sms", Rate.valid_from <= _moment(on))
        .order_by(Rate.valid_from.desc())
        .limit(1)
    )
    if rate is None:
        raise NoRateError(f"no price of text messages for {on}")
    return rate


def letter_rate(session: Session, on: date, sheets: int, postage: str) -> Decimal | None:
    """Pounds for a letter of this many sheets (1 to 5) in a class of post on a local day: the newest price that began
    by then. None if there is no such price.
    """
    return session.scalar(
        select(LetterRate.rate)
        .where(
            LetterRate.post_class == postage,
            LetterRate.sheet_count == sheets,
            LetterRate.crown.is_(True),
            LetterRate.start_date <= _moment(on),
        )
        .order_by(LetterRate.start_date.desc())
        .limit(1)
    )


def sms_rate_at(session: Session, moment: datetime) -> Decimal | None:
    """Pounds per text message fragment: the newest price that began by a moment. None where none had begun."""
    return session.scalar(
        select(Rate.rate)
        .where(Rate.notification_type == "sms", Rate.valid_from <= moment)
        .order_by(Rate.valid_from.desc())
        .limit(1)
    )


def letter_prices_at(session: Session, moment: datetime) -> list[LetterPrice]:
    """The price of every kind of letter: the newest that began by a moment. The end of a price is ignored
    (internal-jobs-billing-platform 6.2).
    """
    newest = (
        select(LetterRate.sheet_count, LetterRate.post_class, LetterRate.rate)
        .ext(distinct_on(LetterRate.sheet_count, LetterRate.post_class))
        .where(LetterRate.crown.is_(True), LetterRate.start_date <= moment)
        .order_by(LetterRate.sheet_count, LetterRate.post_class, LetterRate.start_date.desc())
    )
    return [LetterPrice(*row) for row in session.execute(newest)]


def current_sms_rate(session: Session, now: datetime) -> Rate:
    """The price of text messages that is valid now. Raises `NoRateError`."""
    began = Rate.notification_type == "sms", Rate.valid_from <= now
    rate = session.scalar(select(Rate).where(*began).order_by(Rate.valid_from.desc()).limit(1))
    if rate is None:
        raise NoRateError("no price of text messages now")
    return rate


def current_letter_rates(session: Session, now: datetime) -> list[LetterRate]:
    """The prices of letters that are valid now, by number of sheets, price and class of post."""
    query = select(LetterRate).where(
        LetterRate.crown.is_(True),
        LetterRate.start_date <= now,
        or_(LetterRate.end_date.is_(None), LetterRate.end_date > now),
    )
    return list(session.scalars(query.order_by(LetterRate.sheet_count, LetterRate.rate, LetterRate.post_class)))
