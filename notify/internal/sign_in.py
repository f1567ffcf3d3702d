"""Passwords, codes and links of sign-in (contract: internal-users 1.3, 1.4)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BeforeValidator, WithJsonSchema
from sqlalchemy.orm import Session

from notify.accounts import queries
from notify.infra.container import Container
from notify.infra.errors import NOT_FOUND, FieldProblemError, NotFoundProblemError
from notify.infra.times import utc_now
from notify.infra.validation import complain, shown
from notify.internal.fields import EmailAddress, Uuid
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Body, Fields
from notify.sign_in import codes, passwords, security_keys
from notify.sign_in.codes import CodeDigests
from notify.sign_in.messages import AccountMessages

routes = Routes("sign_in", "/user")


def _only_none(value: object) -> None:
    if value is not None:
        raise complain(f"{shown(value)} is not of type null")


class Password(Fields):
    """A password to check."""

    password: str | MISSING = MISSING


class TextCodeRequest(Body, extra="forbid"):
    """The number to text a code to, if not the user's own."""

    to: str | MISSING | None = MISSING


class LinkRequest(Body, extra="forbid"):
    """The target of a sign-in link."""

    to: Annotated[None, BeforeValidator(_only_none), WithJsonSchema({"type": "null"})] | MISSING = MISSING
    email_auth_link_host: str | MISSING | None = MISSING
    next: str | MISSING | None = MISSING


class Code(Body, extra="forbid"):
    """A code to check."""

    code: str
    code_type: str


class KeySignIn(Body):
    """The result of a sign-in with a security key, which the admin app verified."""

    successful: bool
    webauthn_credential_id: Uuid | MISSING | None = MISSING


class ResetRequest(Fields):
    """The user whose password to reset."""

    email: EmailAddress
    admin_base_url: str | MISSING = MISSING
    next: str | MISSING = MISSING


class VerificationRequest(Fields):
    """The target of a link."""

    admin_base_url: str | MISSING = MISSING


class Address(Fields):
    """An address to write to."""

    email: EmailAddress


def _given(value: str | MISSING | None) -> str | None:
    return None if value is MISSING else value


@routes.post("/<uuid:user_id>/verify/password")
def check_password(container: Container, user_id: UUID, body: Password) -> None:
    """Check a user's password."""
    if body.password is MISSING:
        raise FieldProblemError("password", "Required field missing data")
    passwords.check_password(container.parts.database, user_id, body.password)


@routes.post("/reset-password")
def send_password_reset(session: Session, container: Container, body: ResetRequest) -> None:
    """Email a link that sets a new password."""
    user = queries.user_by_email(session, body.email)
    if user is None:
        raise NotFoundProblemError
    container.get(AccountMessages).send_password_reset(
        session, user, body.email, admin_url=_given(body.admin_base_url), next_path=_given(body.next), now=utc_now()
    )


@routes.post("/<uuid:user_id>/<code_type>-code")
def send_code(
    session: Session,
    container: Container,
    user_id: UUID,
    code_type: str,
    link: Unread[LinkRequest],
    text: Unread[TextCodeRequest],
) -> None:
    """Text a code, or email a sign-in link. Sends nothing while five codes are unused."""
    if code_type not in ("sms", "email"):
        raise NotFoundProblemError(NOT_FOUND)
    now = utc_now()
    user = queries.lock_user(session, user_id)
    if codes.has_too_many_codes(session, user_id, now):
        return
    messages = container.get(AccountMessages)
    if code_type == "sms":
        messages.send_text_code(session, user, _given(text.read().to), now)
        return
    body = link.read()
    messages.send_sign_in_link(
        session, user, admin_url=_given(body.email_auth_link_host), next_path=_given(body.next), now=now
    )


@routes.post("/<uuid:user_id>/verify/code")
def check_code(container: Container, user_id: UUID, body: Code) -> None:
    """Sign a user in with a code."""
    digests = container.get(CodeDigests)
    codes.sign_in_with_code(container.parts.database, digests, user_id, body.code_type, body.code, utc_now())


@routes.post("/<uuid:user_id>/complete/webauthn-login")
def complete_key_sign_in(session: Session, user_id: UUID, body: KeySignIn) -> None:
    """Sign a user in who used a security key, or count a failure."""
    key_id = None if body.webauthn_credential_id is MISSING else body.webauthn_credential_id
    security_keys.complete_sign_in(session, user_id, successful=body.successful, key_id=key_id, now=utc_now())


@routes.post("/<uuid:user_id>/email-verification")
def send_email_verification(
    session: Session, container: Container, user_id: UUID, unread: Unread[VerificationRequest]
) -> None:
    """Email a new user a link that verifies the address."""
    user = queries.get_user(session, user_id)
    url = _given(unread.read().admin_base_url)
    container.get(AccountMessages).send_email_verification(session, user, admin_url=url)


@routes.post("/<uuid:user_id>/email-already-registered")
def send_already_registered(session: Session, container: Container, user_id: UUID, body: Address) -> None:
    """Email the owner of an address that it already has an account."""
    del user_id  # the admin app sends a random one
    container.get(AccountMessages).send_already_registered(session, body.email)


@routes.post("/<uuid:user_id>/change-email-verification")
def send_new_address_verification(
    session: Session, container: Container, user_id: UUID, unread: Unread[Address]
) -> None:
    """Email a link that verifies a user's new address."""
    user = queries.get_user(session, user_id)
    container.get(AccountMessages).send_new_address_verification(session, user, unread.read().email)
