"""Settings of alerts and tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from notify.safety import SHORTEST_KEY, to_server
from notify.setting_types import Connection, HeaderText, SettingsPart, WebAddress


class TicketSettings(SettingsPart):
    """Destinations of alerts for the people who run this."""

    # -- alerts and tickets
    ticket_webhook_url: WebAddress = Field(
        "",
        description="Address that every alert for the people who run this is posted to, as a JSON object (`subject`, `message`, `kind`, `environment`, `task_type`, and `text` for chat programs). Alerts are always logged.",
    )
    send_zendesk_alerts_enabled: bool = Field(
        False, description="`1` makes a ticket in Zendesk of every such alert; needs `ZENDESK_API_KEY`."
    )
    zendesk_api_key: HeaderText = Field("", description="Key of Zendesk's API.")
    zendesk_account: str = Field(
        "zd-api-notify@digital.cabinet-office.gov.uk", description="Account in Zendesk that the key belongs to."
    )
    zendesk_url: WebAddress = Field("https://govuk.zendesk.com", description="Address of Zendesk.")
    zendesk_reporting: dict[str, Any] = Field(
        {},
        description='JSON object of reports that are added to tickets: `{"weekly-dwp-report": {"query": {"<file>.csv": "<SELECT>"}, "ticket_id": <number>}}`.',
    )

    def providers(self) -> Iterator[tuple[str, str]]:
        """Zendesk, whose tickets people read."""
        if self.send_zendesk_alerts_enabled:
            yield "SEND_ZENDESK_ALERTS_ENABLED", self.zendesk_url

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """Zendesk's key, which is required if tickets are created."""
        if self.send_zendesk_alerts_enabled:
            yield "ZENDESK_API_KEY", self.zendesk_api_key, SHORTEST_KEY

    def connections(self) -> Iterator[Connection]:
        """To Zendesk and the webhook."""
        if self.ticket_webhook_url:
            yield to_server("TICKET_WEBHOOK_URL", self.ticket_webhook_url, ("http",), "set an https:// address")
        if self.send_zendesk_alerts_enabled:
            yield to_server("ZENDESK_URL", self.zendesk_url, ("http",), "set an https:// address")
