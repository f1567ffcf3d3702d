"""Personalisation: how it is sent, stored and refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from notify.messages.models import PERSONALISATION
from notify.public.v2.sending import MOST_SMS_BYTES
from tests.api import Api, errors

VALIDATION, BAD = "ValidationError", "BadRequestError"
HUGE = 123456789012345678901
ADDRESS = {"address_line_1": "A", "address_line_2": "B", "postcode": "SW1A 1AA"}


@pytest.fixture
def one_placeholder(api: Api) -> Iterator[Api]:
    """Templates whose content is one placeholder."""
    before = api.execute("SELECT id, content, subject FROM templates")
    for id_, _, _ in before:
        set_content(api, id_, "((it))")
    yield api
    for id_, content, subject in before:
        set_content(api, id_, content, subject)


def set_content(api: Api, template_id: object, content: str, subject: str | None = "s") -> None:
    values = (content, subject, template_id)
    api.execute("UPDATE templates SET content = %s, subject = %s WHERE id = %s", *values)
    api.execute("UPDATE templates_history SET content = %s, subject = %s WHERE id = %s", *values)
    api.forget()


def values(kind: str, **given: Any) -> dict[str, Any]:
    return {**given, **ADDRESS} if kind == "letter" else given


def kept(api: Api, id_: UUID) -> Any:
    """The values that are stored with a message."""
    ((stored,),) = api.execute("SELECT _personalisation FROM notifications WHERE id = %s", id_)
    return api.parts.encryptor.decrypt_json(stored, PERSONALISATION, id_)


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t", "\u00a0", " \n\u00a0 ", []])
@pytest.mark.parametrize("kind", ["sms", "email", "letter"])
def test_a_message_that_is_blank_once_it_is_filled_in_is_refused(
    one_placeholder: Api, kind: str, blank: object
) -> None:
    answer = one_placeholder.post(kind, personalisation=values(kind, it=blank))
    assert (answer.status_code, errors(answer)) == (400, [(BAD, "Your message is empty.")])


@pytest.mark.parametrize("kind", ["sms", "email", "letter"])
@pytest.mark.parametrize("number", [HUGE, -HUGE, 2**63, 2**64, -(2**63) - 1, 10**50, 12, -1])
def test_whole_numbers_keep_their_digits(one_placeholder: Api, kind: str, number: int) -> None:
    answer = one_placeholder.post(kind, personalisation=values(kind, it=number))
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["content"]["body"] == str(number)
    assert one_placeholder.get(answer.get_json()["id"])["body"] == str(number)
    path = f"/v2/template/{one_placeholder.template(kind)}/preview"
    assert one_placeholder.call("POST", path, {"personalisation": {"it": number}}).get_json()["body"] == str(number)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([HUGE, "a", None, [HUGE]], f"{HUGE}, a and [{HUGE}]"),
        ({"a": HUGE, "b": None}, f"{{'a': {HUGE}, 'b': None}}"),
        (1.5, "1.5"),
        (False, "False"),
    ],
)
def test_what_is_read_later_is_what_was_sent(one_placeholder: Api, value: object, shown: str) -> None:
    answer = one_placeholder.post("sms", personalisation={"it": value})
    assert answer.get_json()["content"]["body"] == shown
    assert one_placeholder.get(answer.get_json()["id"])["body"] == shown


def test_a_number_in_the_wrong_place_is_shown_with_its_digits(api: Api) -> None:
    answer = api.post("sms", reference=HUGE)
    assert errors(answer) == [(VALIDATION, f"reference {HUGE} is not of type string")]


@pytest.mark.parametrize("value", ["Ama\0la", ["Ama\0la"]])
def test_the_null_character_is_taken_out_of_values(api: Api, value: object) -> None:
    for kind in ("sms", "email", "letter"):
        given = values(kind, name=value, date="Mon\0day", parking="no")
        answer = api.post(kind, personalisation=given)
        assert answer.status_code == 201, answer.text
        assert "Amala" in answer.get_json()["content"]["body"]
        assert "\0" not in answer.text
        assert "\\u0000" not in answer.text


def test_the_null_character_is_taken_out_of_every_field(api: Api) -> None:
    answer = api.post("sms", reference="my\0ref", phone_number="07900\x00900123")
    assert (answer.status_code, answer.get_json()["reference"]) == (201, "myref")


@pytest.mark.parametrize("kind", ["sms", "email", "letter"])
def test_values_that_no_placeholder_uses_are_not_kept(api: Api, kind: str) -> None:
    used = values(kind, NAME="Amala", date="Monday", **({"parking": "no"} if kind == "email" else {}))
    unused = {f"unused {number}": "x" * 1000 for number in range(100)}
    id_ = api.sent(kind, personalisation={**unused, **used})
    assert kept(api, id_) == used


def test_of_two_spellings_the_later_is_kept(api: Api) -> None:
    id_ = api.sent(personalisation={"N_A-M e": "first", "date": "d", "name": "second"})
    assert kept(api, id_) == {"name": "second", "date": "d"}
    assert api.get(str(id_))["body"].startswith("Hello second,")


def test_a_text_message_of_megabytes_is_too_large(api: Api) -> None:
    answer = api.post("sms", personalisation={"name": "a", "date": "b", "junk": "x" * MOST_SMS_BYTES})
    assert answer.status_code == 413
    assert errors(answer)[0][0] == "RequestEntityTooLarge"
    # an email may carry files
    junk = {"name": "a", "date": "b", "parking": "no", "junk": "x" * MOST_SMS_BYTES}
    assert api.post("email", personalisation=junk).status_code == 201


def test_values_that_are_used_have_bounds_too(one_placeholder: Api) -> None:
    set_content(one_placeholder, one_placeholder.template("sms"), "Hello((it??, you))")
    answer = one_placeholder.post("sms", personalisation={"it": "x" * 70_000})
    text = "Your personalisation is too large. It cannot be larger than 65536 bytes. It is 70009 bytes."
    assert errors(answer) == [(BAD, text)]
    assert one_placeholder.post("sms", personalisation={"it": "x" * 60_000}).status_code == 201


@pytest.mark.parametrize("depth", [150, 260, 300, 900])
def test_values_that_are_nested_deeply_are_no_fault_of_ours(api: Api, depth: int) -> None:
    nested = b"[" * depth + b"1" + b"]" * depth
    body = b'{"phone_number": "07900900123", "template_id": "%s", "personalisation": {"date": "d", "name": %s}}'
    answer = api.app.test_client().post(
        "/v2/notifications/sms",
        data=body % (api.template("sms").encode(), nested),
        headers={"Authorization": f"Bearer {api.token()}"},
    )
    # 150 levels are more than 918 characters only from some 450 on
    assert answer.status_code == (201 if depth == 150 else 400), answer.text
