"""Rates and rules of text messages to other countries (contract: content A)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class SmsRate(NamedTuple):
    """The rate of a country. `multiplier` is the price of a fragment in UK fragments; `alpha` says whether senders may
    be words (YES, NO, REG for registered ones, or `None`); `dlr` whether delivery is reported.
    """

    multiplier: int
    alpha: str | None
    dlr: str | None


@cache
def rates() -> dict[str, SmsRate]:
    """The rates by prefix: a country code, or `1` and an area code that has a separate rate."""
    data = json.loads(files("notify.content").joinpath("data/sms_rates.json").read_text(encoding="utf-8"))
    return {prefix: SmsRate(**rate) for prefix, rate in data["prefixes"].items()}


def records_delivery(prefix: str) -> bool:
    """Whether texts to this prefix are reported as delivered (content 10.5)."""
    rate = rates().get(prefix)
    return rate is not None and (rate.dlr or "").lower() == "yes"


def takes_numeric_senders_only(prefix: str) -> bool:
    """Whether texts to this prefix must come from a number (content 10.5)."""
    rate = rates().get(prefix)
    return rate is not None and rate.alpha == "NO"
