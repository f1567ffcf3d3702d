"""Prepares rows for sending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from notify.content.sms import SmsMessage
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.compose import Composer
from notify.messages.deliver.locks import Row
from notify.messages.deliver.schedule import RetrySchedule
from notify.messages.deliver.write import Result
from notify.messages.models import PERSONALISATION, TO
from notify.messages.settings import DeliverySettings
from notify.providers.base import OutgoingEmail, OutgoingText
from notify.services.cache import ServiceCache
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

logger = structlog.get_logger(__name__)

MOST_INTERRUPTED = 5
"""A message that this many workers were sending when they died is not tried again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message ready to send. `to` is the recipient as given."""

    id: UUID
    key_type: str
    international: bool
    to: str
    units: int
    outgoing: OutgoingText | OutgoingEmail
    tries: int
    next_try_at: datetime | None


class Preparer:
    """Composes messages, and ends those that must not be sent."""

    def __init__(
        self,
        settings: Settings,
        encryptor: Encryptor,
        services: ServiceCache,
        templates: TemplateCache,
        composer: Composer,
        schedule: RetrySchedule,
    ) -> None:
        self._expiry = settings.part(DeliverySettings).message_expiry_seconds
        self._expiry_of_templates = settings.part(DeliverySettings).message_expiry_seconds_by_template
        self._encryptor = encryptor
        self._services = services
        self._templates = templates
        self._composer = composer
        self._schedule = schedule

    def without_ended(self, rows: Iterable[Row], now: datetime) -> tuple[list[Row], list[Result]]:
        """The rows without those that have expired, or during which too many workers died; and the results of these."""
        left, ended = [], []
        for row in rows:
            if row.interrupted >= MOST_INTERRUPTED:
                logger.error("message is given up: workers died with it in hand", id=row.id, number=row.interrupted)
            elif self._is_expired(row, now):
                logger.warning("message is given up: its time is over", id=row.id, service_id=row.service_id)
            else:
                left.append(row)
                continue
            ended.append(Result(row.id, "technical-failure", now))
        return left, ended

    def _is_expired(self, row: Row, now: datetime) -> bool:
        seconds = self._expiry
        if self._expiry_of_templates:
            seconds = self._expiry_of_templates.get(row.template_id, seconds)
        return bool(seconds) and (now - row.wanted_at).total_seconds() > seconds

    def prepare(self, notification_type: str, rows: Iterable[Row]) -> tuple[list[Prepared], list[Result]]:
        """Messages ready to send, and the results of those that cannot be sent."""
        ready, failed = [], []
        for row in rows:
            service = self._services.get(row.service_id)
            template = self._templates.version(row.service_id, row.template_id, row.template_version)
            if service is None or not service.active or template is None:
                logger.error("message cannot be sent: its service is archived", id=row.id, service_id=row.service_id)
                failed.append(Result(row.id, "technical-failure", utc_now()))
                continue
            try:
                make = self._text if notification_type == "sms" else self._email
                ready.append(make(row, service, template))
            except Exception as error:  # only fail this message. Log no text, which may quote it
                logger.error("message cannot be composed", id=row.id, error=type(error).__name__)
                failed.append(self.failure(notification_type, row.id, row.tries, 0))
        return ready, failed

    def failure(self, notification_type: str, id_: UUID, tries: int, units: int) -> Result:
        """The result of a failed try: the next one is due later, or it was the last."""
        now = utc_now()
        next_try = self._schedule.after_failure(notification_type, tries, now)
        if next_try is None:
            logger.error("RETRY FAILED: Max retries reached", id=id_)
        return Result(id_, None if next_try else "technical-failure", now, units, next_try=next_try)

    def _text(self, row: Row, service: CachedService, template: CompiledTemplate) -> Prepared:
        outgoing, message = self._composer.text(
            service,
            template,
            self._encryptor.decrypt_json(row.personalisation, PERSONALISATION, row.id),
            notification_id=row.id,
            normalised_to=row.normalised_to,
            reply_to_text=row.reply_to_text,
            international=row.international,
        )
        _log_characters(row, message)
        to = self._encryptor.decrypt(row.to, TO, row.id).strip()
        return self._prepared(row, to, message.fragments, outgoing)

    def _email(self, row: Row, service: CachedService, template: CompiledTemplate) -> Prepared:
        outgoing = self._composer.email(
            service,
            template,
            self._encryptor.decrypt_json(row.personalisation, PERSONALISATION, row.id),
            notification_id=row.id,
            address=self._encryptor.decrypt(row.to, TO, row.id),
            normalised_to=row.normalised_to,
            reply_to_text=row.reply_to_text,
            unsubscribe_link=row.unsubscribe_link,
        )
        return self._prepared(row, row.normalised_to, 0, outgoing)

    def _prepared(self, row: Row, to: str, units: int, outgoing: OutgoingText | OutgoingEmail) -> Prepared:
        return Prepared(row.id, row.key_type, row.international, to, units, outgoing, row.tries, row.next_try_at)


def _log_characters(row: Row, message: SmsMessage) -> None:
    """Log how many characters made a text more expensive, or could not be sent (contract: content 5.3). Not which."""
    for characters, fate in (
        (message.unicode_characters, "caused UTF-16 encoding"),
        (message.unsendable_characters, "replaced with ?"),
    ):
        if characters:
            logger.info(
                f"{len(characters)} character(s) {fate} in SMS content"
                f" for service {row.service_id} and notification {row.id}"
            )
