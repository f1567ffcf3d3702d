"""Text messages that services received (contract: public-api 9)."""

from __future__ import annotations

from typing import Any

from notify.inbound import queries as inbound
from notify.inbound.models import CONTENT
from notify.infra.times import format_datetime
from notify.public import schemas
from notify.public.endpoints import Call, Endpoints
from notify.public.fields import given

endpoints = Endpoints()


@endpoints.get("/received-text-messages", answer=schemas.ReceivedTextsAnswer, errors=(400,))
def list_received_texts(call: Call, query: schemas.ReceivedTextsQuery) -> dict[str, Any]:
    """Get a list of received text messages, newest first."""
    parts = call.container.parts
    with parts.database.session() as session:
        texts = inbound.page(session, call.caller.service.id, given(query.older_than), parts.settings.api_page_size)
    here = f"{call.address}v2/received-text-messages"
    links = {"current": here}
    if texts:
        links["next"] = f"{here}?older_than={texts[-1].id}"
    return {
        "received_text_messages": [
            {
                "id": text.id,
                "created_at": format_datetime(text.created_at),
                "service_id": text.service_id,
                "notify_number": text.notify_number,
                "user_number": text.user_number,
                "content": parts.encryptor.decrypt(text.content, CONTENT, text.id),
            }
            for text in texts
        ],
        "links": links,
    }
