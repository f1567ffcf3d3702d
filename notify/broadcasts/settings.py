"""Settings of emergency alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from notify.safety import SHORTEST_KEY, to_server
from notify.setting_types import Connection, HeaderText, SettingsPart, WebAddress, words
from notify.vocabulary import BROADCAST_PROVIDERS, BroadcastProvider

AMAZON: Final = "https://lambda.{region}.amazonaws.com"


class BroadcastSettings(SettingsPart):
    """Settings of the connection to the mobile networks."""

    # -- emergency alerts
    cbc_proxy_aws_access_key_id: HeaderText = Field(
        "",
        description="Access key of AWS for calling the networks' proxies (Lambda functions). Empty: no alert leaves this installation; in development and test the sandbox records them.",
    )
    cbc_proxy_aws_secret_access_key: HeaderText = Field("", description="The secret of that key.")
    cbc_proxy_aws_region: str = Field(
        "eu-west-2", pattern=r"^[a-z0-9-]+$", description="Region of the networks' proxies."
    )
    cbc_proxy_url: WebAddress = Field(
        "", description="Address of the Lambda API where it is not Amazon's, such as a private endpoint."
    )
    cbc_proxy_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="Seconds that a network's proxy may take to answer before the other is tried."
    )
    cbc_proxy_functions: dict[BroadcastProvider, list[str]] = Field(
        {},
        description='JSON object: names of the functions of a network, the first and the one for failures, if they are not `ee-1-proxy` and `ee-2-proxy` and so on: `{"ee": ["bt-ee-1-proxy"]}`.',
    )
    enabled_cbcs: Annotated[tuple[BroadcastProvider, ...], NoDecode] = Field(
        BROADCAST_PROVIDERS, description="Networks that alerts go to: `ee,vodafone,three,o2` or some of them."
    )
    cbc_canary_function: str = Field(
        "canary", description="Function that is called every five minutes to check that calls work. Empty: none."
    )
    govuk_alerts_site: bool = Field(
        False,
        description="Tell the public site of alerts when alerts change: the task `publish-govuk-alerts` on the queue `govuk-alerts`, which that site must serve.",
    )
    broadcast_sweep_seconds: int = Field(
        30, ge=1, description="Seconds between two runs of the alerts sweeper, which publishes lost tasks again."
    )

    @field_validator("enabled_cbcs", mode="before")
    @classmethod
    def _network_names(cls, value: object) -> object:
        return words(value)

    @property
    def cbc_proxy_enabled(self) -> bool:
        """Whether there is a key for the networks' proxies (contract: broadcasts 5)."""
        return bool(self.cbc_proxy_aws_access_key_id)

    @property
    def lambda_address(self) -> str:
        """Address of the Lambda API."""
        return self.cbc_proxy_url or AMAZON.format(region=self.cbc_proxy_aws_region)

    def functions_of(self, provider: str) -> tuple[str, ...]:
        """The functions of a network, in the order in which they are tried."""
        configured = {str(name): functions for name, functions in self.cbc_proxy_functions.items()}
        return tuple(configured.get(provider) or (f"{provider}-1-proxy", f"{provider}-2-proxy"))

    def providers(self) -> Iterator[tuple[str, str]]:
        """The networks, if there is a key."""
        if self.cbc_proxy_enabled:
            yield "CBC_PROXY_AWS_ACCESS_KEY_ID", self.lambda_address

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """The secret of the key, which is required if there is a key."""
        if self.cbc_proxy_enabled:
            yield "CBC_PROXY_AWS_SECRET_ACCESS_KEY", self.cbc_proxy_aws_secret_access_key, SHORTEST_KEY

    def connections(self) -> Iterator[Connection]:
        """To the networks' proxies, if there is a key."""
        if self.cbc_proxy_enabled:
            yield to_server("CBC_PROXY_URL", self.lambda_address, ("http",), "set an https:// address")
