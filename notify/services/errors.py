"""Refusals of the services room. Texts are the contract's (internal-services) where it has one."""

from __future__ import annotations

from uuid import UUID

from notify.infra.errors import FieldProblemError, NotFoundProblemError, ProblemError


class InvalidServiceError(FieldProblemError):
    """A value of a service's settings is not acceptable."""


class DuplicateServiceNameError(FieldProblemError):
    """Another service has this name, or one that differs only in case and punctuation (internal-services 1.3)."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"Duplicate service name '{name}'")


class InvalidApiKeyError(FieldProblemError):
    """An API key's name or type is not acceptable."""


class DuplicateApiKeyNameError(FieldProblemError):
    """The service has a key of this name that is not revoked."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"Duplicate API key name '{name}'")


class UnknownApiKeyError(NotFoundProblemError):
    """The service has no such key that is not revoked; the contract's text names the service (internal-services 4)."""

    def __init__(self, service_id: UUID) -> None:
        super().__init__(f"API key not found for id: {service_id}")


class InvalidSmsSenderError(FieldProblemError):
    """A text message sender breaks the rules of what networks accept."""

    def __init__(self, message: str) -> None:
        super().__init__("sms_sender", message)


class InvalidReplyToError(FieldProblemError):
    """A reply-to address is not an email address."""

    def __init__(self) -> None:
        super().__init__("email_address", "Not a valid email address")


class DuplicateReplyToError(ProblemError):
    """The service uses this reply-to address already (internal-services 6.1)."""

    status = 409

    def __init__(self, email_address: str) -> None:
        super().__init__(f"‘{email_address}’ is already a reply-to email address for this service.")


class DefaultNeededError(ProblemError):
    """A service needs a default sender of this kind: the first one must be the default until another replaces it."""

    def __init__(self, thing: str) -> None:
        super().__init__(f"You must have at least one {thing} as the default.")


class DefaultSenderError(ProblemError):
    """The default sender of a kind cannot be archived (internal-services 6.1, 6.3)."""

    def __init__(self, thing: str) -> None:
        super().__init__(f"You cannot delete a default {thing}")


class SenderIsInboundNumberError(ProblemError):
    """A text message sender that is an inbound number cannot be archived (internal-services 6.3)."""

    def __init__(self) -> None:
        super().__init__("You cannot delete an inbound number")


class InboundNumberSenderError(ProblemError):
    """A text message sender that is an inbound number keeps its text (internal-services 6.3)."""

    def __init__(self, service_id: UUID) -> None:
        super().__init__(f"You can not change the inbound number for service {service_id}")


class InvalidGuestListError(ProblemError):
    """An entry of a guest list is neither a mobile number nor an email address (internal-services 9.2)."""

    def __init__(self, entry: str) -> None:
        super().__init__(f'Invalid guest list: "{entry}" is not a valid email address or phone number')


class InvalidInboundNumberError(ProblemError):
    """Not a number of the United Kingdom in local form, such as 07900900123."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is not a number like 07900900123")


class NoFreeNumberError(ProblemError):
    """No inbound number is free, or the wanted one is not."""

    def __init__(self) -> None:
        super().__init__("There is no such inbound number available")


class HasInboundNumberError(ProblemError):
    """The service has an inbound number already."""

    def __init__(self) -> None:
        super().__init__("The service has an inbound number already")


class NoInboundNumberError(ProblemError):
    """The service has no inbound number."""

    def __init__(self) -> None:
        super().__init__("The service has no inbound number")


class DuplicateRetentionError(ProblemError):
    """The service has a retention for this type already, or there is no such service (internal-services 9.1)."""

    def __init__(self, notification_type: str) -> None:
        super().__init__(f"Service already has data retention for {notification_type} notification type")


class UnknownRetentionError(NotFoundProblemError):
    """The service has no such retention (internal-services 9.1)."""

    def __init__(self, retention_id: UUID, service_id: UUID) -> None:
        super().__init__(f"The service data retention for id: {retention_id} was not found for service: {service_id}")


class MemberAlreadyError(ProblemError):
    """The user belongs to the service already."""

    def __init__(self, user_id: UUID, service_id: UUID) -> None:
        super().__init__(f"User id: {user_id} already part of service id: {service_id}")


class NoMemberError(NotFoundProblemError):
    """The user does not belong to the service."""

    def __init__(self) -> None:
        super().__init__("User not found")


class MemberNeededError(ProblemError):
    """The service would have too few members or managers."""

    def __init__(self) -> None:
        super().__init__("User cannot be removed from the service")


class MemberNeededSomewhereError(ProblemError):
    """One of a user's services would have too few members or managers."""

    def __init__(self) -> None:
        super().__init__("User cannot be removed from a service")


class TooFewManagersError(ProblemError):
    """The service would have too few users who manage its settings."""

    def __init__(self) -> None:
        super().__init__("Cannot change user permissions - service would have too few users with manage_settings")
