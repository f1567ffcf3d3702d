"""Sending to one recipient from the admin app."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from notify.services.guest_list import set_guest_list
from notify.services.limits import MessageLimits
from notify.services.models import Service
from notify.services.permissions import set_permissions
from notify.templates.models import Template
from tests.api import queued
from tests.internal.admin import AdminClient, Factory

TRIAL = (
    "Can’t send to this recipient when service is in trial mode – see "
    "https://www.notifications.service.gov.uk/trial-mode"
)


@pytest.fixture
def live(factory: Factory) -> Service:
    return factory.service(restricted=False)


def send(
    admin: AdminClient, template: Template, to: Any = "07900900123", *, status: int = 201, **body: Any
) -> dict[str, Any]:
    values = {
        "template_id": str(template.id),
        "to": to,
        "personalisation": {"name": "Ivy"},
        "created_by": str(template.created_by_id),
    }
    answer = admin.post(f"/service/{template.service_id}/send-notification", values | body, status=status)
    return dict(answer)


def refused(admin: AdminClient, template: Template, to: Any = "07900900123", *, status: int = 400, **body: Any) -> Any:
    return send(admin, template, to, status=status, **body)["message"]


def read(admin: AdminClient, service: Service, id_: str) -> dict[str, Any]:
    return dict(admin.get(f"/service/{service.id}/notifications/{id_}"))


def test_a_text_is_stored_as_sent_and_delivered(admin: AdminClient, factory: Factory, live: Service) -> None:
    queued(admin.parts)
    id_ = send(admin, factory.template(live), " 07900 900-123 ")["id"]
    message = read(admin, live, id_)
    assert (message["to"], message["normalised_to"]) == ("07900 900-123", "447900900123")
    assert (message["key_type"], message["api_key"], message["reply_to_text"]) == ("normal", None, "testing")
    assert message["created_by"]["id"] == str(live.created_by_id)
    assert message["personalisation"] == {"name": "Ivy"}
    # the hint is published in the background
    for _ in range(100):
        tasks = queued(admin.parts)
        if tasks:
            break
        time.sleep(0.05)
    assert ("deliver_sms", [[id_]]) in tasks


def test_an_email_is_sent_to_the_address_in_lower_case(admin: AdminClient, factory: Factory, live: Service) -> None:
    id_ = send(admin, factory.template(live, "email"), "Ivy@Example.COM ")["id"]
    message = read(admin, live, id_)
    assert (message["to"], message["normalised_to"]) == ("ivy@example.com", "ivy@example.com")


def test_a_letter_keeps_what_it_was_sent_with(admin: AdminClient, factory: Factory, live: Service) -> None:
    values = {
        "name": "Ivy",
        "address_line_1": "Ivy",
        "address_line_2": "1 Oak St",
        "postcode": "ne11aa",
        "Reference": 7,
    }
    id_ = send(admin, factory.template(live, "letter", postage="first"), "Ivy  G", personalisation=values)["id"]
    message = read(admin, live, id_)
    assert (message["to"], message["normalised_to"], message["client_reference"]) == ("Ivy  G", "ivyg", "7")
    assert (message["personalisation"], message["postage"], message["international"]) == (values, "first", False)


def test_a_service_in_trial_mode_sends_to_its_team_only(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(mobile_number="07900900456")
    service = factory.service(user_id=user.id)
    with admin.parts.database.transaction() as session:
        set_guest_list(session, service.id, phone_numbers=["07900900123"], email_addresses=[])
    sms, email = factory.template(service), factory.template(service, "email")
    assert refused(admin, sms) == TRIAL
    assert refused(admin, sms, "no number") == TRIAL
    assert refused(admin, factory.template(service, "letter"), "Ivy") == TRIAL
    send(admin, sms, "+44 7900 900456")
    send(admin, email, user.email_address.upper())


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (None, "Recipient can't be empty"),
        ("", "Mobile number is too short"),
        ("0790O900123", "Mobile numbers can only include: 0 1 2 3 4 5 6 7 8 9 ( ) + -"),
        ("020 7946 0018", "This does not look like a UK mobile number – double check the mobile number you entered"),
    ],
)
def test_numbers_that_are_none(admin: AdminClient, factory: Factory, live: Service, to: Any, text: str) -> None:
    assert refused(admin, factory.template(live), to) == text


def test_addresses_that_are_none(admin: AdminClient, factory: Factory, live: Service) -> None:
    assert refused(admin, factory.template(live, "email"), "ivy@") == "Not a valid email address"
    letter = factory.template(live, "letter")
    assert refused(admin, letter, "Ivy") == "Address must be at least 3 lines"


def test_permissions_count_for_numbers_abroad_only(admin: AdminClient, factory: Factory) -> None:
    service = factory.service(restricted=False)
    template = factory.template(service)
    with admin.parts.database.transaction() as session:
        set_permissions(session, service.id, [])
    assert refused(admin, template, "+48 601 123 456") == "Cannot send to international mobile numbers"
    send(admin, template)  # the service may not send texts by the API


def test_the_limit_of_the_day_comes_first(admin: AdminClient, factory: Factory) -> None:
    service = factory.service(restricted=False, limits=MessageLimits(sms=2, letter=0, international_sms=1))
    template = factory.template(service)
    assert "letter: 0" in refused(admin, factory.template(service, "letter"), None, status=429)
    send(admin, template, "+48 601 123 456")
    assert "international_sms: 1" in refused(admin, template, "+48 601 123 456", personalisation={}, status=429)
    send(admin, template)
    assert refused(admin, template, "nobody", status=429) == "Exceeded send limits (sms: 2) for today"


def test_templates_and_values(admin: AdminClient, factory: Factory, live: Service) -> None:
    free = factory.template(live, content="((text))")
    assert refused(admin, free) == "Missing personalisation: text"
    assert refused(admin, free, personalisation=None) == "Missing personalisation: text"
    assert refused(admin, free, personalisation={"text": " "}) == "Your message is empty."
    assert refused(admin, free, personalisation={"text": {"file": "aGk="}}) == "Can only send a file by email"
    assert refused(admin, free, personalisation={"text": "x" * 919}).startswith("Your message is too long.")
    for wrong in (str(uuid4()), "none", str(factory.template(factory.service()).id)):
        assert refused(admin, free, template_id=wrong, status=404) == "No result found"


def test_who_sends_belongs_to_the_service(admin: AdminClient, factory: Factory, live: Service) -> None:
    template, stranger = factory.template(live), factory.user(name="Sam")
    text = f'Can’t create notification - Sam is not part of the "{live.name}" service'
    assert refused(admin, template, created_by=str(stranger.id)) == text
    assert refused(admin, template, created_by=str(uuid4()), status=404) == "No result found"


def test_a_sender_is_one_of_the_service(admin: AdminClient, factory: Factory, live: Service) -> None:
    path = f"/service/{live.id}/sms-sender"
    sender = admin.post(path, {"sms_sender": "07900900999", "is_default": False}, status=201)
    sms, email, other = str(sender["id"]), factory.template(live, "email"), str(uuid4())
    id_ = send(admin, factory.template(live), sender_id=sms)["id"]
    assert read(admin, live, id_)["reply_to_text"] == "447900900999"
    assert refused(admin, factory.template(live), sender_id=other) == "SMS sender not found"
    assert refused(admin, email, "a@example.com", sender_id=sms) == "Reply to email address not found"


def test_a_missing_key_is_reported(admin: AdminClient, factory: Factory, live: Service) -> None:
    answer = admin.post(f"/service/{live.id}/send-notification", {}, status=400)
    assert [entry["message"] for entry in answer["errors"]] == [
        "template_id is a required property",
        "to is a required property",
        "created_by is a required property",
    ]
