"""Tables of second factors (contract: data-model 2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.times import utc_now

CodeType = Literal["email", "sms"]
CODE_TYPES: Final = get_args(CodeType)

verify_code_types_enum = enum("verify_code_types", CODE_TYPES)


class VerifyCode(Base):
    """A code that was sent to a user. `code` is a keyed digest (codes.py), never the code."""

    __tablename__ = "verify_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    code: Mapped[str] = mapped_column("_code")
    code_type: Mapped[str] = mapped_column(verify_code_types_enum)
    expiry_datetime: Mapped[datetime]
    code_used: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class SecurityKey(Base):
    """A WebAuthn credential of a user. The admin app makes and checks it: its data are opaque text here."""

    __tablename__ = "webauthn_credential"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    credential_data: Mapped[str]
    registration_response: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    logged_in_at: Mapped[datetime | None]
