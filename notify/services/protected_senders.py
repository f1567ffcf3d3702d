"""Names that services may only use as text message senders after approval (contract: internal-services 9.3)."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from notify.services.models import ProtectedSender


def is_protected(session: Session, sender: str) -> bool:
    """Whether a sender is protected, ignoring case and blanks."""
    return session.get(ProtectedSender, re.sub(r"\s+", "", sender).lower()) is not None
