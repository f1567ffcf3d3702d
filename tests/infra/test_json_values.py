"""The JSON parser of all APIs."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from notify.infra.json_values import InvalidJSONError, dump_json, parse_json


@pytest.mark.parametrize(
    "number",
    [0, -1, 2**63, 2**64 - 1, 2**64, 20_000_000_000_000_000_000, -(2**63), -(2**63) - 1, 10**49 + 7, 10**399 + 1],
)
def test_integers_keep_their_digits(number: int) -> None:
    value = parse_json(f'{{"ref": [{number}], "other": "x"}}'.encode())
    assert value == {"ref": [number], "other": "x"}
    assert type(value["ref"][0]) is int
    assert str(value["ref"][0]) == str(number)
    assert json.loads(dump_json(value)) == value


def test_floats_stay_floats() -> None:
    assert parse_json(b"[1.5, 1e300, -0.0, 98765432109876543210]") == [1.5, 1e300, 0.0, 98765432109876543210]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("text", ['{"name": "Zoë 山田 😀", "number": 20000000000000000000}', '{"name": ""}', "[]"])
def test_encodings_of_json_are_read(encoding: str, text: str) -> None:
    assert parse_json(text.encode(encoding)) == json.loads(text)


def test_a_text_may_begin_with_a_byte_order_mark() -> None:
    assert parse_json("\ufeff[1]") == [1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"hello",
        b"\xff\xfe",
        b'"\xe9"',
        codecs.BOM_UTF16_LE + b'"\x00\x00\xd8"\x00',
        b'"\\ud800"',
        b"NaN",
        b"[Infinity]",
        b"1e400",
        b'["\\ud800", %s]' % (b"9" * 350),
        b"[NaN, %s]" % (b"9" * 350),
        b"[1e400, %s]" % (b"9" * 350),
        b"9" * 5000,
        b"[" * 100_000,
        b"[" * 2000 + b"9" * 350 + b"]" * 2000,
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidJSONError) as caught:
        parse_json(raw)
    assert "9999" not in str(caught.value)


@pytest.mark.parametrize("number", ["1", str(2**64)])
def test_nesting_has_a_limit(number: str) -> None:
    deep = "[" * 100 + '{"a":' * 100 + number + "}" * 100 + "]" * 100
    assert json.loads(dump_json(parse_json(deep))) == json.loads(deep)
    for text in (f"[{deep}]", f"[[], {deep}]"):
        for raw in (text, text.encode(), text.encode("utf-16")):
            with pytest.raises(InvalidJSONError):
                parse_json(raw)
    assert parse_json(b"[%s]" % b",".join([b"{}"] * 1000)) == [{}] * 1000


def test_ids_and_times_beside_large_integers_become_text() -> None:
    id_ = UUID("01900000-0000-7000-8000-000000000001")
    assert json.loads(dump_json({"id": id_, "at": datetime(2026, 1, 2, tzinfo=UTC), "n": 2**70})) == {
        "id": str(id_),
        "at": "2026-01-02T00:00:00+00:00",
        "n": 2**70,
    }
