"""Settings of the web processes."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal

from pydantic import Field, IPvAnyNetwork, field_validator
from pydantic_settings import NoDecode

from notify.setting_types import HostName, SettingsPart, words


class WebSettings(SettingsPart):
    """Where the API listens, and how much it takes at a time."""

    # -- the web process
    port: int = Field(6011, ge=1, le=65535, description="Port of the API.")
    web_host: HostName = Field("127.0.0.1", description="Address the API listens on.")
    web_processes: int = Field(2, ge=1, le=64, description="Web processes of `notify web`.")
    web_threads: int = Field(
        32,
        ge=1,
        le=512,
        description="Requests a web process works on at the same time; at most a quarter of them without a key.",
    )
    web_connections: int = Field(
        2048,
        ge=1,
        le=65535,
        description="Connections a web process holds at the same time, those included that clients keep open and do not use; more wait until one is closed.",
    )
    web_connections_per_address: int = Field(
        512,
        ge=1,
        le=65535,
        description="Connections that one address may hold, about, over all web processes of a host; the newest are closed. Addresses in `TRUSTED_PROXIES` may hold any number.",
    )
    web_idle_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="A connection whose next request does not begin, or whose header does not end, within this time is closed. A proxy in front must close its idle ones earlier.",
    )
    web_request_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="Longest time for a request's body to arrive and its answer to begin, after which, and `WEB_IDLE_SECONDS`, its connection is closed.",
    )
    web_keyless_body_bytes: int = Field(
        64 * 1024, ge=1024, description="Largest body of a request without a valid key, such as a provider's receipt."
    )
    web_statement_timeout_ms: int = Field(
        10_000, ge=0, description="Longest a statement of a web process may run, in milliseconds. 0: no limit."
    )
    web_lock_timeout_ms: int = Field(
        3_000,
        ge=0,
        description="Longest a statement of a web process may wait for a lock, in milliseconds. 0: no limit.",
    )
    apis: Annotated[tuple[Literal["public", "internal"], ...], NoDecode] = Field(
        ("public", "internal"),
        description="Which APIs the web processes serve: `public`, `internal` (what the admin app talks to), or `public,internal`.",
    )
    internal_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the internal API, which then is not served on `PORT`. 0: both are served on `PORT`.",
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")],
        description="JSON list of addresses and networks of load balancers and proxies in front of the API. In development and test, links in answers begin with what their `X-Forwarded-Proto` and `X-Forwarded-Host` say; elsewhere with `API_HOST_NAME`.",
    )
    api_page_size: int = Field(250, ge=1, le=2500, description="Notifications on a page of the public API.")
    max_request_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="Largest accepted request body.")

    @field_validator("apis", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return words(value)

    @property
    def apis_on_port(self) -> tuple[str, ...]:
        """The APIs that are served on `PORT`."""
        return tuple(api for api in self.apis if api != "internal" or not self.internal_port)
