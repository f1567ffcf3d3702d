"""Emergency alerts for the console: text, areas, and the status of each network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import cos, radians
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.broadcasts.areas import names_of, polygons_of
from notify.broadcasts.models import BroadcastEvent, BroadcastMessage, BroadcastProviderMessage, SandboxBroadcast
from notify.broadcasts.polygons import simplify
from notify.infra.times import format_datetime, format_optional
from notify.services.models import Service

MOST: Final = 100
SIZE: Final = 200
"""Length of a drawing's longer side."""
MARGIN: Final = 6


class Drawing(NamedTuple):
    """Areas as an SVG path, north at the top."""

    path: str
    width: int
    height: int


def draw(polygons: Sequence[Any]) -> Drawing | None:
    """A drawing of polygons of `[latitude, longitude]` points; None if there is nothing to draw."""
    usable = [each for each in polygons if all(abs(y) <= 90 and abs(x) <= 180 for y, x in each)]
    if not usable:
        return None
    outlines = simplify(usable)
    latitudes = [y for outline in outlines for y, _ in outline]
    shrink = max(cos(radians((min(latitudes) + max(latitudes)) / 2)), 0.01)
    places = [[(x * shrink, -y) for y, x in outline] for outline in outlines]
    xs, ys = [x for place in places for x, _ in place], [y for place in places for _, y in place]
    left, top = min(xs), min(ys)
    scale = SIZE / max(max(xs) - left, max(ys) - top, 1e-9)
    path = "".join(
        "M" + "L".join(f"{(x - left) * scale + MARGIN:.1f},{(y - top) * scale + MARGIN:.1f}" for x, y in place) + "Z"
        for place in places
    )
    width, height = ((max(values) - min(values)) * scale + 2 * MARGIN for values in (xs, ys))
    return Drawing(path, round(width), round(height))


def list_alerts(session: Session, service_id: UUID | None) -> list[dict[str, Any]]:
    """The newest alerts, of a service where one is given, at most `MOST`."""
    query = select(BroadcastMessage, Service.name).join(Service, Service.id == BroadcastMessage.service_id)
    if service_id is not None:
        query = query.where(BroadcastMessage.service_id == service_id)
    rows = session.execute(query.order_by(BroadcastMessage.created_at.desc(), BroadcastMessage.id).limit(MOST)).all()
    networks = _networks(session, [row.BroadcastMessage.id for row in rows])
    return [_describe(row.BroadcastMessage, row.name, networks[row.BroadcastMessage.id]) for row in rows]


def _describe(message: BroadcastMessage, service: str, networks: list[dict[str, Any]]) -> dict[str, Any]:
    drawing = draw(polygons_of(message.areas))
    return {
        "id": message.id,
        "service": service,
        "service_id": message.service_id,
        "status": message.status,
        "training": message.stubbed,
        "content": message.content,
        "reference": message.reference,
        "areas": names_of(message.areas),
        "drawing": None if drawing is None else drawing._asdict(),
        "created_at": format_datetime(message.created_at),
        "starts_at": format_optional(message.starts_at),
        "finishes_at": format_optional(message.finishes_at),
        "networks": networks,
    }


def _networks(session: Session, message_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The provider messages of each alert, in the order of events; with the XML if the sandbox has it."""
    query = (
        select(BroadcastEvent.broadcast_message_id, BroadcastEvent.message_type, BroadcastProviderMessage)
        .join(BroadcastProviderMessage, BroadcastProviderMessage.broadcast_event_id == BroadcastEvent.id)
        .where(BroadcastEvent.broadcast_message_id.in_(message_ids))
        .order_by(BroadcastEvent.sent_at, BroadcastProviderMessage.provider)
    )
    rows = session.execute(query).all()
    documents = _documents(session, [str(row.BroadcastProviderMessage.id) for row in rows])
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        copy = row.BroadcastProviderMessage
        found[row.broadcast_message_id].append(
            {
                "network": copy.provider,
                "kind": row.message_type,
                "status": copy.status,
                "at": format_optional(copy.updated_at),
                "document": documents.get(str(copy.id)),
            }
        )
    return found


def _documents(session: Session, identifiers: Sequence[str]) -> dict[str, str | None]:
    identifier = SandboxBroadcast.payload["identifier"].astext
    query = select(identifier.label("identifier"), SandboxBroadcast.document).where(identifier.in_(identifiers))
    return {row.identifier: row.document for row in session.execute(query)}
