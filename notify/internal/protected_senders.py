"""Protected text message senders (contract: internal-services 9.3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from notify.infra.errors import ProblemError
from notify.internal.routes import Routes
from notify.internal.schemas import Query
from notify.services.protected_senders import is_protected

routes = Routes("protected_senders", "/protected-sender-id")


class WhichSender(Query):
    """The sender to look for."""

    sender_id: str = ""


@routes.get("/check")
def check_sender(session: Session, query: WhichSender) -> bool:
    """Check whether a text message sender is protected."""
    if not query.sender_id:
        raise ProblemError("sender_id must be passed in")
    return is_protected(session, query.sender_id)
