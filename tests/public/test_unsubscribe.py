"""One-click unsubscribe: a link belongs to one email and its recipient, and however often it is clicked, counts once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from notify.infra.url_tokens import UrlTokens
from notify.messages.links import UnsubscribeLinks
from notify.unsubscribes.actions import FEATURES_SERVICE, RESEARCH_SERVICE
from tests.api import Api

SUCCESS = {"result": "success", "message": "Unsubscribe successful"}
NOT_VALID = {"result": "error", "message": {"unsubscribe request": "This is not a valid unsubscribe link."}}
EXPIRED = {"result": "error", "message": {"unsubscribe request": "This unsubscribe link is invalid or expired."}}


def click(api: Api, id_: UUID, address: str) -> tuple[int, object]:
    link = f"/unsubscribe/{id_}/{api.container.get(UrlTokens).make(address)}"
    answer = api.call("POST", link, headers={})
    return answer.status_code, answer.get_json()


def requests(api: Api, id_: UUID) -> list[tuple[str]]:
    return api.execute("SELECT email_address FROM unsubscribe_request WHERE notification_id = %s", id_)


def test_the_link_of_an_email_unsubscribes_its_recipient(api: Api) -> None:
    id_ = api.sent("email", email_address="Amala@Example.com")
    link = api.container.get(UnsubscribeLinks).one_click(id_, "Amala@Example.com")
    api.parts.cache.set(f"service-{api.service_id}-unsubscribe-request-statistics", "old", seconds=60)
    answer = api.call("POST", link.removeprefix(api.parts.settings.api_host_name), headers={})
    assert (answer.status_code, answer.get_json()) == (200, SUCCESS)
    assert requests(api, id_) == [("Amala@Example.com",)]
    assert api.parts.cache.get(f"service-{api.service_id}-unsubscribe-request-statistics") is None


def test_a_token_fits_one_recipient(api: Api) -> None:
    id_ = api.sent("email", email_address="amala@example.com")
    assert click(api, id_, "attacker@example.com") == (404, NOT_VALID)
    assert click(api, id_, "no address") == (404, NOT_VALID)
    assert requests(api, id_) == []
    assert click(api, id_, "AMALA@example.com") == (200, SUCCESS)  # as it was given on sending
    assert len(requests(api, id_)) == 1


def test_what_is_no_email_of_ours_has_no_unsubscribe_link(api: Api) -> None:
    assert click(api, uuid4(), "amala@example.com") == (404, EXPIRED)
    assert click(api, api.sent("sms"), "07900900123") == (404, EXPIRED)
    answer = api.call("POST", f"/unsubscribe/{api.sent('email')}/nonsense", headers={})
    assert (answer.status_code, answer.get_json()) == (404, NOT_VALID)


def test_parallel_clicks_are_one_request(api: Api) -> None:
    id_ = api.sent("email")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: click(api, id_, "amala@example.com"), range(6)))
    assert answers == [(200, SUCCESS)] * 6
    assert requests(api, id_) == [("amala@example.com",)]


@pytest.mark.parametrize(("processed", "expected"), [(None, 1), ("2026-01-01", 2)])
def test_a_click_counts_again_when_the_service_has_processed_the_first(
    api: Api, processed: str | None, expected: int
) -> None:
    id_, report = api.sent("email"), uuid4()
    assert click(api, id_, "amala@example.com") == (200, SUCCESS)
    api.execute(
        "INSERT INTO unsubscribe_request_report"
        " (id, service_id, earliest_timestamp, latest_timestamp, processed_by_service_at, count, created_at)"
        " VALUES (%s, %s, now(), now(), %s, 1, now())",
        report,
        api.service_id,
        processed,
    )
    api.execute(
        "UPDATE unsubscribe_request SET unsubscribe_request_report_id = %s WHERE notification_id = %s", report, id_
    )
    for _ in range(2):
        assert click(api, id_, "amala@example.com") == (200, SUCCESS)
    assert len(requests(api, id_)) == expected


def test_a_message_in_the_history_can_still_be_unsubscribed_from(api: Api) -> None:
    id_ = api.sent("email")
    api.execute(
        "INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type,"
        " created_at, notification_status) SELECT id, service_id, template_id, template_version, key_type,"
        " notification_type, created_at, notification_status FROM notifications WHERE id = %s",
        id_,
    )
    # while it is in both tables, the recipient is known
    assert click(api, id_, "other@example.com") == (404, NOT_VALID)
    api.execute("DELETE FROM notifications WHERE id = %s", id_)
    assert click(api, id_, "amala@example.com") == (200, SUCCESS)
    assert requests(api, id_) == [("amala@example.com",)]


@pytest.mark.parametrize(
    ("service_id", "column"),
    [(RESEARCH_SERVICE, "take_part_in_research"), (FEATURES_SERVICE, "receives_new_features_email")],
)
def test_users_unsubscribe_from_emails_of_notify_itself(api: Api, service_id: UUID, column: str) -> None:
    ((user_id, address),) = api.execute("SELECT id, email_address FROM users WHERE email_address = 'demo@example.com'")
    id_ = api.sent("email", email_address=address)
    api.execute("UPDATE notifications SET service_id = %s WHERE id = %s", service_id, id_)
    api.execute("UPDATE users SET email_address = 'Demo@Example.com' WHERE id = %s", user_id)
    api.parts.cache.set(f"user-{user_id}", "old", seconds=60)
    assert click(api, id_, address) == (200, SUCCESS)
    ((user,),) = api.execute("SELECT to_jsonb(u) FROM users u WHERE id = %s", user_id)
    assert user[column] is False
    api.execute("UPDATE users SET email_address = %s WHERE id = %s", address, user_id)
    assert api.parts.cache.get(f"user-{user_id}") is None
    assert requests(api, id_) == []
