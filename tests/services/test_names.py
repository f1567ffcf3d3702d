"""Normalised names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.services.names import email_local_part, key_prefix


@pytest.mark.parametrize(
    ("name", "local_part"),
    [
        ("Café — Ünïted", "cafe.united"),
        ("A.B..C", "a.b.c"),
        ("a_b-c", "abc"),
        ("10% off!", "10.off"),
        ("It’s a/b", "its.ab"),
        ("日本", "日本"),
        ("...", ""),
        ("", ""),
        ("Foo & Bar (Ltd)", "foo.bar.ltd"),
        ("Ünïcode Service-name", "unicode.servicename"),
        ("ß Straße", "ß.straße"),
        ("GOV.UK Notify", "gov.uk.notify"),
        ("_archived_2018-07-07-12:00:00_Sample service", "archived20180707120000sample.service"),
    ],
)
def test_email_local_part(name: str, local_part: str) -> None:
    assert email_local_part(name) == local_part


@pytest.mark.parametrize(("name", "prefix"), [("Café key", "cafe_key"), ("My  key-1", "my_key1"), ("live", "live")])
def test_key_prefix(name: str, prefix: str) -> None:
    assert key_prefix(name) == prefix


@given(st.text())
def test_a_local_part_is_its_own_local_part(name: str) -> None:
    part = email_local_part(name)
    assert ".." not in part
    assert part == part.strip(".")
    assert email_local_part(part) == part
