"""What a message costs, kept in the process for a while: prices change a few times a year."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Self

from cachetools import TTLCache

from notify.billing import queries
from notify.infra.container import Container
from notify.infra.database import Database

SECONDS = 3600
ENTRIES = 4096


class Prices:
    """Looks up prices in pounds, and caches them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TTLCache[tuple[date, int, str], Decimal | None] = TTLCache(ENTRIES, SECONDS)
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database)

    def sms(self, on: date) -> Decimal:
        """The price of a text message fragment on that day."""
        price = self._price(on, 0, "")
        return price if price is not None else Decimal(0)

    def letter(self, on: date, sheets: int, postage: str) -> Decimal | None:
        """The price of a letter of this many sheets on that day. None if there is none."""
        return self._price(on, sheets, postage)

    def _price(self, on: date, sheets: int, postage: str) -> Decimal | None:
        key = (on, sheets, postage)
        with self._lock:
            if key in self._known:
                return self._known[key]
        with self._database.session() as session:
            price = queries.letter_rate(session, on, sheets, postage) if postage else queries.sms_rate(session, on)
        with self._lock:
            self._known[key] = price
        return price
