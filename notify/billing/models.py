"""Tables of prices and free allowances (contract: data-model 2.3, 2.6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.vocabulary import NOTIFICATION_TYPES, ORGANISATION_TYPES

notification_type_enum = enum("notification_type", NOTIFICATION_TYPES)


class Rate(Base):
    """Pounds per text message fragment, valid from a moment on."""

    __tablename__ = "rates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    valid_from: Mapped[datetime]
    rate: Mapped[Decimal] = mapped_column(Numeric)
    notification_type: Mapped[str] = mapped_column(notification_type_enum)

    __table_args__ = (Index("ix_rates_notification_type", "notification_type"),)


class LetterRate(Base):
    """Pounds per letter of so many sheets (1 to 5) in a class of post. No `end_date`: the current price."""

    __tablename__ = "letter_rates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    start_date: Mapped[datetime]
    end_date: Mapped[datetime | None]
    sheet_count: Mapped[int]
    rate: Mapped[Decimal] = mapped_column(Numeric)
    crown: Mapped[bool]
    post_class: Mapped[str]


class AnnualBilling(Base):
    """The free text message fragments of a service in a financial year (that begins in April)."""

    __tablename__ = "annual_billing"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    financial_year_start: Mapped[int]
    free_sms_fragment_limit: Mapped[int]
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    high_volume_service_last_year: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_custom_allowance: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        UniqueConstraint("service_id", "financial_year_start", name="uix_service_id_financial_year_start"),
    )


class DefaultAnnualAllowance(Base):
    """The free fragments of services of an organisation type, from a financial year on."""

    __tablename__ = "default_annual_allowance"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    valid_from_financial_year_start: Mapped[int]
    organisation_type: Mapped[str | None] = mapped_column(String(255))
    allowance: Mapped[int]
    notification_type: Mapped[str] = mapped_column(notification_type_enum)

    __table_args__ = (CheckConstraint(one_of("organisation_type", ORGANISATION_TYPES), name="organisation_type"),)


class BillingFact(Base):
    """What a service sent from a template on a local day, at one price. `rate` is pounds per unit; `billable_units` are
    fragments of text messages, sheets of letters. Facts are kept when their service or template is deleted.
    """

    __tablename__ = "ft_billing"

    bst_date: Mapped[date] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    notification_type: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    rate_multiplier: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    international: Mapped[bool] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric, primary_key=True)
    postage: Mapped[str] = mapped_column(primary_key=True)
    billable_units: Mapped[int | None]
    notifications_sent: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)

    __table_args__ = (
        Index("ix_ft_billing_bst_date", "bst_date"),
        Index("ix_ft_billing_service_id", "service_id", "bst_date"),
        Index("ix_ft_billing_template_id", "template_id"),
    )


class LetterDespatchFact(Base):
    """The letters that the print provider handed to the post on a day, at one price. `rate` is pounds per letter,
    `billable_units` are the sheets of each, `cost_threshold` is sorted or unsorted.
    """

    __tablename__ = "ft_billing_letter_despatch"

    bst_date: Mapped[date] = mapped_column(primary_key=True)
    postage: Mapped[str] = mapped_column(primary_key=True)
    cost_threshold: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric, primary_key=True)
    billable_units: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    notifications_sent: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
