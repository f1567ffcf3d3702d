"""The worked example of the contract (examples-statistics 9): from messages to facts; and what the example leaves out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notify.billing.models import BillingFact, LetterDespatchFact, LetterRate
from notify.billing.queries import NoRateError
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import local_date, local_midnight
from notify.letters.models import LetterDespatch
from notify.messages.models import Notification, NotificationHistory
from notify.reporting import tasks
from notify.reporting.billing_facts import store_billing, store_billing_of_day
from notify.reporting.days import MessagesGoneError, bounds_of
from notify.reporting.models import ProcessingTimeFact, StatusFact
from notify.services.models import Service
from tests.reporting.worked import cells, named
from tests.services.factory import a_service

DAY = date(2024, 6, 11)
MESSAGES = """
2024-06-10 22:59:59.999999 | sms | normal | delivered | mmg | 1 | 1 | False | | False |
2024-06-10 23:00:00 | sms | normal | delivered | mmg | 1 | 1 | False | | True | 10
2024-06-11 12:00:00 | sms | normal | sending | mmg | 2 | 1 | False | | True | 10.5
2024-06-11 12:00:00 | sms | team | sent | firetext | 1 | 3 | True | | True | 3
2024-06-11 12:00:00 | sms | test | delivered | mmg | 1 | 1 | False | | True | 1
2024-06-11 12:00:00 | sms | normal | created | | 0 | 1 | False | | True |
2024-06-11 12:00:00 | sms | normal | technical-failure | mmg | 1 | 1 | False | | False | 1
2024-06-11 12:00:00 | sms | normal | permanent-failure | | 1 | 1 | False | | False | 1
2024-06-11 12:00:00 | sms | normal | temporary-failure | mmg | 1 | | | | False | 1
2024-06-11 12:00:00 | sms | normal | pending | mmg | 1 | 1 | False | | False | 1
2024-06-11 12:00:00 | sms | normal | validation-failed | | 0 | 1 | False | | False |
2024-06-11 12:00:00 | email | normal | delivered | ses | 0 | | | | True | 4
2024-06-11 12:00:00 | email | normal | permanent-failure | ses | 0 | | | | False | 4
2024-06-11 12:00:00 | email | normal | created | | 0 | | | | False |
2024-06-11 12:00:00 | letter | normal | delivered | dvla | 1 | 1 | False | second | False | 4000
2024-06-11 12:00:00 | letter | normal | returned-letter | dvla | 1 | 1 | False | second | False | 4000
2024-06-11 12:00:00 | letter | normal | sending | dvla | 3 | 1 | False | second | True | 4000
2024-06-11 12:00:00 | letter | normal | cancelled | | 1 | 1 | False | second | False |
2024-06-11 12:00:00 | letter | normal | technical-failure | | 1 | 1 | False | second | False |
2024-06-11 12:00:00 | letter | normal | delivered | dvla | 1 | 1 | True | europe | False | 4000
2024-06-11 22:59:59 | sms | normal | delivered | mmg | 1 | 1 | False | | False | 1
2024-06-11 23:00:00 | sms | normal | delivered | mmg | 1 | 1 | False | | False | 1
"""
BILLED = """
email-T | email | ses | 0 | False | 0 | 0 | 2 | none
letter-T | letter | dvla | 1 | True | 1.44 | 1 | 1 | europe
letter-T | letter | dvla | 1 | False | 0.54 | 2 | 2 | second
letter-T | letter | dvla | 1 | False | 0.63 | 3 | 1 | second
sms-T | sms | firetext | 3 | True | 0.0227 | 1 | 1 | none
sms-T | sms | mmg | 1 | False | 0.0227 | 6 | 5 | none
sms-T | sms | unknown | 1 | False | 0.0227 | 1 | 1 | none
"""
COUNTED = """
email-T | email | normal | created | 1
email-T | email | normal | delivered | 1
email-T | email | normal | permanent-failure | 1
letter-T | letter | normal | cancelled | 1
letter-T | letter | normal | delivered | 2
letter-T | letter | normal | returned-letter | 1
letter-T | letter | normal | sending | 1
letter-T | letter | normal | technical-failure | 1
sms-T | sms | normal | created | 1
sms-T | sms | normal | delivered | 2
sms-T | sms | normal | pending | 1
sms-T | sms | normal | permanent-failure | 1
sms-T | sms | normal | sending | 1
sms-T | sms | normal | technical-failure | 1
sms-T | sms | normal | temporary-failure | 1
sms-T | sms | normal | validation-failed | 1
sms-T | sms | team | sent | 1
"""


def add_message(session: Session, service: Service, created_at: datetime, *, old: bool = False, **fields: Any) -> Any:
    """A delivered text, as `fields` say otherwise; in the history, if it is old."""
    values: dict[str, Any] = {
        "id": new_id(),
        "service_id": service.id,
        "template_id": named("sms-T"),
        "template_version": 1,
        "key_type": "normal",
        "notification_type": "sms",
        "notification_status": "delivered",
        "created_at": created_at,
        "sent_by": "mmg",
        "billable_units": 1,
        "rate_multiplier": 1,
    } | fields
    message = NotificationHistory(**values) if old else Notification(to=b"x", **values)
    session.add(message)
    session.flush()
    return message


def add_messages(session: Session, service: Service, *, old: bool) -> None:
    for created, kind, key, status, sent_by, units, multiplier, international, postage, api, after in cells(MESSAGES):
        created_at = datetime.fromisoformat(created).replace(tzinfo=UTC)
        add_message(
            session,
            service,
            created_at,
            old=old,
            template_id=named(f"{kind}-T"),
            key_type=key,
            notification_type=kind,
            notification_status=status,
            sent_by=sent_by or None,
            billable_units=int(units),
            rate_multiplier=int(multiplier) if multiplier else None,
            international=international == "True",
            postage=postage or None,
            api_key_id=named("key") if api == "True" else None,
            sent_at=created_at + timedelta(seconds=float(after)) if after else None,
        )


@pytest.fixture
def tilia(parts: Parts) -> Service:
    with parts.database.transaction() as session:
        return a_service(session)


def billed(session: Session, service: Service, day: date = DAY) -> list[list[str]]:
    names = {named(f"{kind}-T"): f"{kind}-T" for kind in ("email", "letter", "sms")}
    facts = session.scalars(
        select(BillingFact)
        .where(BillingFact.service_id == service.id, BillingFact.bst_date == day)
        .order_by(BillingFact.notification_type, BillingFact.postage, BillingFact.provider, BillingFact.rate)
        .execution_options(populate_existing=True)
    )
    return [
        [
            names[fact.template_id],
            fact.notification_type,
            fact.provider,
            str(fact.rate_multiplier),
            str(fact.international),
            str(fact.rate),
            str(fact.billable_units),
            str(fact.notifications_sent),
            fact.postage,
        ]
        for fact in facts
    ]


def counted(session: Session, service: Service) -> list[list[str]]:
    names = {named(f"{kind}-T"): f"{kind}-T" for kind in ("email", "letter", "sms")}
    facts = session.scalars(
        select(StatusFact)
        .where(StatusFact.service_id == service.id, StatusFact.bst_date == DAY)
        .order_by(StatusFact.notification_type, StatusFact.key_type, StatusFact.notification_status)
        .execution_options(populate_existing=True)
    )
    return [
        [
            names[fact.template_id],
            fact.notification_type,
            fact.key_type,
            fact.notification_status,
            str(fact.notification_count),
        ]
        for fact in facts
    ]


@pytest.mark.parametrize("old", [False, True], ids=["messages", "history"])
def test_from_messages_to_facts(parts: Parts, session: Session, tilia: Service, old: bool) -> None:
    container = Container(parts)
    add_messages(session, tilia, old=old)
    session.commit()
    for _ in range(2):
        tasks.create_or_update_ft_billing_for_day(container, str(DAY))
        for kind in ("sms", "email", "letter"):
            tasks.create_nightly_notification_status_for_service_and_day(container, str(DAY), kind, str(tilia.id))
        tasks.save_daily_notification_processing_time(container, str(DAY))
        assert billed(session, tilia) == cells(BILLED)
        assert counted(session, tilia) == cells(COUNTED)
        time = session.get_one(ProcessingTimeFact, DAY, populate_existing=True)
        assert (time.messages_total, time.messages_within_10_secs) == (5, 3)


def test_statuses_of_all_services_are_those_of_each(parts: Parts, session: Session, tilia: Service) -> None:
    container = Container(parts)
    add_messages(session, tilia, old=False)
    other = a_service(session)
    message = add_message(session, other, datetime(2024, 6, 11, 12, tzinfo=UTC), job_id=named("job"))
    session.commit()
    for kind in ("sms", "email", "letter"):
        tasks.create_nightly_notification_status_for_service_and_day(container, str(DAY), kind)
    assert counted(session, tilia) == cells(COUNTED)
    assert counted(session, other) == [["sms-T", "sms", "normal", "delivered", "1"]]
    message.notification_status = "returned-letter"
    session.commit()
    tasks.create_nightly_notification_status_for_service_and_day(container, str(DAY), "sms")
    assert counted(session, other) == [["sms-T", "sms", "normal", "returned-letter", "1"]]
    session.delete(message)
    session.commit()
    tasks.create_nightly_notification_status_for_service_and_day(container, str(DAY), "sms")
    assert counted(session, other) == []
    assert counted(session, tilia) == cells(COUNTED)


def test_a_rerun_updates_billing_facts_and_a_rebuild_deletes_those_without_messages(
    parts: Parts, session: Session, tilia: Service
) -> None:
    noon = datetime(2024, 6, 11, 12, tzinfo=UTC)
    texts = [add_message(session, tilia, noon, sent_by=provider) for provider in ("mmg", "mmg", "firetext")]
    session.commit()

    def sums() -> list[tuple[str, str]]:
        return [(row[2], row[7]) for row in billed(session, tilia)]

    assert sum(store_billing_of_day(parts.database, DAY)) == 2
    assert sum(store_billing_of_day(parts.database, DAY)) == 0  # nothing is written for nothing
    for text in texts[1:]:
        session.delete(text)
    session.commit()
    assert sum(store_billing_of_day(parts.database, DAY, service_id=tilia.id)) == 1
    assert sums() == [("firetext", "1"), ("mmg", "1")]
    list(store_billing_of_day(parts.database, DAY, service_id=a_service(session).id, rebuild=True))
    assert sums() == [("firetext", "1"), ("mmg", "1")]
    list(store_billing_of_day(parts.database, DAY, service_id=tilia.id, rebuild=True))
    assert sums() == [("mmg", "1")]


@pytest.mark.parametrize(
    ("day", "hours", "other_side"), [(date(2026, 3, 29), 23, 22), (date(2026, 10, 25), 25, 24), (DAY, 24, 23)]
)
def test_days_are_local_when_clocks_change(
    parts: Parts, session: Session, tilia: Service, day: date, hours: int, other_side: int
) -> None:
    begin = local_midnight(day)
    assert bounds_of(day).until - begin == timedelta(hours=hours)
    for hour in range(-1, hours + 1):
        add_message(session, tilia, begin + timedelta(hours=hour))
    session.commit()
    for each in (day - timedelta(days=1), day, day + timedelta(days=1)):
        list(store_billing_of_day(parts.database, each))
    sent = [billed(session, tilia, day + timedelta(days=number))[0][7] for number in (-1, 0, 1)]
    assert sent == ["1", str(hours), "1"]
    assert local_date(begin + timedelta(hours=other_side)) == day


def test_a_price_begins_at_a_local_midnight(session: Session, tilia: Service) -> None:
    for day in (date(2024, 3, 31), date(2024, 4, 1)):  # 1 April: 23:00 UTC of the day before
        add_message(session, tilia, bounds_of(day).since)
        store_billing(session, day, [tilia.id])
    assert [billed(session, tilia, day)[0][5] for day in (date(2024, 3, 31), date(2024, 4, 1))] == ["0.0197", "0.0227"]


def test_letters_of_different_sheets_at_one_price_are_one_fact(session: Session, tilia: Service) -> None:
    session.query(LetterRate).filter(LetterRate.sheet_count.in_((1, 2))).update({"rate": Decimal("0.5")})
    letter: dict[str, Any] = {"notification_type": "letter", "postage": "second", "template_id": named("letter-T")}
    for sheets in (1, 2, 2, 0):
        add_message(session, tilia, datetime(2024, 6, 11, 12, tzinfo=UTC), billable_units=sheets, **letter)
    store_billing(session, DAY, [tilia.id])
    assert [row[5:] for row in billed(session, tilia)] == [["0", "0", "1", "second"], ["0.5", "5", "3", "second"]]


def test_a_message_without_a_price_is_an_error(session: Session, tilia: Service) -> None:
    before_all_prices = date(2016, 5, 1)
    add_message(session, tilia, bounds_of(before_all_prices).since)
    with pytest.raises(NoRateError, match="2016-05-01"):
        store_billing(session, before_all_prices, [tilia.id])


def test_a_day_whose_messages_are_archived_is_not_rebuilt(parts: Parts, session: Session, tilia: Service) -> None:
    text = add_message(session, tilia, bounds_of(DAY).since, old=True)
    session.commit()
    list(store_billing_of_day(parts.database, DAY, rebuild=True))
    add_message(session, tilia, bounds_of(DAY).until, old=True)
    session.delete(text)
    session.commit()
    with pytest.raises(MessagesGoneError):
        list(store_billing_of_day(parts.database, DAY, rebuild=True))
    assert len(billed(session, tilia)) == 1


def test_letters_that_were_despatched(parts: Parts, session: Session, tilia: Service) -> None:
    letter: dict[str, Any] = {"notification_type": "letter", "postage": "second", "template_id": named("letter-T")}
    noon = datetime(2024, 6, 11, 12, tzinfo=UTC)
    for threshold, sheets, old in (
        ("sorted", 1, False),
        ("sorted", 1, True),
        ("sorted", 3, False),
        ("unsorted", 1, True),
    ):
        message = add_message(session, tilia, noon, billable_units=sheets, old=old, **letter)
        session.add(LetterDespatch(notification_id=message.id, despatched_on=DAY, cost_threshold=threshold))
    session.add(LetterDespatch(notification_id=new_id(), despatched_on=DAY, cost_threshold="sorted"))  # gone
    stale = {"bst_date": DAY, "postage": "first", "cost_threshold": "sorted", "rate": 1, "billable_units": 1}
    session.add(LetterDespatchFact(**stale, notifications_sent=1))
    session.commit()
    container = Container(parts)
    for _ in range(2):
        tasks.create_or_update_ft_billing_letter_despatch_for_day(container, str(DAY))
        facts = session.scalars(select(LetterDespatchFact).order_by(LetterDespatchFact.cost_threshold))
        found = {(f.postage, f.cost_threshold, f.rate, f.billable_units, f.notifications_sent) for f in facts}
        assert found == {
            ("second", "sorted", Decimal("0.54"), 1, 2),
            ("second", "sorted", Decimal("0.63"), 3, 1),
            ("second", "unsorted", Decimal("0.54"), 1, 1),
        }
    session.execute(delete(LetterDespatch))
    session.commit()
    tasks.create_or_update_ft_billing_letter_despatch_for_day(container, str(DAY))
    assert session.scalars(select(LetterDespatchFact)).all() == []
