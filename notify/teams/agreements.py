"""Receipts for signed agreements of organisations (contract: internal-users-orgs-templates 4.3, 10)."""

from __future__ import annotations

from typing import Self

from sqlalchemy.orm import Session

from notify.accounts.queries import get_user
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.notices import catalogue
from notify.notices.sender import Notices
from notify.organisations.models import Organisation


class AgreementMessages:
    """Sends the receipts for an agreement, in the transaction that stores it."""

    def __init__(self, notices: Notices, admin_url: str) -> None:
        self._notices = notices
        self._admin_url = admin_url.rstrip("/")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Notices), container.parts.settings.admin_base_url)

    def send_receipts(self, session: Session, organisation: Organisation) -> None:
        """Send a receipt to the user who signed, and to the person on whose behalf they signed, if any.

        Raises `NotFoundProblemError` (nobody signed) and `ProblemError` (invalid email address).
        """
        if organisation.agreement_signed_by_id is None:
            raise NotFoundProblemError
        signer = get_user(session, organisation.agreement_signed_by_id)
        crown = "crown" if organisation.crown else "non-crown"
        values = {
            "mou_link": f"{self._admin_url}/agreement/{crown}.pdf",
            "org_name": organisation.name,
            "org_dashboard_link": f"{self._admin_url}/organisations/{organisation.id}",
            "signed_by_name": signer.name,
            "on_behalf_of_name": organisation.agreement_signed_on_behalf_of_name or "",
        }
        other = organisation.agreement_signed_on_behalf_of_email_address
        if not other:
            self._notices.send(session, catalogue.AGREEMENT_SIGNED, signer.email_address, values)
            return
        try:
            validate(other)
        except InvalidEmailAddress as error:
            raise ProblemError(str(error)) from None
        self._notices.send(session, catalogue.AGREEMENT_SIGNED_FOR_YOU, other, values)
        self._notices.send(session, catalogue.AGREEMENT_SIGNED_BY_YOU, signer.email_address, values)
