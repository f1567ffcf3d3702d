from __future__ import annotations

import json
import subprocess
import sys
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from notify.infra.telemetry import describe_exception, harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Connection refused", "Connection refused"),
        (
            "Error 111 connecting to 127.0.0.1:6379. Connection refused.",
            "Error 111 connecting to 127.0.0.1:6379. Connection refused.",
        ),
        ("cannot send to amala@example.com now", "cannot send to … now"),
        ("no such number: 07900 900123", "no such number: …"),
        ("no such number: +44 (0)7900-900-123!", "no such number: …!"),
        ("invalid literal for int() with base 10: 'Amala'", "invalid literal for int() with base 10: '…'"),
        ('invalid input syntax for type uuid: "Amala\'s"', "invalid input syntax for type uuid: '…'"),
        ("Key (normalised_to)=(447900900123) already exists", "Key (normalised_to)=(…) already exists"),
        ("duplicate key\nDETAIL:  Key (name)=(Amala) already exists.", "duplicate key"),
        ("postgresql://me:sesame@db/notify is down", "postgresql://…db/notify is down"),
        ("Authorization: Bearer abc.def.ghi was refused", "Authorization: Bearer … was refused"),
        (
            "message 01a213ea-14a9-75a5-b886-ad446071e606 is gone",
            "message 01a213ea-14a9-75a5-b886-ad446071e606 is gone",
        ),
        ("", ""),
    ],
)
def test_what_is_left_of_a_text_of_somebody_else(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.sampled_from(["{}", "to {}", "x={};", "({})", "to: {}."]))
def test_no_number_passes(number: str, around: str) -> None:
    assert number.lstrip("+") not in harmless(around.format(number))


@given(st.emails())
def test_no_email_address_passes(address: str) -> None:
    assert address not in harmless(f"cannot send to {address} now")


@given(st.uuids())
def test_ids_pass(id_: object) -> None:
    assert str(id_) in harmless(f"message {id_} is gone")


def test_an_exception_is_described_with_its_causes_and_without_their_values() -> None:
    class Form(BaseModel):
        number: int

    # the lines of code in a traceback would show literals
    name, address = "Amala Secret", "amala@example.com"

    def inner() -> None:
        Form.model_validate({"number": name})

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError(f"could not send to {address}") from error
    except RuntimeError as error:
        text = describe_exception((RuntimeError, error, error.__traceback__))
    assert name not in text
    assert address not in text
    assert "in inner" in text
    assert text.count("which followed") == 1
    assert "RuntimeError: could not send to …" in text
    assert "ValidationError: 1 validation error for Form" in text


def test_lines_of_libraries_and_exceptions_are_json_and_harmless() -> None:
    id_ = str(uuid4())
    program = f"""
import logging
import structlog
from notify.infra.telemetry import configure_logs
configure_logs(application="test", level="INFO", form="json")
structlog.contextvars.bind_contextvars(task_id="{id_}", requestId="abc")
logging.getLogger("library").warning("refused: %s", "amala@example.com")
logging.getLogger("library").info("body: Amala")
name = "Amala"
try:
    raise KeyError(name)
except KeyError:
    structlog.get_logger("notify.room").exception("could not")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["name"], first["message"], first["levelname"]) == ("library", "refused: …", "WARNING")
    assert second["message"] == "could not"
    assert second["exception"].splitlines()[-1] == "KeyError: '…'"
    for line in (first, second):
        assert (line["task_id"], line["requestId"], line["application"], line["logType"]) == (
            id_,
            "abc",
            "test",
            "application",
        )
        assert {"time", "pathname", "lineno", "span_id", "service_id", "current_user_id"} <= line.keys()
