"""Sending messages (contract: public-api 15.1)."""

from __future__ import annotations

from typing import Any, Final

from flask import Response

from notify.infra.errors import ProblemError
from notify.messages import serialise_legacy
from notify.messages.accept.base import AcceptedMessage
from notify.messages.accept.legacy import Kind, LegacyAcceptor
from notify.public.endpoints import Call, Endpoints
from notify.public.v1 import schemas
from notify.public.v2.sending import MOST_SMS_BYTES

endpoints = Endpoints(prefix="", legacy=True)

_ERRORS: Final = (400, 404, 409, 429)


def _shown(message: AcceptedMessage, _call: Call) -> dict[str, Any]:
    return serialise_legacy.accepted(message)


@endpoints.post(
    "/notifications/sms",
    answer=schemas.LegacyAccepted,
    errors=_ERRORS,
    status=201,
    most_bytes=MOST_SMS_BYTES,
    show=_shown,
)
def send_legacy_sms(call: Call, body: schemas.LegacySmsRequest) -> AcceptedMessage:
    """Send a text message, version 1."""
    return _send(call, "sms", body)


@endpoints.post("/notifications/email", answer=schemas.LegacyAccepted, errors=_ERRORS, status=201, show=_shown)
def send_legacy_email(call: Call, body: schemas.LegacyEmailRequest) -> AcceptedMessage:
    """Send an email, version 1."""
    return _send(call, "email", body)


def _send(call: Call, kind: Kind, body: schemas.LegacySmsRequest | schemas.LegacyEmailRequest) -> AcceptedMessage:
    return call.container.get(LegacyAcceptor).accept(
        call.caller, kind, to=body.to, template_id=body.template, personalisation=body.personalisation
    )


def refuse_type(notification_type: str) -> Response:
    """Refuse any other type of message, whatever the body is."""
    advice = ", please use the latest version of the client" if notification_type == "letter" else ""
    raise ProblemError(f"{notification_type} notification type is not supported{advice}")
