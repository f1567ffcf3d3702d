"""Received texts in the requests of MMG and Firetext."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.infra.times import utc_now
from notify.providers.firetext.receive import FiretextReceiver
from notify.providers.incoming import IncomingError, parse_incoming_time, unescape
from notify.providers.mmg.receive import MMGReceiver
from notify.settings import read

SETTINGS = read(
    mmg_inbound_sms_username=["user", "other"],
    mmg_inbound_sms_auth=["pass", "word"],
    firetext_inbound_sms_auth=["fire"],
)
MMG_TEXT: dict[str, Any] = {
    "MSISDN": "447700900855",
    "Number": "40604",
    "Message": "Some+message+to+you%2C+%C3%A9%5Cn%5C%27",
    "ID": "SOME-MMG-SPECIFIC-ID",
    "DateRecieved": "2017-01-30+03%3A04%3A05",
}


def mmg() -> MMGReceiver:
    return MMGReceiver(SETTINGS)


def firetext() -> FiretextReceiver:
    return FiretextReceiver(SETTINGS)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("a+b", "a b"),
        ("a%2Bb", "a+b"),
        ("%F0%9F%98%80", "😀"),
        ("\\x79", "y"),
        ("caf\\xe9", "café"),
        ("\\u0141\\U0001F600\\ud83d\\ude00", "Ł😀😀"),
        ("it\\'s\\n\\t\\\\", "it's\n\t\\"),
        ("\\\\n", "\\n"),
        ("Привет\\n", "Привет\n"),
        ("C:\\dir \\q \\", "C:\\dir \\q \\"),
        ("100% sure", "100% sure"),
        ("\\x00", "\ufffd"),
        ("%ff", "\ufffd"),
        ("\\ud83d", "\ufffd"),
        ("", ""),
    ],
)
def test_what_mmg_makes_of_a_text(given: str, meant: str) -> None:
    assert unescape(given) == meant


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_every_text_comes_through(text: str) -> None:
    assert unescape(quote_plus(text.replace("\\", "\\\\"))) == text


@given(st.text())
def test_nothing_is_too_strange(text: str) -> None:
    unescape(text).encode()
    assert parse_incoming_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["2017-01-02 03:04:05", "2017-01-02+03%3A04%3A05", "2017-01-02T03:04:05+05:00"])
def test_an_offset_is_dropped(text: str) -> None:
    assert parse_incoming_time(text) == datetime(2017, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_now() -> None:
    assert abs((utc_now() - parse_incoming_time("yesterday")).total_seconds()) < 60


def test_a_text_of_mmg() -> None:
    text = mmg().read_incoming(orjson.dumps(MMG_TEXT), {})
    assert (text.to, text.sender, text.reference) == ("40604", "447700900855", "SOME-MMG-SPECIFIC-ID")
    assert text.content == "Some message to you, é\n'"
    assert text.sent_at == datetime(2017, 1, 30, 3, 4, 5, tzinfo=UTC)
    without = {name: value for name, value in MMG_TEXT.items() if name not in ("ID", "DateRecieved")}
    text = mmg().read_incoming(orjson.dumps(without), {})
    assert (text.reference, text.sent_at) == (None, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_text_in_another_encoding_of_json(encoding: str) -> None:
    text = mmg().read_incoming(orjson.dumps(MMG_TEXT).decode().encode(encoding), {})
    assert text.content == "Some message to you, é\n'"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"null", *(orjson.dumps({**MMG_TEXT, name: None}) for name in ("MSISDN", "Number", "Message"))],
)
def test_what_mmg_would_not_send(body: bytes) -> None:
    with pytest.raises(IncomingError):
        mmg().read_incoming(body, {})


def test_a_text_of_firetext() -> None:
    form = {"source": "07700900855", "destination": "07700900001", "message": "a+b %20", "time": "2017-01-01 16:00:00"}
    text = firetext().read_incoming(b"", form)
    assert (text.content, text.reference) == ("a+b %20", None)
    assert text.sent_at == datetime(2017, 1, 1, 16, tzinfo=UTC)
    for name in form:
        with pytest.raises(IncomingError):
            firetext().read_incoming(b"", {key: value for key, value in form.items() if key != name})


def test_who_may_hand_in_texts() -> None:
    assert mmg().may_hand_in("other", "pass")
    assert firetext().may_hand_in("notify", "fire")
    for user, password in [("user", "fire"), ("", ""), ("user", ""), ("notify", "pass"), ("üser", "pass")]:
        assert not mmg().may_hand_in(user, password)
    assert not firetext().may_hand_in("user", "fire")
    assert not MMGReceiver(read()).may_hand_in("", "")
