"""Errors of teams. The contract sets their texts (internal-users-orgs-templates 3, 4.3; internal-services 5)."""

from __future__ import annotations

from typing import Any

from notify.infra.errors import MalformedRequestError, ProblemError


class InvitationLinkError(ProblemError):
    """The link of an invitation cannot be used."""

    def message(self) -> Any:
        """The text as `{"invitation": text}`."""
        return {"invitation": self.messages[0]}


class ExpiredInvitationError(InvitationLinkError):
    """The invitation is older than two days."""

    def __init__(self) -> None:
        super().__init__(
            "Your invitation to GOV.UK Notify has expired. Please ask the person that invited you to send you another "
            "one"
        )


class BrokenInvitationError(InvitationLinkError):
    """The link has no valid signature."""

    def __init__(self) -> None:
        super().__init__("Something’s wrong with this link. Make sure you’ve copied the whole thing.")


class HasServicesError(ProblemError):
    """An organisation with active services cannot be archived."""

    def __init__(self) -> None:
        super().__init__("Cannot archive an organisation with active services")


class HasMembersError(ProblemError):
    """An organisation with members, or invited ones, cannot be archived."""

    def __init__(self) -> None:
        super().__init__("Cannot archive an organisation with team members or invited team members")


class InServiceAlreadyError(ProblemError):
    """The user who asks to join a service is already a member of it."""

    def __init__(self) -> None:
        super().__init__("user-already-in-service")


class NobodyToAskError(ProblemError):
    """None of the users to be asked is a member of the service."""

    def __init__(self) -> None:
        super().__init__("no-valid-service-managers-ids")


class NoGoLiveRequestError(MalformedRequestError):
    """Nobody has asked to make the service live."""
