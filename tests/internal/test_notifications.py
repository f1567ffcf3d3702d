"""Lists of a service's messages, searching them, rows for CSV files, cancelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from notify.billing.models import BillingFact
from notify.infra.ids import new_id
from notify.infra.times import local_date, utc_now
from notify.messages import search
from notify.messages.models import PERSONALISATION, TO, Notification
from notify.services.limits import counter_key
from notify.services.models import Service
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory


class Messages:
    """Puts messages of a service into the table."""

    def __init__(self, factory: Factory, service: Service) -> None:
        self.factory, self.service = factory, service
        self.templates: dict[str, Template] = {}
        self.moment = utc_now() - timedelta(minutes=5)

    def add(self, kind: str = "sms", to: str = "07900900123", **fields: Any) -> str:
        """A message, newer than those before; its id."""
        template = self.templates.get(kind) or self.factory.template(self.service, kind)
        self.templates[kind] = template
        encryptor, id_ = self.factory.parts.encryptor, new_id()
        self.moment += timedelta(milliseconds=1)
        values = {
            "id": id_,
            "to": encryptor.encrypt(to, TO, id_),
            "personalisation": encryptor.encrypt_json({"name": "Ivy"}, PERSONALISATION, id_),
            "normalised_to": to,
            "service_id": self.service.id,
            "template_id": template.id,
            "template_version": template.version,
            "key_type": "normal",
            "notification_type": kind,
            "created_at": self.moment,
        }
        self.factory.row(Notification(**(values | fields)))
        return str(id_)


@pytest.fixture
def messages(factory: Factory, service: Service) -> Messages:
    return Messages(factory, service)


def ids(answer: Any) -> list[str]:
    return [message["id"] for message in answer["notifications"]]


def path(messages: Messages) -> str:
    return f"/service/{messages.service.id}/notifications"


def test_filters_choose_alone_and_together(admin: AdminClient, messages: Messages) -> None:
    user = messages.service.created_by_id
    old = messages.add(created_at=utc_now() - timedelta(days=3))
    sms = messages.add(notification_status="delivered")
    team = messages.add("email", key_type="team", notification_status="permanent-failure")
    test = messages.add(key_type="test", notification_status="delivered")
    of_job = messages.add(job_id=uuid4(), job_row_number=0)
    one_off = messages.add("letter", created_by_id=user)
    everything = [one_off, of_job, team, sms, old]
    for query, expected in (
        ({}, everything),
        ({"template_type": ["sms", "letter"]}, [one_off, of_job, sms, old]),
        ({"status": "failed"}, [team]),
        ({"status": ["accepted", "received"], "template_type": "sms"}, [of_job, sms, old]),
        ({"status": "nonsense"}, []),
        ({"limit_days": 1}, everything[:-1]),
        ({"limit_days": 0}, everything[:-1] if one_off_is_today(messages) else []),
        ({"limit_days": 10**17}, everything),
        ({"include_jobs": "no"}, [one_off, team, sms, old]),
        ({"include_one_off": "0"}, [of_job, team, sms, old]),
        ({"include_from_test_key": "t"}, [one_off, of_job, test, team, sms, old]),
        ({"include_jobs": "f", "include_one_off": "f", "include_from_test_key": "1"}, [test, team, sms, old]),
    ):
        assert ids(admin.get(path(messages), query)) == expected, query
        assert ids(admin.post(path(messages), as_body(query))) == expected, query
    assert admin.get(f"/service/{uuid4()}/notifications")["notifications"] == []


def one_off_is_today(messages: Messages) -> bool:
    return messages.moment.astimezone(UTC).date() == utc_now().date()


def as_body(query: dict[str, Any]) -> dict[str, Any]:
    lists = ("template_type", "status")
    return {name: [value] if name in lists and isinstance(value, str) else value for name, value in query.items()}


def test_pages_have_links_while_more_follows(admin: AdminClient, messages: Messages) -> None:
    sent = [messages.add() for _ in range(5)][::-1]
    for page, expected, links in (
        (1, sent[:2], {"next": True}),
        (2, sent[2:4], {"next": True, "prev": True}),
        (3, sent[4:], {"prev": True}),
    ):
        answer = admin.get(path(messages), {"page": page, "page_size": 2})
        assert (ids(answer), answer["links"], answer["page_size"]) == (expected, links, 2)
    assert admin.get(path(messages), {"page": 2, "page_size": 2, "count_pages": "false"})["links"] == {}
    admin.get(path(messages), {"page": 4, "page_size": 2}, status=404)
    admin.get(path(messages), {"page": 10**17, "page_size": 10**17}, status=404)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page": "two"}, {"page": ["Not a valid integer."]}),
        ({"page": 0}, {"page": ["Not a positive integer"]}),
        ({"page_size": -1}, {"page_size": ["Not a positive integer"]}),
        ({"limit_days": "week"}, {"limit_days": ["Not a valid integer."]}),
        ({"include_jobs": "perhaps"}, {"include_jobs": ["Not a valid boolean."]}),
        ({"older_than": "x"}, {"older_than": ["Not a valid UUID."]}),
        (
            {"template_type": ["sms", "fax"]},
            {"template_type": {"1": {"template_type": ["Must be one of: sms, email, letter."]}}},
        ),
    ],
)
def test_wrong_filters_are_reported(admin: AdminClient, messages: Messages, query: Any, message: Any) -> None:
    assert admin.get(path(messages), query, status=400) == {"result": "error", "message": message}
    assert admin.get(f"{path(messages)}/csv", query, status=400)["message"] == message


def test_a_message_has_all_that_hangs_on_it(admin: AdminClient, factory: Factory, messages: Messages) -> None:
    user = factory.user(name="Robin")
    id_ = messages.add("email", "ivy@example.com", created_by_id=user.id, rate_multiplier=2)
    shown = admin.get(f"{path(messages)}/{id_}")
    assert len(shown) == 28
    assert len(shown["template"]) == 15
    assert shown["created_by"] == {"id": str(user.id), "name": "Robin", "email_address": user.email_address}
    assert (shown["to"], shown["rate_multiplier"], shown["personalisation"]) == (
        "ivy@example.com",
        2.0,
        {"name": "Ivy"},
    )
    assert shown["template"]["content"] == "Hello ((name))"
    assert admin.get(path(messages))["notifications"] == [shown]
    admin.get(f"/service/{uuid4()}/notifications/{id_}", status=404)
    admin.get(f"{path(messages)}/{uuid4()}", status=404)


def search_for(admin: AdminClient, messages: Messages, term: str, kind: str | None = None, **body: Any) -> list[str]:
    types = {} if kind is None else {"template_type": [kind]}
    return ids(admin.post(path(messages), {"to": term, **types, **body}))


@pytest.mark.parametrize("looked_through", [1, 5_000])
def test_a_part_of_a_recipient_or_reference_is_found(
    admin: AdminClient, messages: Messages, monkeypatch: pytest.MonkeyPatch, looked_through: int
) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", looked_through)  # both ways find the same
    sms = messages.add(to="447900900321", client_reference="Case_1/7")
    email = messages.add("email", to="ivy.green@example.com", client_reference="100%")
    letter = messages.add("letter", to="ivygreen1oakstreet")
    messages.add(to="447900900321", key_type="test")
    for term, kind, expected in (
        ("900321", "sms", [sms]),
        ("07900 900-32", "sms", [sms]),
        ("+447900900321", "sms", [sms]),
        ("(079) 009", "sms", [sms]),
        ("07900900321", None, []),
        ("447900900321", None, [sms]),
        ("IVY.G", "email", [email]),
        ("Ivy Green", None, [letter]),
        ("Ivy Green 1", "letter", [letter]),
        ("case_1/", None, [sms]),
        ("CASE", "sms", [sms]),
        ("0%", "email", [email]),
        ("Case%7", None, []),
        ("Case1/7", None, []),
        ("ivy", "letter", [letter]),
        ("\\", "email", []),
    ):
        assert search_for(admin, messages, term, kind) == expected, term
    assert search_for(admin, messages, "900321", "sms", status=["failed"]) == []
    assert search_for(admin, messages, "900321", "sms", status=["created"], page=9, limit_days=0) == [sms]
    assert ids(admin.get(path(messages), {"to": "900321"})) == [sms]


def test_a_search_shows_the_newest_fifty(admin: AdminClient, messages: Messages) -> None:
    for number in range(51):
        newest = messages.add(to=f"4479009{number:05}")
    answer = admin.post(path(messages), {"to": "79009", "template_type": ["sms"]})
    assert (answer["links"], len(ids(answer)), ids(answer)[0]) == ({"next": True}, 50, newest)
    assert "page_size" not in answer


@pytest.mark.parametrize("more", [1, 2, 5, 50])
def test_one_or_two_characters_are_looked_for_in_all_messages(
    admin: AdminClient, messages: Messages, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 2)
    monkeypatch.setattr(search, "MORE_LOOKED_THROUGH", more)
    oldest = messages.add("email", "zoe@example.com")
    messages.add("email")
    newer = messages.add("email", "liz@example.com")
    for _ in range(3):
        messages.add("email")
    parts = (("z", [newer, oldest]), ("zo", [oldest]), ("zoe", [oldest]), ("z@", [newer]), ("oe@", [oldest]))
    for part, expected in parts:
        assert search_for(admin, messages, part, "email") == expected, part
    monkeypatch.setattr(search, "LONGEST_SECONDS", -1.0)  # of a service with some millions
    assert search_for(admin, messages, "zo", "email") == []
    assert search_for(admin, messages, "zoe", "email") == [oldest]


def test_rows_for_a_file_say_what_became_of_messages(admin: AdminClient, messages: Messages) -> None:
    moment = datetime(2026, 7, 1, 10, 0, 0, 5, tzinfo=UTC)
    old = messages.add("email", "ivy@example.com", notification_status="permanent-failure", created_at=moment)
    sms = messages.add(notification_status="sent", client_reference="mine")
    letter = messages.add("letter", "Ivy", notification_status="returned-letter")
    messages.add(key_type="test")
    rows = admin.get(f"{path(messages)}/csv")["notifications"]
    assert [(row["id"], row["status"]) for row in rows] == [
        (letter, "Returned"),
        (sms, "Sent internationally"),
        (old, "Email address doesn’t exist"),
    ]
    assert (rows[2]["created_at"], rows[2]["client_reference"], rows[2]["row_number"]) == (
        "2026-07-01 11:00:00",
        "",
        "",
    )
    assert rows[1]["client_reference"] == "mine"
    older = admin.post(f"{path(messages)}/csv?older_than={sms}", {"template_type": ["letter"]})
    assert ids(older) == [old]
    assert ids(admin.get(f"{path(messages)}/csv", {"older_than": str(uuid4())})) == []
    assert ids(admin.get(f"{path(messages)}/csv", {"page": 7})) == []


def test_pages_of_rows_meet_without_gap_where_times_are_equal(admin: AdminClient, messages: Messages) -> None:
    moment = utc_now()
    sent = sorted((messages.add(created_at=moment) for _ in range(7)), reverse=True)
    seen: list[str] = []
    query: dict[str, Any] = {"page_size": 3}
    while rows := ids(admin.get(f"{path(messages)}/csv", query)):
        seen += rows
        query["older_than"] = rows[-1]
    assert seen == sent


def cancel(admin: AdminClient, messages: Messages, id_: str, status: int = 400) -> Any:
    return admin.post(f"{path(messages)}/{id_}/cancel", status=status)


def test_a_letter_is_cancelled_once_and_uncounted(admin: AdminClient, messages: Messages) -> None:
    key = counter_key(messages.service.id, "normal", "letter")
    admin.parts.cache.set(key, "1", seconds=60)
    ids_ = [messages.add("letter", created_at=utc_now()) for _ in range(2)]
    cancelled = cancel(admin, messages, ids_[0], 200)
    assert (cancelled["status"], cancelled["id"]) == ("cancelled", ids_[0])
    assert cancelled["updated_at"] is not None
    assert admin.parts.cache.get(key) == b"0"
    assert cancel(admin, messages, ids_[0])["message"] == "This letter has already been cancelled."
    cancel(admin, messages, ids_[1], 200)
    assert admin.parts.cache.get(key) == b"0"  # never below


def test_what_cannot_be_cancelled(admin: AdminClient, factory: Factory, messages: Messages) -> None:
    assert cancel(admin, messages, str(uuid4()), 404)["message"] == "Notification not found"
    text = "Notification cannot be cancelled - only letters can be cancelled"
    assert cancel(admin, messages, messages.add())["message"] == text
    letter = messages.add("letter", created_at=utc_now(), notification_status="sending")
    assert cancel(admin, messages, letter)["message"].startswith(
        "We could not cancel this letter. Letter status: sending, created_at: 20"
    )
    with admin.parts.database.transaction() as session:
        old = datetime(2026, 12, 10, 12, tzinfo=UTC).replace(year=utc_now().year - 1)
        session.execute(update(Notification).where(Notification.id == UUID(letter)).values(created_at=old))
    too_late = "It’s too late to cancel this letter. Printing started on 10 December at 5.30pm"
    assert cancel(admin, messages, letter)["message"] == too_late


def test_messages_are_counted_as_they_are_billed(admin: AdminClient, factory: Factory, service: Service) -> None:
    path, today = f"/service/{service.id}/notifications/count", local_date(utc_now())
    assert admin.get(path) == {"notifications_sent_count": 0}
    for kind, days_ago, number in (("sms", 0, 1), ("sms", 7, 10), ("email", 3, 100), ("sms", 8, 1000)):
        factory.row(
            BillingFact(
                bst_date=today - timedelta(days=days_ago),
                template_id=uuid4(),
                service_id=service.id,
                notification_type=kind,
                provider="mmg",
                rate_multiplier=1,
                international=False,
                rate=Decimal("0.02"),
                postage="none",
                notifications_sent=number,
            )
        )
    utc_lag = 0 if utc_now().date() == today else 1  # days are counted from the UTC day
    for query, expected in (
        ({}, 111 + 1000 * utc_lag),
        ({"limit_days": 0}, 111 + 1000 * utc_lag),
        ({"limit_days": 2}, 1),
        ({"template_type": "sms", "limit_days": 9}, 1011),
        ({"template_type": ["sms", "email"], "limit_days": 4}, 101),
        ({"template_type": "letter"}, 0),
    ):
        assert admin.get(path, query)["notifications_sent_count"] == expected, query
    assert admin.get(path, {"limit_days": "week"}, status=400)["message"] == {"limit_days": ["Not a valid integer."]}


def test_rows_of_a_csv_file_in_the_list_as_in_2020(messages: Messages, admin: AdminClient) -> None:
    path = f"/service/{messages.service.id}/notifications"
    ids = [messages.add(), messages.add()]
    page = admin.get(path, {"format_for_csv": "True", "page_size": 1})
    assert (page["page_size"], page["links"], len(page["notifications"])) == (1, {"next": True}, 1)
    (row,) = page["notifications"]
    assert set(row) == {
        "row_number", "recipient", "client_reference", "template_name", "template_type", "job_name", "status",
        "created_at", "created_by_name", "created_by_email_address",
    }  # fmt: skip
    assert (row["status"], row["recipient"], row["row_number"], row["job_name"]) == ("Sending", "07900900123", "", "")
    plain = admin.get(path, {"format_for_csv": "False"})
    assert [entry["id"] for entry in plain["notifications"]] == ids[::-1]
    assert admin.get(path, {"format_for_csv": "True", "page": 9}, status=404)["result"] == "error"
