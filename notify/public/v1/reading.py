"""Reading messages (contract: public-api 15.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from notify.infra.errors import NotFoundProblemError
from notify.infra.paging import links
from notify.infra.times import midnight_days_ago, utc_now
from notify.messages.listing import ListFilter, counted_page_of_ids
from notify.messages.queries import MessageReader
from notify.messages.serialise_legacy import LegacySerialiser
from notify.public.endpoints import Call, Endpoints
from notify.public.v1 import schemas

endpoints = Endpoints(prefix="", legacy=True)


@endpoints.get("/notifications/<uuid:notification_id>", answer=schemas.LegacyNotificationAnswer, errors=(404, 405))
def get_legacy_notification(call: Call, notification_id: UUID) -> dict[str, Any]:
    """Get a message and its status, version 1."""
    message = call.container.get(MessageReader).get(call.caller.service.id, notification_id)
    if message is None:
        raise NotFoundProblemError
    (shown,) = call.container.get(LegacySerialiser).notifications([message])
    return {"data": {"notification": shown}}


@endpoints.get("/notifications", answer=schemas.LegacyNotificationsAnswer, errors=(400, 404))
def list_legacy_notifications(call: Call, query: schemas.LegacyNotificationsQuery) -> dict[str, Any]:
    """Get a list of messages, newest first, version 1."""
    wanted = ListFilter(
        call.caller.service.id,
        types=query.types(),
        statuses=query.status,
        since=None if query.limit_days is None else midnight_days_ago(utc_now(), query.limit_days),
        include_jobs=query.include_jobs,
        key_types=(call.caller.key.key_type,),
    )
    size = min(query.page_size, schemas.LARGEST_PAGE)
    with call.container.parts.database.reading() as session:
        page = counted_page_of_ids(session, wanted, number=query.page, size=size)
    messages = call.container.get(MessageReader).get_many(wanted.service_id, page.rows)
    return {
        "notifications": call.container.get(LegacySerialiser).notifications(messages),
        "page_size": query.page_size if page.total <= size else size,
        "total": page.total,
        "links": links(page, call.request.path, call.request.args.items()),
    }
