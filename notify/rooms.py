"""How the rooms are put together from the parts: once per process, each thing when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from notify.billing.prices import Prices
from notify.documents.store import DocumentStore
from notify.inbound.actions import TextReceiver
from notify.infra.parts import Parts
from notify.infra.url_tokens import UrlTokens
from notify.messages.accept import Acceptor
from notify.messages.callbacks import MessageCallbacks
from notify.messages.compose import Composer
from notify.messages.links import UnsubscribeLinks
from notify.messages.publish import DeliveryPublisher
from notify.messages.queries import MessageReader
from notify.messages.receipts import ReceiptProcessor
from notify.messages.serialise import Serialiser
from notify.messages.ses_events import SesEvents
from notify.messages.store import MessageStore
from notify.services.cache import ServiceCache
from notify.services.limits import RateLimiter
from notify.templates.cache import TemplateCache
from notify.webhooks.outbox import Outbox

if TYPE_CHECKING:
    from notify.messages.deliver import Deliverer
    from notify.webhooks.sender import CallbackSender


class Rooms:
    """The working objects of one process."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @cached_property
    def services(self) -> ServiceCache:
        """Services, as authentication and sending see them."""
        return ServiceCache(self.parts.database, self.parts.encryptor)

    @cached_property
    def templates(self) -> TemplateCache:
        """Compiled templates."""
        return TemplateCache(self.parts.database)

    @cached_property
    def limits(self) -> RateLimiter:
        """Limits a minute and a day."""
        return RateLimiter(self.parts.cache, rate_limit_enabled=self.parts.settings.api_rate_limit_enabled)

    @cached_property
    def publisher(self) -> DeliveryPublisher:
        """Counts accepted messages, and tells workers of them."""
        return DeliveryPublisher(self.parts.queue, self.limits)

    @cached_property
    def documents(self) -> DocumentStore:
        """Files sent by email."""
        return DocumentStore(self.parts.settings, self.parts.database, self.parts.objects)

    @cached_property
    def url_tokens(self) -> UrlTokens:
        """Tokens in links."""
        settings = self.parts.settings
        return UrlTokens(settings.secret_key, settings.dangerous_salt, settings.token_secret_key)

    @cached_property
    def links(self) -> UnsubscribeLinks:
        """Links to unsubscribe."""
        settings = self.parts.settings
        return UnsubscribeLinks(self.url_tokens, settings.api_host_name, settings.admin_base_url)

    @cached_property
    def composer(self) -> Composer:
        """Fills messages in."""
        return Composer(self.parts.settings, self.links)

    @cached_property
    def acceptor(self) -> Acceptor:
        """Accepts messages."""
        parts = self.parts
        return Acceptor(
            parts.settings,
            parts.database,
            parts.encryptor,
            self.services,
            self.templates,
            self.limits,
            MessageStore(parts.database, self.limits, self.publisher.stored),
            self.documents,
        )

    @cached_property
    def reader(self) -> MessageReader:
        """Looks up messages."""
        return MessageReader(self.parts.database, self.parts.encryptor)

    @cached_property
    def serialiser(self) -> Serialiser:
        """Shows messages."""
        return Serialiser(self.templates, Prices(self.parts.database), self.links)

    @cached_property
    def outbox(self) -> Outbox:
        """What services are still to be told."""
        return Outbox(self.parts.encryptor, self.parts.queue)

    @cached_property
    def message_callbacks(self) -> MessageCallbacks:
        """Has services told of their messages."""
        return MessageCallbacks(self.parts.database, self.parts.encryptor, self.outbox)

    @cached_property
    def text_receiver(self) -> TextReceiver:
        """Takes texts for services."""
        return TextReceiver(self.parts.database, self.parts.encryptor, self.outbox)

    @cached_property
    def callback_sender(self) -> CallbackSender:
        """Tells services. Only workers do."""
        from notify.webhooks.sender import CallbackSender

        parts = self.parts
        return CallbackSender(parts.settings, parts.database, parts.encryptor, parts.queue)

    @cached_property
    def receipts(self) -> ReceiptProcessor:
        """Applies receipts."""
        return ReceiptProcessor(
            self.parts.database, self.parts.encryptor, self.services, self.templates, self.message_callbacks
        )

    @cached_property
    def email_receipts(self) -> SesEvents:
        """Applies what SES says of emails."""
        return SesEvents(self.parts.database, self.parts.queue, self.receipts, self.message_callbacks.complained)

    @cached_property
    def deliverer(self) -> Deliverer:
        """Delivers messages. Only workers do, so only they load what that takes."""
        from notify.infra.outbound import Outbound
        from notify.messages.deliver import Deliverer

        parts = self.parts
        return Deliverer(
            parts.settings,
            parts.database,
            parts.cache,
            parts.encryptor,
            parts.queue,
            Outbound(connections=parts.settings.provider_connections),
            self.services,
            self.templates,
            self.receipts,
            self.message_callbacks,
            self.composer,
        )

    def close(self) -> None:
        """Publish what waits, give every connection back."""
        if "aftermath" in self.__dict__:
            self.publisher.close()
        if "deliverer" in self.__dict__:
            self.deliverer.close()
        if "callback_sender" in self.__dict__:
            self.callback_sender.close()
        if "outbox" in self.__dict__:
            self.outbox.close()
        self.parts.close()
