"""Links with which a recipient unsubscribes from an email (contract: public-api 1.6, 14.1; content 7.2)."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.url_tokens import UrlTokens


class UnsubscribeLinks:
    """Makes the links of an email: one for machines, one for people."""

    def __init__(self, tokens: UrlTokens, api_host_name: str, admin_base_url: str) -> None:
        self._tokens = tokens
        self._api = api_host_name.rstrip("/")
        self._admin = admin_base_url.rstrip("/")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings
        return cls(container.get(UrlTokens), settings.api_host_name, settings.admin_base_url)

    def one_click(self, notification_id: UUID, to: str) -> str:
        """The link for the `List-Unsubscribe` header, which this API serves."""
        return f"{self._api}/unsubscribe/{notification_id}/{self._tokens.make(to)}"

    def page(self, notification_id: UUID, to: str) -> str:
        """The link for the footer of the email: a page of the admin web app."""
        return f"{self._admin}/unsubscribe/{notification_id}/{self._tokens.make(to)}"
