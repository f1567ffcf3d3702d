"""Calls to providers that fail, hang, and come back: real servers on loopback, a real database and cache."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.outbound import Outbound
from notify.infra.valkey import start_valkey
from notify.providers import registry
from notify.providers.base import ProviderError
from notify.providers.choice import NoProviderError
from notify.providers.models import ProviderDetails, ProviderDetailsHistory
from notify.providers.router import AllDownError, ProviderRouter, Sent
from notify.providers.settings import EmailProviderSettings
from notify.providers.smtp.send import SMTP
from notify.settings import load
from tests.providers.sending import EMAIL, TEXT
from tests.servers.firetext import FiretextServer
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer
from tests.servers.smtp import SMTPServer

DOWN = Trouble(status=500)
HANGING = Trouble(hang=True)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server.url
    server.stop()


@pytest.fixture
def cache(valkey: str) -> Iterator[Cache]:
    cache = Cache(valkey)
    cache.delete("mmg-error-rate", "firetext-error-rate")
    yield cache
    cache.close()


class Play:
    """A router with a clock that is moved by hand, and texts to send by it."""

    def __init__(self, database: Database, cache: Cache, outbound: Outbound, **settings: Any) -> None:
        self.now = 1000.0
        self.outbound = outbound
        self.database = database
        self.board = ProviderRouter(
            load(**settings), database, cache, outbound, clock=lambda: self.now, source=random.Random(42)
        )
        self.board.refresh()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.outbound.run(coroutine).result(timeout=30)

    def text(self, **options: Any) -> Sent:
        sent: Sent = self.run(self.board.send("sms", TEXT, **options))
        return sent

    def email(self, **options: Any) -> Sent:
        sent: Sent = self.run(self.board.send("email", EMAIL, **options))
        return sent

    def outcomes(self, number: int, kind: str = "sms", message: Any = TEXT) -> Counter[str]:
        """What became of so many messages, sent one after the other: by whom they were sent, or the error."""
        counts: Counter[str] = Counter()
        for _ in range(number):
            try:
                counts[self.run(self.board.send(kind, message)).provider] += 1
            except (ProviderError, AllDownError) as error:
                counts[type(error).__name__] += 1
        return counts

    def state(self, identifier: str, kind: str = "sms") -> str:
        return self.board.states()[identifier, kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
def mmg() -> Iterator[MMGServer]:
    with MMGServer() as server:
        yield server


@pytest.fixture
def firetext() -> Iterator[FiretextServer]:
    with FiretextServer() as server:
        yield server


@pytest.fixture
def play(database: Database, cache: Cache, mmg: MMGServer, firetext: FiretextServer) -> Iterator[Play]:
    outbound = Outbound(connections=20)
    play = Play(
        database,
        cache,
        outbound,
        mmg_api_key=mmg.key,
        mmg_url=mmg.address,
        firetext_api_key=firetext.keys[0],
        firetext_url=firetext.address,
        provider_connections=20,
    )
    yield play
    play.board.close()
    outbound.close()


def priorities(database: Database) -> dict[str, int]:
    with database.session() as session:
        rows = session.scalars(select(ProviderDetails).where(ProviderDetails.identifier.in_(["mmg", "firetext"])))
        return {row.identifier: row.priority for row in rows}


def test_a_provider_that_is_down_gets_five_calls_and_then_none(play: Play, mmg: MMGServer) -> None:
    mmg.fail(DOWN)
    outcomes = play.outcomes(100)
    assert outcomes == {"ProviderError": 5, "firetext": 95}
    assert mmg.received == 5
    assert play.state("mmg") == "open"
    assert play.state("firetext") == "closed"


@pytest.mark.parametrize("trouble", [Trouble(status=503), Trouble(status=429), Trouble(status=401), Trouble(drop=True)])
def test_ways_to_be_down(play: Play, mmg: MMGServer, trouble: Trouble) -> None:
    mmg.fail(trouble)
    assert play.outcomes(40)["ProviderError"] == 5


def test_refused_messages_say_nothing_of_the_provider(play: Play, mmg: MMGServer) -> None:
    mmg.fail(Trouble(status=400))
    assert play.outcomes(60)["ProviderError"] > 10
    assert play.state("mmg") == "closed"


def test_when_it_answers_again_its_traffic_returns(play: Play, mmg: MMGServer) -> None:
    mmg.fail(DOWN)
    play.outcomes(40)
    play.now += 1
    assert play.outcomes(40)["ProviderError"] == 1
    mmg.fail(None)
    play.now += 1
    assert play.outcomes(20) == {"firetext": 20}
    play.now += 1
    outcomes = play.outcomes(90)
    assert outcomes["mmg"] == pytest.approx(30, abs=15)
    assert play.state("mmg") == "closed"


def test_a_half_open_breaker_allows_three_concurrent_calls(play: Play, mmg: MMGServer) -> None:
    mmg.fail(DOWN)
    play.outcomes(40)
    play.now += 1
    mmg.fail(Trouble(delay=1.5), times=3)
    mmg.most_at_once = 0

    async def many() -> list[Sent]:
        return await asyncio.gather(*(play.board.send("sms", TEXT) for _ in range(60)))

    counts = Counter(sent.provider for sent in play.run(many()))
    assert counts == {"mmg": 3, "firetext": 57}
    assert mmg.most_at_once == 3


def test_when_all_are_down_no_provider_is_called(play: Play, mmg: MMGServer, firetext: FiretextServer) -> None:
    mmg.fail(DOWN)
    firetext.fail(DOWN)
    assert not play.board.is_down("sms")
    outcomes = play.outcomes(100)
    assert outcomes == {"ProviderError": 10, "AllDownError": 90}
    assert mmg.received + firetext.received == 10
    assert play.board.is_down("sms")
    firetext.fail(None)
    play.now += 1
    assert not play.board.is_down("sms")
    assert play.text().provider == "firetext"


def test_a_provider_that_hangs_gets_no_more_calls_and_its_queue_moves_to_another(
    play: Play, mmg: MMGServer, firetext: FiretextServer
) -> None:
    mmg.fail(HANGING)

    async def many() -> list[asyncio.Task[Sent]]:
        tasks = [asyncio.create_task(play.board.send("sms", TEXT)) for _ in range(200)]
        await play.until(lambda: mmg.received == 20)
        # the rest of its share waits for a turn, and the other one has done its own
        slots = play.board._routes["mmg", "sms"].slots
        await play.until(lambda: slots.waiting == 180 - sum(task.done() for task in tasks))
        assert slots.waiting > 10
        play.now += 1.1
        play.board.look()
        await play.until(lambda: sum(task.done() for task in tasks) == 180)
        assert play.state("mmg") == "hanging"
        tasks += [asyncio.create_task(play.board.send("sms", TEXT)) for _ in range(50)]
        await play.until(lambda: sum(task.done() for task in tasks) == 230)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return tasks

    play.run(many())
    assert mmg.received == 20
    assert len(firetext.messages) == 230
    # giving up is our doing, and proves nothing
    assert play.state("mmg") == "closed"


def test_one_that_hangs_is_better_than_none(play: Play, mmg: MMGServer) -> None:
    mmg.fail(Trouble(delay=0.2))

    async def many() -> int:
        # Firetext does not send abroad
        tasks = [asyncio.create_task(play.board.send("sms", TEXT, international=True)) for _ in range(40)]
        await play.until(lambda: mmg.received == 20)
        play.now += 1.1
        play.board.look()
        assert play.state("mmg") == "hanging"
        return len(await asyncio.gather(*tasks))

    assert play.run(many()) == 40
    assert play.state("mmg") == "closed"


def test_more_than_fifty_errors_in_a_minute_move_traffic(
    play: Play, database: Database, mmg: MMGServer, cache: Cache
) -> None:
    mmg.fail(Trouble(status=400))
    while mmg.received < 50:
        play.outcomes(1)
    play.board.settle()
    assert priorities(database) == {"mmg": 10, "firetext": 20}
    while mmg.received < 51:
        play.outcomes(1)
    play.board.settle()
    assert priorities(database) == {"mmg": 0, "firetext": 30}
    with database.session() as session:
        history = session.scalars(select(ProviderDetailsHistory).where(ProviderDetailsHistory.version == 2)).all()
    assert {row.identifier: row.reason for row in history} == {
        "mmg": "Reduced due to reduced reliability",
        "firetext": "Increased due to reduced reliability in other provider",
    }
    # and this process follows at once
    play.board.refresh()
    assert play.outcomes(30) == {"firetext": 30}


def test_calls_that_a_breaker_spares_count_as_errors(play: Play, database: Database, mmg: MMGServer) -> None:
    mmg.fail(DOWN)
    play.outcomes(250)
    assert mmg.received == 5
    play.board.settle()
    assert priorities(database) == {"mmg": 0, "firetext": 30}


def test_settling_survives_a_database_that_is_down(cache: Cache, database: Database, mmg: MMGServer) -> None:
    outbound = Outbound()
    play = Play(database, cache, outbound, mmg_api_key=mmg.key, mmg_url=mmg.address)
    mmg.fail(DOWN)
    play.outcomes(100)
    play.board._database = Database("postgresql://nobody@127.0.0.1:9/nothing")
    play.board.settle()
    play.board.close()
    outbound.close()


class OtherSMTP(SMTP):
    """A second provider of email, preferred to the first."""

    identifier = "ses"
    url = ""

    def __init__(self, settings: Any, outbound: Outbound) -> None:
        super().__init__(settings.model_copy(update={"smtp_url": self.url}), outbound)


@pytest.fixture
def preferred(monkeypatch: pytest.MonkeyPatch) -> Iterator[SMTPServer]:
    with SMTPServer() as server:
        monkeypatch.setattr(OtherSMTP, "url", server.url())
        other = replace(
            registry.find("ses", "email"),
            is_configured=lambda settings: bool(settings.part(EmailProviderSettings).smtp_url),
            sender=f"{__name__}:OtherSMTP",
        )
        monkeypatch.setattr(registry, "PROVIDERS", {**registry.PROVIDERS, ("ses", "email"): other})
        yield server


@pytest.fixture
def emails(database: Database, cache: Cache, preferred: SMTPServer) -> Iterator[tuple[Play, SMTPServer]]:
    outbound = Outbound()
    with SMTPServer() as fallback:
        play = Play(database, cache, outbound, smtp_url=fallback.url())
        yield play, fallback
        play.board.close()
    outbound.close()


def test_emails_go_to_the_preferred_provider(emails: tuple[Play, SMTPServer], preferred: SMTPServer) -> None:
    play, fallback = emails
    assert play.outcomes(5, "email", EMAIL) == {"ses": 5}
    assert (len(preferred.received), len(fallback.received)) == (5, 0)


def test_emails_fall_back_while_it_is_down_and_return_after(
    emails: tuple[Play, SMTPServer], preferred: SMTPServer
) -> None:
    play, fallback = emails
    preferred.replies["DATA"] = "421 4.3.0 closing"
    with pytest.raises(ProviderError):
        play.email()
    assert play.email(failed=["ses"], only_others=True).provider == "smtp"
    assert play.outcomes(20, "email", EMAIL) == {"ProviderError": 4, "smtp": 16}
    preferred.replies.clear()
    play.now += 1
    assert play.outcomes(20, "email", EMAIL) == {"ses": 20}
    assert len(fallback.received) == 17
    # shares are for texts
    with play.database.session() as session:
        assert session.scalars(select(ProviderDetailsHistory).where(ProviderDetailsHistory.version > 1)).all() == []


def test_a_refused_email_does_not_open_the_breaker(emails: tuple[Play, SMTPServer], preferred: SMTPServer) -> None:
    play, _ = emails
    preferred.replies["RCPT"] = "550 5.1.1 no such user"
    assert play.outcomes(20, "email", EMAIL) == {"ProviderError": 20}
    assert play.state("ses", "email") == "closed"


def test_an_email_is_not_given_to_the_same_one_again(database: Database, cache: Cache, outbound: Outbound) -> None:
    with SMTPServer() as server:
        play = Play(database, cache, outbound, smtp_url=server.url())
        with pytest.raises(AllDownError):
            play.email(failed=["smtp"], only_others=True)
        play.board.close()


def test_nobody_is_configured_or_active(play: Play, database: Database) -> None:
    with pytest.raises(NoProviderError):
        play.email()
    with database.transaction() as session:
        session.execute(update(ProviderDetails).values(active=False))
    play.board.chooser.forget()
    play.board.refresh()
    with pytest.raises(NoProviderError):
        play.text()
    assert not play.board.is_down("sms")


@pytest.mark.parametrize("setting", [{"mmg_api_key": "key\n"}, {"mmg_url": "'http://127.0.0.1:9/'"}])
def test_wrong_settings_of_ours_do_not_count_against_the_provider(
    database: Database, cache: Cache, mmg: MMGServer, firetext: FiretextServer, setting: dict[str, str]
) -> None:
    outbound = Outbound()
    settings = load(mmg_api_key=mmg.key, mmg_url=mmg.address).model_copy(update=setting)
    play = Play(database, cache, outbound)
    play.board.close()
    play.board = ProviderRouter(settings, database, cache, outbound)
    play.board.refresh()
    before = priorities(database)
    assert play.outcomes(60) == {"ProviderError": 60}
    assert play.state("mmg") == "closed"
    play.board.settle()
    assert priorities(database) == before
    play.board.close()
    outbound.close()
