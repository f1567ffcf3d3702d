"""The networks' proxies behind one interface: Lambda functions, or the sandbox (contract: broadcasts 6, 8.3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import structlog

from notify.broadcasts.models import SandboxBroadcast
from notify.broadcasts.settings import BroadcastSettings
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.json_values import dump_json
from notify.settings import Settings

logger = structlog.get_logger(__name__)

CONNECT_SECONDS = 3.0


class ProxyError(Exception):
    """A function failed, or did not confirm that it succeeded."""


class Proxy(ABC):
    """Calls functions by name."""

    @abstractmethod
    def invoke(self, function: str, payload: Mapping[str, Any]) -> None:
        """Call a function and wait for its result. Raises `ProxyError`, and nothing else."""


class LambdaProxy(Proxy):
    """Functions of AWS Lambda. Does not retry: the caller decides."""

    def __init__(self, settings: BroadcastSettings) -> None:
        import boto3
        from botocore.config import Config

        self._client = boto3.client(
            "lambda",
            region_name=settings.cbc_proxy_aws_region,
            endpoint_url=settings.lambda_address,
            aws_access_key_id=settings.cbc_proxy_aws_access_key_id,
            aws_secret_access_key=settings.cbc_proxy_aws_secret_access_key,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=settings.cbc_proxy_timeout_seconds,
                retries={"total_max_attempts": 1},
            ),
        )

    def invoke(self, function: str, payload: Mapping[str, Any]) -> None:
        """Invoke a function and wait for its result. Raises `ProxyError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            result = self._client.invoke(
                FunctionName=function, InvocationType="RequestResponse", Payload=dump_json(dict(payload))
            )
            result["Payload"].read()
        except (ClientError, BotoCoreError, OSError) as error:
            raise ProxyError(f"Could not invoke lambda: {type(error).__name__}") from None
        if result["StatusCode"] > 299:
            raise ProxyError("Could not invoke lambda")
        if "FunctionError" in result:
            raise ProxyError("Function exited with unhandled exception")


class SandboxProxy(Proxy):
    """Replaces the networks in development and test: stores each call, with the XML for the network."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invoke(self, function: str, payload: Mapping[str, Any]) -> None:
        """Write a row of `sandbox_broadcasts`."""
        from notify.broadcasts.network_xml import document_of  # only the sandbox and the public API load lxml

        with self._database.transaction() as session:
            session.add(SandboxBroadcast(function=function, payload=dict(payload), document=document_of(payload)))


class Networks:
    """Sends messages to networks. `proxy` is None if alerts are switched off."""

    def __init__(self, settings: BroadcastSettings, proxy: Proxy | None) -> None:
        self._settings = settings
        self._proxy = proxy

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(parts.settings.part(BroadcastSettings), _proxy(parts.settings, parts.database))

    @property
    def are_reachable(self) -> bool:
        """Whether alerts can be sent: to the networks, or to the sandbox."""
        return self._proxy is not None

    @property
    def enabled(self) -> tuple[str, ...]:
        """The networks that alerts are sent to."""
        return tuple(self._settings.enabled_cbcs) if self.are_reachable else ()

    def send(self, provider: str, payload: Mapping[str, Any]) -> None:
        """Send a message to a network through its first function, or the next one if that fails. Raises `ProxyError` if
        all fail.
        """
        failure = ProxyError(f"no function of {provider}")
        for function in self._settings.functions_of(provider):
            try:
                self._invoke(function, payload)
            except ProxyError as error:
                logger.warning("broadcast proxy failed", function=function, error=str(error))
                failure = error
            else:
                return
        raise failure

    def test(self, provider: str, payloads: list[dict[str, Any]]) -> None:
        """Send each function of a network its link test. Raises `ProxyError` if one fails, after trying all."""
        failures = []
        for function, payload in zip(self._settings.functions_of(provider), payloads, strict=False):
            try:
                self._invoke(function, payload)
            except ProxyError as error:
                failures.append(f"{function}: {error}")
        if failures:
            raise ProxyError("; ".join(failures))

    def functions_of(self, provider: str) -> tuple[str, ...]:
        """The functions of a network, in the order in which they are tried."""
        return self._settings.functions_of(provider)

    def canary(self, payload: Mapping[str, Any]) -> None:
        """Call the function that does nothing, if there is one. Raises `ProxyError`."""
        if self._settings.cbc_canary_function:
            self._invoke(self._settings.cbc_canary_function, payload)

    def _invoke(self, function: str, payload: Mapping[str, Any]) -> None:
        if self._proxy is None:
            raise ProxyError("no proxy is configured")
        self._proxy.invoke(function, payload)


def _proxy(settings: Settings, database: Database) -> Proxy | None:
    part = settings.part(BroadcastSettings)
    if part.cbc_proxy_enabled:
        return LambdaProxy(part)
    return SandboxProxy(database) if settings.is_safe_environment else None
