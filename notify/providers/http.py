"""HTTP calls to providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.outbound import Answer, Outbound, OutboundError
from notify.providers.base import ProviderError

TIMEOUT_SECONDS: Final = 10.0
"""Timeout of a request to a provider, in seconds (workers 6.3)."""


async def post(
    outbound: Outbound,
    provider: str,
    url: str,
    *,
    data: bytes | Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A 2xx answer of the provider. Raises `ProviderError`, always retryable, because a text is retried after any
    failure (contract: workers 6.2).
    """
    try:
        answer = await outbound.request("POST", url, data=data, headers=headers, timeout=TIMEOUT_SECONDS)
    except OutboundError as error:
        raise ProviderError(provider, error.kind) from None
    if not 200 <= answer.status < 300:
        raise ProviderError(provider, f"http_{answer.status // 100}xx", code=answer.status)
    return answer


def parse_answer(answer: Answer, provider: str) -> Any:
    """The JSON of an answer. Raises `ProviderError`."""
    try:
        return parse_json(answer.body)
    except InvalidJSONError:
        raise ProviderError(provider, "invalid_answer", code=answer.status) from None


def with_credentials(url: str, credentials: tuple[str, str] | None) -> str:
    """The address with `user:password@` put into it (workers 6.3)."""
    if not url or credentials is None:
        return url
    parts = urlsplit(url)
    user, password = (quote(part, safe="") for part in credentials)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))
