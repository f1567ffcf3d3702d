"""Tables of prices (contract: data-model 2.6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.services.models import notification_type_enum


class Rate(Base):
    """Pounds per text message fragment, from a moment on."""

    __tablename__ = "rates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    valid_from: Mapped[datetime]
    rate: Mapped[Decimal] = mapped_column(Numeric)
    notification_type: Mapped[str] = mapped_column(notification_type_enum)

    __table_args__ = (Index("ix_rates_notification_type", "notification_type"),)


class LetterRate(Base):
    """Pounds per letter of so many sheets (1 to 5) in a class of post. `end_date` null = current."""

    __tablename__ = "letter_rates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    start_date: Mapped[datetime]
    end_date: Mapped[datetime | None]
    sheet_count: Mapped[int]
    rate: Mapped[Decimal] = mapped_column(Numeric)
    crown: Mapped[bool]
    post_class: Mapped[str]
