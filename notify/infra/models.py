"""Tables that belong to no feature."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.key_check import CHECK_VALUE
from notify.infra.secrets import ENCRYPTED


class EncryptionCheck(Base):
    """One row, whose value only the keys of this database's data can decrypt."""

    __tablename__ = "encryption_check"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: CHECK_VALUE})
