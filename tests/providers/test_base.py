"""Errors of the provider, and errors of the message."""

from __future__ import annotations

import pytest

from notify.providers.base import ProviderError


@pytest.mark.parametrize(
    ("kind", "code", "is_outage"),
    [
        ("timeout", None, True),
        ("connection", None, True),
        ("disconnected", None, True),
        ("invalid_answer", 200, True),
        ("http_5xx", 502, True),
        ("http_4xx", 401, True),
        ("http_4xx", 429, True),
        ("too_many_requests", 429, True),
        ("http_4xx", 400, False),
        ("http_4xx", 422, False),
        ("refused", 7, False),
        ("refused", 421, True),
        ("refused", 451, False),
        ("authentication", 535, True),
    ],
)
def test_what_the_next_message_would_meet_too_is_an_outage(kind: str, code: int | None, is_outage: bool) -> None:
    assert ProviderError("mmg", kind, code=code).is_outage is is_outage


def test_an_error_that_no_retry_can_fix_is_no_outage() -> None:
    assert not ProviderError("smtp", "recipient_refused", code=550, retryable=False).is_outage
