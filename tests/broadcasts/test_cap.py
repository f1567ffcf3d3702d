"""Reading CAP."""

from __future__ import annotations

import pytest

from notify.broadcasts.cap import MOST_POINTS, read_cap
from notify.broadcasts.errors import BroadcastProblemError, InvalidCapError
from tests.broadcasts.cap_files import area, cap


def test_a_message_is_read() -> None:
    assert read_cap(cap(area("Ash Weir", "1,2 3,4 5,6 1,2", "7,8"), area("Elm"))) == {
        "msgType": "Alert",
        "reference": "4f6d28b10ab7aa447bbd46d85f1e9effE",
        "references": None,
        "cap_event": "053/055 Issue Severe Flood Warning EA",
        "category": "Met",
        "expires": "2020-02-26T23:14:13-00:00",
        "content": "Water is rising. Go upstairs.",
        "areas": [
            {"name": "Ash Weir", "polygons": [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [1.0, 2.0]], [[7.0, 8.0]]]},
            {"name": "Elm", "polygons": [[[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]]]},
        ],
    }


def test_comments_and_a_byte_order_mark_do_no_harm() -> None:
    assert read_cap(b"\xef\xbb\xbf" + cap(before="<!-- hello -->", description="Dŵr"))["content"] == "Dŵr"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<",
        b"\xff\xfe",
        b"{}",
        b"<alert/>",
        cap()[:-3],
        cap(kind="Hello"),
        cap(category="Weather"),
        cap().replace(b"cap:1.2", b"cap:1.1"),
        cap().replace(b"<scope>Public</scope>", b""),
        cap().replace(b"T23:01:13-00:00</sent>", b"T23:01:13Z</sent>"),
        cap(before="<!DOCTYPE alert>"),
        cap(before='<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/cap.dtd">'),
        cap(before='<!DOCTYPE alert [<!ENTITY x "y">]>', identifier="&x;"),
        cap(before='<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/hostname">]>', identifier="&x;"),
        cap(identifier="&x;"),
        cap().replace(b"<identifier>", b"<identifier>" + b"<x>" * 10_000),
        cap(before='<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa">'
            + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
            + "]>", identifier="&i;"),
    ],
)  # fmt: skip
def test_what_is_no_cap_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidCapError):
        read_cap(raw)


def test_no_file_and_no_address_is_read(tmp_path: object) -> None:
    raw = cap(before='<!DOCTYPE alert [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', description="safe")
    with pytest.raises(InvalidCapError):
        read_cap(raw)


def test_numbers_that_are_none_stay_texts() -> None:
    (only,) = read_cap(cap(area("Ash", "1,x  y 3,4,5")))["areas"]
    assert only["polygons"] == [[[1.0, "x"], ["y"], [3.0, 4.0, 5.0]]]


def test_points_are_bounded() -> None:
    with pytest.raises(BroadcastProblemError, match="20,000 points or fewer"):
        read_cap(cap(area("Ash", "1,2 " * (MOST_POINTS + 1))))
    for malformed in ("1 ", "1,", "x\n"):
        with pytest.raises(BroadcastProblemError, match="points or fewer"):
            read_cap(cap(area("Ash", malformed * (MOST_POINTS + 1))))
