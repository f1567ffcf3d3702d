"""Messages to people who register, sign in or change their account (contract: internal-users 1.2 to 1.4, 10)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, Self
from urllib.parse import quote

from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.sms_rates import takes_numeric_senders_only
from notify.infra.container import Container
from notify.infra.url_tokens import UrlTokens
from notify.notices import catalogue
from notify.notices.sender import Notices
from notify.services.models import NOTIFY_SERVICE_ID
from notify.services.queries import permissions
from notify.sign_in.codes import CodeDigests, new_link_code, new_text_code, save_code
from notify.sign_in.errors import UnsendableNumberError

INTERNATIONAL_SENDER: Final = "07984404008"
"""Sender of text messages to countries that accept only numbers as senders."""


class AccountMessages:
    """Sends the emails and text messages of accounts. Each is stored in the caller's transaction.

    `admin_url` is the address of the admin app in the links; None means the one in the settings.
    """

    def __init__(self, notices: Notices, tokens: UrlTokens, digests: CodeDigests, admin_url: str) -> None:
        self._notices = notices
        self._tokens = tokens
        self._digests = digests
        self._admin_url = admin_url

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(
            container.get(Notices),
            container.get(UrlTokens),
            container.get(CodeDigests),
            container.parts.settings.admin_base_url,
        )

    def send_text_code(self, session: Session, user: User, number: str | None, now: datetime) -> None:
        """Text a new code to `number`, or to the user's own number if it is None. Raises `UnsendableNumberError`."""
        to = number or user.mobile_number or ""
        sender = _sender_for(session, to)
        code = new_text_code()
        save_code(session, self._digests, user.id, "sms", code, now)
        self._notices.send(session, catalogue.SMS_CODE, to, {"verify_code": code}, sender=sender)

    def send_sign_in_link(
        self, session: Session, user: User, *, admin_url: str | None, next_path: str | None, now: datetime
    ) -> None:
        """Email a link that contains a new code."""
        code = new_link_code()
        save_code(session, self._digests, user.id, "email", code, now)
        says = {"user_id": str(user.id), "secret_code": code}
        url = self._link("email-auth", says, admin_url, next_path)
        self._notices.send(session, catalogue.SIGN_IN_LINK, user.email_address, {"name": user.name, "url": url})

    def send_password_reset(
        self,
        session: Session,
        user: User,
        email_address: str,
        *,
        admin_url: str | None,
        next_path: str | None,
        now: datetime,
    ) -> None:
        """Email a link to the page that sets a new password. `email_address` is the address as it was typed."""
        # different characters may have the same lower case: the typed address may be another person's mailbox
        to = email_address if email_address.isascii() else user.email_address
        made_at = now.replace(tzinfo=None).isoformat(" ", "microseconds")
        url = self._link("new-password", {"email": user.email_address, "created_at": made_at}, admin_url, next_path)
        self._notices.send(session, catalogue.RESET_PASSWORD, to, {"user_name": user.name, "url": url})

    def send_email_verification(self, session: Session, user: User, *, admin_url: str | None) -> None:
        """Email a new user a link that verifies the address."""
        url = self._link("verify-email", {"user_id": str(user.id), "email": user.email_address}, admin_url)
        self._notices.send(session, catalogue.VERIFY_EMAIL_ADDRESS, user.email_address, {"name": user.name, "url": url})

    def send_new_address_verification(self, session: Session, user: User, email_address: str) -> None:
        """Email a user's new address a link that verifies it."""
        url = self._link("your-account/email/confirm", {"user_id": str(user.id), "email": email_address})
        values = {"name": user.name, "url": url, "feedback_url": f"{self._admin_url}/support"}
        self._notices.send(session, catalogue.CONFIRM_NEW_EMAIL_ADDRESS, email_address, values)

    def send_already_registered(self, session: Session, email_address: str) -> None:
        """Tell the owner of an address that an account with it already exists."""
        values = {
            "signin_url": f"{self._admin_url}/sign-in",
            "forgot_password_url": f"{self._admin_url}/forgot-password",
            "feedback_url": f"{self._admin_url}/support",
        }
        self._notices.send(session, catalogue.ALREADY_REGISTERED, email_address, values)

    def send_address_changed(self, session: Session, user: User, changed_by: User) -> None:
        """Tell a user, at the new address, that somebody else changed it."""
        values = {"name": user.name, "servicemanagername": changed_by.name, "email address": user.email_address}
        self._notices.send(session, catalogue.EMAIL_ADDRESS_EDITED, user.email_address, values)

    def send_number_changed(self, session: Session, user: User, changed_by: User) -> None:
        """Tell a user, at the new number, that somebody else changed it. Raises `UnsendableNumberError`."""
        if user.mobile_number is None:
            return
        values = {"name": user.name, "servicemanagername": changed_by.name, "email address": user.email_address}
        sender = _sender_for(session, user.mobile_number)
        self._notices.send(session, catalogue.MOBILE_NUMBER_EDITED, user.mobile_number, values, sender=sender)

    def _link(self, path: str, says: dict[str, str], admin_url: str | None = None, next_path: str | None = None) -> str:
        token = self._tokens.make(json.dumps(says))
        query = f"?next={quote(next_path, safe='')}" if next_path else ""
        return f"{(admin_url or self._admin_url).rstrip('/')}/{path}/{token}{query}"


def _sender_for(session: Session, number: str) -> str | None:
    """The sender of a text message to this number; None is the default of the Notify service. Raises
    `UnsendableNumberError`.
    """
    allowed = permissions(session, NOTIFY_SERVICE_ID)
    try:
        parsed = PhoneNumber.parse(number)
        parsed.check(allow_international=True, allow_landline="sms_to_uk_landlines" in allowed)
    except InvalidPhoneNumber as error:
        raise UnsendableNumberError(error.ui_text) from None
    if parsed.international and "international_sms" not in allowed:
        raise UnsendableNumberError("Cannot send to international mobile numbers")
    numeric = parsed.international and takes_numeric_senders_only(parsed.country_prefix)
    return INTERNATIONAL_SENDER if numeric else None
