"""Messages and templates as JSON of the public API (contract: public-api 6, 7.1, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from notify.billing.prices import Prices
from notify.content.letter_timings import estimated_delivery
from notify.content.placeholders import Personalisation
from notify.infra.container import Container
from notify.infra.times import format_datetime, format_optional
from notify.messages.accept.base import AcceptedMessage
from notify.messages.links import UnsubscribeLinks
from notify.messages.queries import StoredMessage
from notify.messages.statuses import COMPLETED, shown_status
from notify.templates.cache import CompiledTemplate, TemplateCache

NEVER_SENT: Final = frozenset({"cancelled", "technical-failure", "validation-failed", "virus-scan-failed"})
ADDRESS_LINES: Final = {**{f"line_{n}": f"address_line_{n}" for n in range(1, 7)}, "postcode": "postcode"}


def accepted(message: AcceptedMessage, host: str, service_id: UUID) -> dict[str, Any]:
    """The answer about an accepted message. `host` is the address of the request, with a slash at its end."""
    template = message.template.row
    content: dict[str, Any]
    if template.type == "sms":
        content = {"from_number": message.sender, "body": message.body}
    elif template.type == "email":
        content = {
            "from_email": message.sender,
            "body": message.body,
            "subject": message.subject,
            "one_click_unsubscribe_url": message.one_click_unsubscribe_url,
        }
    else:
        content = {"body": message.body, "subject": message.subject}
    answer: dict[str, Any] = {
        "id": message.id,
        "reference": message.reference,
        "content": content,
        "uri": f"{host}v2/notifications/{message.id}",
        "template": {
            "id": template.id,
            "version": template.version,
            "uri": f"{host}services/{service_id}/templates/{template.id}",
        },
        "scheduled_for": format_optional(message.scheduled_for),
    }
    if template.type == "email":
        answer["sanitised_content"] = message.sanitised
    return answer


class Serialiser:
    """Serialises stored messages for the API."""

    def __init__(self, templates: TemplateCache, prices: Prices, links: UnsubscribeLinks) -> None:
        self._templates = templates
        self._prices = prices
        self._links = links

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(TemplateCache), container.get(Prices), container.get(UnsubscribeLinks))

    def notification(self, message: StoredMessage, host: str) -> dict[str, Any]:
        """A message and its status (contract: public-api 7.1). `host` is the address of the request."""
        kind = message.notification_type
        template = self._templates.version(message.service_id, message.template_id, message.template_version)
        body, subject = ("", None) if template is None else _filled(template, message.personalisation)
        answer = {
            "id": message.id,
            "reference": message.client_reference,
            "email_address": message.to if kind == "email" else None,
            "phone_number": message.to if kind == "sms" else None,
            **_address(message),
            "type": kind,
            "status": shown_status(kind, message.status),
            "template": {
                "version": message.template_version,
                "id": message.template_id,
                "uri": f"{host}v2/template/{message.template_id}/version/{message.template_version}",
            },
            "body": body,
            "subject": subject,
            "created_at": format_datetime(message.created_at),
            "created_by_name": message.created_by_name,
            "sent_at": format_optional(message.sent_at),
            "completed_at": format_optional(message.updated_at) if message.status in COMPLETED else None,
            "scheduled_for": format_optional(message.scheduled_for),
            "postage": message.postage,
            "one_click_unsubscribe_url": self._unsubscribe_url(message, template),
            **self._cost(message),
        }
        if kind == "letter":
            delivery = estimated_delivery(message.created_at, message.postage or "second")
            answer["estimated_delivery"] = format_datetime(delivery)
        return answer

    def _unsubscribe_url(self, message: StoredMessage, template: CompiledTemplate | None) -> str | None:
        if message.unsubscribe_link:
            return message.unsubscribe_link
        if template is not None and template.row.has_unsubscribe_link:
            return self._links.one_click(message.id, message.to)
        return None

    def _cost(self, message: StoredMessage) -> dict[str, Any]:
        kind, units = message.notification_type, message.billable_units
        is_ready = not (
            (kind in ("sms", "letter") and message.status == "created" and units == 0)
            or message.status == "pending-virus-check"
        )
        details: dict[str, Any] = {}
        cost: float | None = None
        if is_ready and kind == "email":
            cost = 0.0
        elif is_ready and kind == "sms":
            rate = self._prices.sms(message.created_at.date())
            multiplier = message.rate_multiplier if message.rate_multiplier is not None else Decimal(1)
            details = {
                "billable_sms_fragments": units,
                "international_rate_multiplier": float(multiplier),
                "sms_rate": float(rate),
            }
            cost = units * float(multiplier) * float(rate)
        elif is_ready:
            sheets = 0 if message.status in NEVER_SENT else units
            postage = message.postage or "second"
            details = {"billable_sheets_of_paper": sheets, "postage": postage}
            price = self._prices.letter(message.created_at.date(), sheets, postage) if sheets else Decimal(0)
            cost = None if price is None else float(price)
        return {"cost_details": details, "cost_in_pounds": cost, "is_cost_data_ready": is_ready}


def _filled(template: CompiledTemplate, values: Mapping[str, Any]) -> tuple[str, str | None]:
    if template.row.type == "sms":
        return template.sms.render(values).body, None
    if template.row.type == "email":
        return template.email.body(values), template.email.shown_subject(values)
    return template.letter.body(values), template.letter.subject(values)


def _address(message: StoredMessage) -> dict[str, str | None]:
    if message.notification_type != "letter":
        return dict.fromkeys(ADDRESS_LINES)
    values = Personalisation(message.personalisation)
    lines = {line: values.get(key) for line, key in ADDRESS_LINES.items()}
    return {line: None if value is None else str(value) for line, value in lines.items()}


def template(compiled: CompiledTemplate) -> dict[str, Any]:
    """A template (8)."""
    row = compiled.row
    return {
        "id": row.id,
        "type": row.type,
        "created_at": format_datetime(row.created_at),
        "updated_at": format_optional(row.updated_at),
        "created_by": row.created_by_email,
        "version": row.version,
        "body": row.content,
        "subject": row.subject if row.type != "sms" else None,
        "name": row.name,
        "personalisation": {name: {"required": True} for name in compiled.text.placeholders},
        "postage": row.postage,
        "letter_contact_block": row.contact_block,
    }


def preview(compiled: CompiledTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """A preview of a template with values (8)."""
    body, subject = _filled(compiled, values)
    return {
        "id": compiled.row.id,
        "type": compiled.row.type,
        "version": compiled.row.version,
        "body": body,
        "html": compiled.email.html_fragment(values) if compiled.row.type == "email" else None,
        "subject": subject,
        "postage": compiled.row.postage,
    }
