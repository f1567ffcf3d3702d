"""Alerts (tickets) for the people who run this installation (contract: workers 16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self

import structlog

from notify.infra.container import Container
from notify.infra.json_values import dump_json
from notify.infra.outbound import Outbound
from notify.infra.patient_calls import CallError, PatientCaller
from notify.infra.zendesk import Zendesk

logger = structlog.get_logger(__name__)

Kind = Literal["incident", "task", "question"]


class TicketError(Exception):
    """A ticket was logged, but did not reach all other configured places. `places` names those it did not reach."""

    def __init__(self, places: list[str]) -> None:
        super().__init__(f"ticket not made: {', '.join(places)}")
        self.places = places


class Tickets:
    """Tickets for people. Each is logged; it also goes to the webhook (`TICKET_WEBHOOK_URL`) and to Zendesk
    (`SEND_ZENDESK_ALERTS_ENABLED`) where these are configured.
    """

    def __init__(self, *, environment: str, caller: PatientCaller, webhook_url: str, zendesk: Zendesk | None) -> None:
        self._environment = environment
        self._caller = caller
        self._webhook_url = webhook_url
        self._zendesk = zendesk

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings
        caller = PatientCaller(container.get(Outbound))
        zendesk = None
        if settings.send_zendesk_alerts_enabled and settings.zendesk_api_key:
            zendesk = Zendesk(
                caller, url=settings.zendesk_url, account=settings.zendesk_account, key=settings.zendesk_api_key
            )
        return cls(
            environment=settings.notify_environment,
            caller=caller,
            webhook_url=settings.ticket_webhook_url,
            zendesk=zendesk,
        )

    @property
    def has_zendesk(self) -> bool:
        """Whether tickets reach Zendesk."""
        return self._zendesk is not None

    def create(
        self,
        subject: str,
        message: str,
        *,
        kind: Kind = "incident",
        cc: tuple[str, ...] = (),
        task_type: str | None = None,
        names_environment: bool = True,
        is_technical: bool = True,
        is_html: bool = False,
    ) -> None:
        """Create a ticket. `subject` gets the prefix `[<environment>] ` unless `names_environment` is false. Neither it
        nor `message` may hold personal data, because both are logged; the addresses in `cc` get a copy and are not
        logged. `task_type` is Zendesk's category (`notify_task_...`). May take a minute: do not call it in requests.

        Raises `TicketError` if it was logged but did not reach the rest.
        """
        if names_environment:
            subject = f"[{self._environment}] {subject}"
        logger.warning("ticket", subject=subject, ticket_message=message, kind=kind, task_type=task_type)
        failed = []
        if self._webhook_url and not self._post(subject, message, kind, task_type):
            failed.append("webhook")
        if self._zendesk is not None:
            try:
                self._zendesk.create(
                    subject,
                    message,
                    kind=kind,
                    cc=cc,
                    task_type=task_type,
                    is_technical=is_technical,
                    is_html=is_html,
                )
            except CallError as error:
                logger.error("ticket not made in Zendesk", subject=subject, reason=error.reason)
                failed.append("Zendesk")
        if failed:
            raise TicketError(failed)

    def update(self, ticket_id: int, message: str, *, files: Mapping[str, bytes], due_at: datetime) -> None:
        """Add a comment with files (content by name) to a ticket in Zendesk, which then is pending until `due_at`.
        Raises `TicketError`.
        """
        if self._zendesk is None:
            logger.warning("ticket not updated: Zendesk is not configured", ticket_id=ticket_id)
            return
        try:
            self._zendesk.update(ticket_id, message, files=files, status="pending", due_at=due_at)
        except CallError as error:
            logger.error("ticket not updated", ticket_id=ticket_id, reason=error.reason)
            raise TicketError(["Zendesk"]) from None

    def _post(self, subject: str, message: str, kind: Kind, task_type: str | None) -> bool:
        """Call the webhook. `text` is what chat programs show."""
        body = {
            "environment": self._environment,
            "subject": subject,
            "message": message,
            "kind": kind,
            "task_type": task_type,
            "text": f"{subject}\n{message}",
        }
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._caller.call("POST", self._webhook_url, data=dump_json(body), headers=headers)
        except CallError as error:
            reason = error.reason
        else:
            if 200 <= answer.status < 300:
                return True
            reason = f"http_{answer.status}"
        logger.error("ticket not sent to the webhook", subject=subject, reason=reason)
        return False
