"""Names that services must not use as text message senders without approval (contract: internal-services 9.3)."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from notify.services.models import ProtectedSender


def is_protected(session: Session, sender: str) -> bool:
    """Whether a sender, without regard to case and blanks, is a protected one."""
    return session.get(ProtectedSender, re.sub(r"\s+", "", sender).lower()) is not None
