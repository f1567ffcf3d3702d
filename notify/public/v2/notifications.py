"""Reading messages (contract: public-api 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.letters.reading import LetterPdfs
from notify.messages.cancel import cancel_message
from notify.messages.queries import MessageFilter, MessageReader, StoredMessage
from notify.messages.serialise import Serialiser
from notify.messages.statuses import filter_statuses
from notify.public import schemas
from notify.public.endpoints import Call, Endpoints, query_of
from notify.public.fields import given
from notify.services.limits import RateLimiter

endpoints = Endpoints()


def _find(call: Call, notification_id: UUID) -> StoredMessage:
    message = call.container.get(MessageReader).get(call.caller.service.id, notification_id)
    if message is None:
        raise NotFoundProblemError
    return message


@endpoints.get("/notifications/<notification_id>", answer=schemas.NotificationAnswer, errors=(400, 404))
def get_notification(call: Call, notification_id: UUID) -> dict[str, Any]:
    """Get a message and its status."""
    return call.container.get(Serialiser).notification(_find(call, notification_id), call.address)


@endpoints.get("/notifications/<notification_id>/pdf", answer=None, errors=(400, 404))
def get_letter_pdf(call: Call, notification_id: UUID) -> Response:
    """Get the PDF of a letter."""
    pdf = call.container.get(LetterPdfs).read(_find(call, notification_id))
    return Response(pdf, content_type="application/pdf")


@endpoints.post(
    "/notifications/<notification_id>/cancel",
    answer=schemas.NotificationAnswer,
    errors=(400, 404),
)
def cancel_notification(call: Call, notification_id: UUID) -> dict[str, Any]:
    """Cancel a scheduled message before its time, or a letter before it is printed."""
    with call.container.parts.database.transaction() as session:
        uncounted = cancel_message(session, call.caller.service.id, notification_id, utc_now())
    call.container.get(RateLimiter).give_back(uncounted)
    return call.container.get(Serialiser).notification(_find(call, notification_id), call.address)


@endpoints.get("/notifications", answer=schemas.NotificationsAnswer, errors=(400, 404))
def list_notifications(call: Call, query: schemas.NotificationsQuery) -> dict[str, Any]:
    """Get a list of messages, newest first."""
    messages = call.container.get(MessageReader).page(
        MessageFilter(
            service_id=call.caller.service.id,
            key_type=call.caller.key.key_type,
            statuses=filter_statuses(query.status),
            types=frozenset(query.template_type),
            client_reference=given(query.reference),
            include_jobs=given(query.include_jobs) is not None,
        ),
        older_than=given(query.older_than),
        limit=call.container.parts.settings.api_page_size,
    )
    asked = query_of(call.request, schemas.NotificationsQuery)
    links = {"current": _link(call.address, asked)}
    if messages:
        links["next"] = _link(call.address, {**asked, "older_than": messages[-1].id})
    serialiser = call.container.get(Serialiser)
    return {
        "notifications": [serialiser.notification(message, call.address) for message in messages],
        "links": links,
    }


def _link(address: str, query: Mapping[str, Any]) -> str:
    text = urlencode(query, doseq=True)
    return f"{address}v2/notifications" + (f"?{text}" if text else "")
