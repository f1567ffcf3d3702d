"""The choice of the provider for the next message."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import update

from notify.infra.database import Database
from notify.providers.choice import Chooser, NoProviderError
from notify.providers.models import ProviderDetails
from notify.settings import load

MMG: dict[str, Any] = {"mmg_api_key": "a"}
FIRETEXT: dict[str, Any] = {"firetext_api_key": "b"}
SANDBOX: dict[str, Any] = {"sandbox_url": "http://127.0.0.1:6013"}
SMTP: dict[str, Any] = {"smtp_url": "smtp://localhost"}


def alter(database: Database, identifier: str, **values: Any) -> None:
    with database.transaction() as session:
        session.execute(update(ProviderDetails).where(ProviderDetails.identifier == identifier).values(**values))


def chooser(database: Database, *settings: dict[str, Any]) -> Chooser:
    merged = {name: value for some in settings for name, value in some.items()}
    return Chooser(database, load(**merged), source=random.Random(42))


def share(chooser: Chooser, times: int = 4000, **options: Any) -> dict[str, float]:
    counts = Counter(chooser.choose("sms", **options) for _ in range(times))
    return {identifier: count / times for identifier, count in counts.items()}


@pytest.mark.parametrize(
    ("mmg", "firetext", "expected"), [(51, 49, 0.51), (90, 10, 0.9), (10, 20, 1 / 3), (100, 0, 1.0), (0, 0, 0.5)]
)
def test_texts_are_spread_by_priority(database: Database, mmg: int, firetext: int, expected: float) -> None:
    alter(database, "mmg", priority=mmg)
    alter(database, "firetext", priority=firetext)
    shares = share(chooser(database, MMG, FIRETEXT))
    assert shares["mmg"] == pytest.approx(expected, abs=0.03)
    assert shares.get("firetext", 0) == pytest.approx(1 - expected, abs=0.03)


def test_what_is_not_configured_is_no_candidate(database: Database) -> None:
    assert share(chooser(database, MMG), 50) == {"mmg": 1.0}
    assert share(chooser(database, FIRETEXT), 50) == {"firetext": 1.0}


def test_what_is_not_active_is_no_candidate(database: Database) -> None:
    alter(database, "mmg", active=False)
    assert share(chooser(database, MMG, FIRETEXT), 50) == {"firetext": 1.0}


def test_a_single_candidate_is_used_whatever_its_priority(database: Database) -> None:
    alter(database, "mmg", priority=0)
    assert share(chooser(database, MMG), 10) == {"mmg": 1.0}


def test_abroad_only_those_who_can(database: Database) -> None:
    assert share(chooser(database, MMG, FIRETEXT), 50, international=True) == {"mmg": 1.0}
    with pytest.raises(NoProviderError):
        chooser(database, FIRETEXT).choose("sms", international=True)
    alter(database, "firetext", supports_international=True)
    assert share(chooser(database, FIRETEXT), 10, international=True) == {"firetext": 1.0}


def test_what_is_to_be_avoided_is_avoided_while_there_is_another(database: Database) -> None:
    both = chooser(database, MMG, FIRETEXT)
    assert share(both, 50, exclude=["mmg"]) == {"firetext": 1.0}
    assert set(share(both, 200, exclude=["mmg", "firetext"])) == {"mmg", "firetext"}
    assert share(chooser(database, MMG), 10, exclude=["mmg"]) == {"mmg": 1.0}


@pytest.mark.parametrize("notification_type", ["sms", "email", "letter"])
def test_nobody_to_send(database: Database, notification_type: str) -> None:
    with pytest.raises(NoProviderError, match=f"^No active {notification_type} providers$"):
        chooser(database).choose(notification_type)


def test_the_sandbox_steps_back_for_a_real_provider_of_its_type(database: Database) -> None:
    sandbox_only = chooser(database, SANDBOX)
    assert (sandbox_only.choose("sms"), sandbox_only.choose("email")) == ("sandbox", "sandbox")
    assert sandbox_only.choose("sms", international=True) == "sandbox"
    with_texts = chooser(database, SANDBOX, MMG)
    assert share(with_texts, 50) == {"mmg": 1.0}
    assert with_texts.choose("email") == "sandbox"
    assert chooser(database, SANDBOX, SMTP).choose("email") == "smtp"


def test_the_sandbox_does_not_take_over_from_a_real_provider_that_is_switched_off(database: Database) -> None:
    alter(database, "mmg", active=False)
    with pytest.raises(NoProviderError):
        chooser(database, SANDBOX, MMG).choose("sms")


def test_the_database_is_asked_every_10_seconds(database: Database) -> None:
    now = 1000.0
    both = Chooser(database, load(**MMG, **FIRETEXT), clock=lambda: now)
    assert set(share(both, 200)) == {"mmg", "firetext"}
    alter(database, "mmg", active=False)
    now += 9.9
    assert set(share(both, 200)) == {"mmg", "firetext"}
    now += 0.2
    assert set(share(both, 200)) == {"firetext"}
    alter(database, "mmg", active=True)
    both.forget()
    assert set(share(both, 200)) == {"mmg", "firetext"}
