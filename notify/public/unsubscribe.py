"""One-click unsubscribe (contract: public-api 14.1)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, Response
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.infra.url_tokens import BadUrlTokenError, UrlTokens
from notify.services.models import UnsubscribeRequest, UnsubscribeRequestReport

MAX_AGE_SECONDS: Final = 365 * 86_400

_FIND: Final = text(
    "SELECT service_id, template_id, template_version FROM notifications WHERE id = :id"
    " UNION ALL SELECT service_id, template_id, template_version FROM notification_history WHERE id = :id LIMIT 1"
)


def _error(message: str) -> Response:
    return result_error(404, {"unsubscribe request": message})


def _success() -> Response:
    return json_answer({"result": "success", "message": "Unsubscribe successful"})


def _is_waiting(session: Session, notification_id: UUID) -> bool:
    """Whether the service has still to act on an earlier request for this message."""
    query = (
        select(UnsubscribeRequest.id)
        .outerjoin(
            UnsubscribeRequestReport, UnsubscribeRequestReport.id == UnsubscribeRequest.unsubscribe_request_report_id
        )
        .where(
            UnsubscribeRequest.notification_id == notification_id,
            UnsubscribeRequestReport.processed_by_service_at.is_(None),
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def blueprint(container: Container) -> Blueprint:
    """`POST /unsubscribe/<notification id>/<token>`."""
    database, cache = container.parts.database, container.parts.cache
    tokens = container.get(UrlTokens)
    routes = Blueprint("unsubscribe", __name__)

    @routes.post("/unsubscribe/<uuid:notification_id>/<string:token>")
    def unsubscribe(notification_id: UUID, token: str) -> Response:
        try:
            address = tokens.read(token, MAX_AGE_SECONDS)
        except BadUrlTokenError:
            return _error("This is not a valid unsubscribe link.")
        with database.transaction() as session:
            if _is_waiting(session, notification_id):
                return _success()
            message = session.execute(_FIND, {"id": notification_id}).first()
            if message is None:
                return _error("This unsubscribe link is invalid or expired.")
            session.add(
                UnsubscribeRequest(
                    notification_id=notification_id,
                    service_id=message.service_id,
                    template_id=message.template_id,
                    template_version=message.template_version,
                    email_address=address,
                )
            )
        cache.delete(
            f"service-{message.service_id}-unsubscribe-request-statistics",
            f"service-{message.service_id}-unsubscribe-request-reports-summary",
        )
        return _success()

    return routes
