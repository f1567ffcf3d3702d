"""The table of documents. The content is in the object store, encrypted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now


class Document(Base):
    """A file behind a download link. `confirmation_hash` is the Argon2 hash of the recipient's email address, if that
    is needed to open it. The description is encrypted with the key in the link, which is stored nowhere.
    """

    __tablename__ = "documents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    available_until: Mapped[datetime] = mapped_column(index=True)
    confirmation_hash: Mapped[str | None]
    confirmation_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    confirmation_attempted_at: Mapped[datetime | None]
    description: Mapped[bytes] = mapped_column(LargeBinary)
