"""Composes messages for providers from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from notify.content.email_page import EmailBranding
from notify.content.sms import SmsMessage
from notify.infra.container import Container
from notify.messages.links import UnsubscribeLinks
from notify.providers.base import OutgoingEmail, OutgoingText
from notify.providers.settings import TextProviderSettings
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate


class Composer:
    """Composes messages. `values` are a message's personalisation; `reply_to_text` is as in the table."""

    def __init__(self, settings: Settings, links: UnsubscribeLinks) -> None:
        self._settings = settings
        self._links = links

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings, container.get(UnsubscribeLinks))

    def text(
        self,
        service: CachedService,
        template: CompiledTemplate,
        values: Mapping[str, Any],
        *,
        notification_id: UUID,
        normalised_to: str,
        reply_to_text: str | None,
        international: bool,
    ) -> tuple[OutgoingText, SmsMessage]:
        """A text message for a provider, and its rendered form."""
        message = template.sms.render(values, service.name if service.prefix_sms else None)
        outgoing = OutgoingText(
            notification_id=notification_id,
            to=normalised_to,
            sender=reply_to_text or self._settings.part(TextProviderSettings).from_number,
            body=message.text,
            international=international,
        )
        return outgoing, message

    def email(
        self,
        service: CachedService,
        template: CompiledTemplate,
        values: Mapping[str, Any],
        *,
        notification_id: UUID,
        address: str,
        normalised_to: str,
        reply_to_text: str | None,
        unsubscribe_link: str | None,
    ) -> OutgoingEmail:
        """An email. `address` is the recipient as given, for unsubscribe links."""
        headers, footer = {}, None
        if template.row.has_unsubscribe_link:
            footer = self._links.page(notification_id, address)
            unsubscribe_link = unsubscribe_link or self._links.one_click(notification_id, address)
        if unsubscribe_link:
            headers = {
                "List-Unsubscribe": f"<{unsubscribe_link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        email = template.email.render(values, branding=self._branding(service), unsubscribe_url=footer)
        return OutgoingEmail(
            notification_id=notification_id,
            to=normalised_to,
            from_name=service.custom_email_sender_name or service.name,
            from_address=f"{service.email_sender_local_part}@{self._settings.notify_email_domain}",
            reply_to=reply_to_text,
            subject=email.subject,
            plain_text=email.plain_text,
            html=email.html,
            headers=headers,
        )

    def _branding(self, service: CachedService) -> EmailBranding:
        branding = service.email_branding
        if branding is None:
            return EmailBranding()
        return EmailBranding.from_brand_type(
            branding.brand_type,
            logo_url=f"{self._settings.logo_base_url}/{branding.logo}" if branding.logo else None,
            text=branding.text,
            colour=branding.colour,
            alt_text=branding.alt_text,
        )
