"""Tickets about services, and the tasks that create them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from notify.branding.models import EmailBranding, OrganisationEmailBranding
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.services import tasks
from notify.services.alerts import previous_weekday, read_report
from notify.services.inbound_numbers import insert_inbound_numbers
from tests.api import with_settings
from tests.servers.zendesk import ZendeskServer
from tests.services.factory import a_user

NOW = datetime(2026, 6, 15, 0, 30, tzinfo=UTC)
"""A Monday, half past one in London."""
REPORT = {
    "query": {"numbers.csv": "SELECT 1 AS one, 'a:b' AS two", "none.csv": "SELECT 1 AS x WHERE false"},
    "ticket_id": 7,
}


@pytest.fixture
def zendesk() -> Iterator[ZendeskServer]:
    with ZendeskServer() as server:
        yield server


@pytest.fixture
def container(parts: Parts, zendesk: ZendeskServer, monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr("notify.services.tasks.utc_now", lambda: NOW)
    return Container(
        with_settings(
            parts,
            send_zendesk_alerts_enabled=True,
            zendesk_url=zendesk.url,
            zendesk_api_key="zendesk-key-for-tests",
            zendesk_reporting={"weekly-dwp-report": REPORT},
        )
    )


def ticket(zendesk: ZendeskServer) -> dict[str, Any]:
    (made,) = zendesk.tickets.values()
    return made


@pytest.mark.parametrize(("number", "is_low"), [(50, True), (51, False)])
def test_few_free_numbers(container: Container, zendesk: ZendeskServer, number: int, is_low: bool) -> None:
    with container.parts.database.transaction() as session:
        session.execute(text("UPDATE inbound_numbers SET active = false"))
        insert_inbound_numbers(session, [f"077009{index:05}" for index in range(number)])
    tasks.check_for_low_available_inbound_sms_numbers(container)
    assert bool(zendesk.tickets) == is_low
    if is_low:
        assert ticket(zendesk)["subject"] == "Request more inbound SMS numbers"
        assert ticket(zendesk)["comment"]["body"].startswith("50 inbound numbers are left")
        assert ticket(zendesk)["custom_fields"][0]["value"] == "notify_task_request_inbound_SMS"


def test_new_brandings(container: Container, zendesk: ZendeskServer) -> None:
    friday = datetime(2026, 6, 11, 23, 0, tzinfo=UTC)
    with container.parts.database.transaction() as session:
        user, admin = a_user(session), a_user(session, platform_admin=True)
        organisation = create_organisation(session, name="Ministry <of> Tea", organisation_type="central", crown=True)
        made = {
            "Tea & cake": (user, friday),
            "Alone": (user, friday + timedelta(days=2)),
            "Old": (user, friday - timedelta(seconds=1)),
            "Of an admin": (admin, friday),
        }
        ids = {}
        for name, (maker, at) in made.items():
            branding = EmailBranding(name=name, text=name, created_by=maker.id, created_at=at)
            session.add(branding)
            session.flush()
            ids[name] = branding.id
        session.add(OrganisationEmailBranding(organisation_id=organisation.id, email_branding_id=ids["Tea & cake"]))
        organisation_id = organisation.id
    tasks.zendesk_new_email_branding_report(container)
    assert ticket(zendesk)["subject"] == "Review new email brandings"
    assert {field["value"] for field in ticket(zendesk)["custom_fields"]} == {
        "notify_task_branding_review",
        "notify_ticket_type_non_technical",
    }
    html = ticket(zendesk)["comment"]["html_body"]
    admin_url = container.parts.settings.admin_base_url
    assert f'<a href="{admin_url}/organisations/{organisation_id}/settings">Ministry &lt;of&gt; Tea</a>' in html
    assert f'<a href="{admin_url}/email-branding/{ids["Tea & cake"]}">Tea &amp; cake</a>' in html
    assert html.index("Without an organisation") < html.index(str(ids["Alone"]))
    assert "Old" not in html
    assert "Of an admin" not in html


def test_no_new_brandings_make_no_ticket(container: Container, zendesk: ZendeskServer) -> None:
    tasks.zendesk_new_email_branding_report(container)
    assert not zendesk.tickets


@pytest.mark.parametrize(("day", "since"), [(15, 12), (16, 15), (19, 18)])
def test_the_weekday_before(day: int, since: int) -> None:
    now = datetime(2026, 6, day, 0, 30, tzinfo=UTC)
    assert previous_weekday(now) == datetime(2026, 6, since - 1, 23, 0, tzinfo=UTC)


def test_a_report_is_added_to_its_ticket(container: Container, zendesk: ZendeskServer) -> None:
    tasks.weekly_dwp_report(container)
    ((number, update),) = zendesk.updates
    assert number == 7
    assert (update["status"], update["due_at"]) == ("pending", "2026-06-22T03:40:00Z")
    assert sorted(zendesk.uploads.values()) == [("none.csv", b"x\r\n"), ("numbers.csv", b"one,two\r\n1,a:b\r\n")]
    assert update["comment"]["uploads"] == list(zendesk.uploads)
    assert update["comment"]["public"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        [],
        {"query": {}, "ticket_id": 1},
        {"query": {"a": "SELECT 1"}},
        {"query": {"a": 1}, "ticket_id": 1},
        {"query": {"a": "SELECT 1"}, "ticket_id": True},
        {"query": "SELECT 1", "ticket_id": 1},
    ],
)
def test_a_wrong_report_is_logged(parts: Parts, container: Container, zendesk: ZendeskServer, wrong: object) -> None:
    assert read_report(wrong) is None
    other = with_settings(container.parts, zendesk_reporting={"weekly-dwp-report": wrong})
    with capture_logs() as logs:
        tasks.weekly_dwp_report(Container(other))
    assert [log["log_level"] for log in logs] == ["warning"]
    assert not zendesk.updates


def test_a_report_cannot_write(container: Container, zendesk: ZendeskServer) -> None:
    query = {"a.csv": "DELETE FROM services RETURNING id"}
    other = with_settings(container.parts, zendesk_reporting={"weekly-dwp-report": {"query": query, "ticket_id": 1}})
    with pytest.raises(Exception, match="read-only"):
        tasks.weekly_dwp_report(Container(other))
    assert not zendesk.updates
