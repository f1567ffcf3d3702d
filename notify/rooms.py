"""How the rooms are put together from the parts: once per process, each thing when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from notify.billing.prices import Prices
from notify.documents.store import DocumentStore
from notify.inbound.actions import Inbox
from notify.infra.parts import Parts
from notify.infra.url_tokens import UrlTokens
from notify.messages.accept import Acceptor
from notify.messages.callbacks import MessageCallbacks
from notify.messages.compose import Composer
from notify.messages.dispatch import Aftermath
from notify.messages.email_receipts import EmailReceiptBook
from notify.messages.links import UnsubscribeLinks
from notify.messages.present import Presenter
from notify.messages.queries import MessageReader
from notify.messages.receipts import ReceiptBook
from notify.messages.store import MessageStore
from notify.services.directory import ServiceDirectory
from notify.services.limits import Limits
from notify.templates.directory import TemplateDirectory
from notify.webhooks.outbox import Outbox

if TYPE_CHECKING:
    from notify.messages.deliver import Deliverer
    from notify.webhooks.sender import CallbackSender


class Rooms:
    """The working objects of one process."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @cached_property
    def services(self) -> ServiceDirectory:
        """Services, as authentication and sending see them."""
        return ServiceDirectory(self.parts.database, self.parts.vault)

    @cached_property
    def templates(self) -> TemplateDirectory:
        """Compiled templates."""
        return TemplateDirectory(self.parts.database)

    @cached_property
    def limits(self) -> Limits:
        """Limits a minute and a day."""
        return Limits(self.parts.cache, rate_limit_enabled=self.parts.settings.api_rate_limit_enabled)

    @cached_property
    def aftermath(self) -> Aftermath:
        """Counts accepted messages, and tells workers of them."""
        return Aftermath(self.parts.queue, self.limits)

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
            parts.vault,
            self.services,
            self.templates,
            self.limits,
            MessageStore(parts.database, self.limits, self.aftermath.stored),
            self.documents,
        )

    @cached_property
    def reader(self) -> MessageReader:
        """Looks up messages."""
        return MessageReader(self.parts.database, self.parts.vault)

    @cached_property
    def presenter(self) -> Presenter:
        """Shows messages."""
        return Presenter(self.templates, Prices(self.parts.database), self.links)

    @cached_property
    def outbox(self) -> Outbox:
        """What services are still to be told."""
        return Outbox(self.parts.vault, self.parts.queue)

    @cached_property
    def message_callbacks(self) -> MessageCallbacks:
        """Has services told of their messages."""
        return MessageCallbacks(self.parts.database, self.parts.vault, self.outbox)

    @cached_property
    def inbox(self) -> Inbox:
        """Takes texts for services."""
        return Inbox(self.parts.database, self.parts.vault, self.outbox)

    @cached_property
    def callback_sender(self) -> CallbackSender:
        """Tells services. Only workers do."""
        from notify.webhooks.sender import CallbackSender

        parts = self.parts
        return CallbackSender(parts.settings, parts.database, parts.vault, parts.queue)

    @cached_property
    def receipts(self) -> ReceiptBook:
        """Applies receipts."""
        return ReceiptBook(self.parts.database, self.parts.vault, self.services, self.templates, self.message_callbacks)

    @cached_property
    def email_receipts(self) -> EmailReceiptBook:
        """Applies what SES says of emails."""
        return EmailReceiptBook(self.parts.database, self.parts.queue, self.receipts, self.message_callbacks.complained)

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
            parts.vault,
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
            self.aftermath.close()
        if "deliverer" in self.__dict__:
            self.deliverer.close()
        if "callback_sender" in self.__dict__:
            self.callback_sender.close()
        if "outbox" in self.__dict__:
            self.outbox.close()
        self.parts.close()
