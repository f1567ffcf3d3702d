"""Messages, and sending them from a test's thread."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from notify.infra.outbound import Outbound
from notify.providers.base import Accepted, OutgoingEmail, OutgoingText, Provider, ProviderError

ID = UUID("0197a3c0-1111-7000-8000-000000000001")

TEXT = OutgoingText(
    notification_id=ID, to="447700900123", sender="Council", body="Dŵr & café: 5 > 4", international=False
)

EMAIL = OutgoingEmail(
    notification_id=ID,
    to="person@example.com",
    from_name="Council",
    from_address="council@notify.tools",
    reply_to="help@council.example",
    subject="Your bin day",
    plain_text="Dear person,\n\nTuesday.\n",
    html="<p>Dear person,</p>\n<p>Tuesday.</p>",
    headers={},
)


def send(provider: Provider[Any], message: Any) -> Accepted:
    return provider.outbound.run(provider.send(message)).result(timeout=20)


def send_many(provider: Provider[Any], message: Any, times: int) -> list[Accepted]:
    async def many() -> list[Accepted]:
        return await asyncio.gather(*(provider.send(message) for _ in range(times)))

    return provider.outbound.run(many()).result(timeout=30)


def failure(provider: Provider[Any], message: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        send(provider, message)
    assert "7700900" not in str(caught.value)
    assert "@" not in str(caught.value)
    return caught.value


def close(provider: Provider[Any], outbound: Outbound) -> None:
    outbound.run(provider.close()).result(timeout=10)


__all__ = ["EMAIL", "ID", "TEXT", "close", "failure", "replace", "send", "send_many"]
