"""Requests to Amazon Web Services, signed (Signature Version 4) with credentials of AWS's standard chain: environment
variables, shared files, web identity, container or instance role.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog

logger = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 30.0
"""How long credentials are reused before asking the chain again. The chain renews those of a role at least ten minutes
before they expire, so reused ones are still valid.
"""
AFTER_FAILURE_SECONDS: Final = 5.0


class CredentialsError(Exception):
    """There are no credentials, or they could not be renewed."""


class RequestSigner:
    """Signs requests to one service in one region; for use inside one event loop.

    Finding credentials can mean calls to a metadata service. That happens in a thread, once for all calls that wait,
    and only when the present ones are older than `KEPT_SECONDS`.
    """

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region
        self._chain: Any = None
        self._credentials: Any = None
        self._ask_at = 0.0
        self._asking = asyncio.Lock()

    async def sign(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to send, the signature among them. Raises `CredentialsError`."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        credentials = await self._fresh_credentials()
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        SigV4Auth(credentials, self._service, self._region).add_auth(request)
        return dict(request.headers.items())

    async def _fresh_credentials(self) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._ask_at:
            async with self._asking:
                if loop.time() >= self._ask_at:
                    self._credentials = await loop.run_in_executor(None, self._ask_chain)
                    self._ask_at = loop.time() + (AFTER_FAILURE_SECONDS if self._credentials is None else KEPT_SECONDS)
        if self._credentials is None:
            raise CredentialsError("no AWS credentials")
        return self._credentials

    def _ask_chain(self) -> Any:
        from botocore.session import Session

        try:
            if self._chain is None:
                self._chain = Session().get_credentials()
            return self._chain and self._chain.get_frozen_credentials()
        except Exception as error:  # each link of the chain has its own errors
            logger.warning("AWS credentials failed", error=type(error).__name__)
            return None
