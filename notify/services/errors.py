"""Refusals of the services room. Texts are the contract's (internal-services) where it has one."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, ProblemError


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
    """The first of a service's senders must be its default."""

    def __init__(self, thing: str) -> None:
        super().__init__(f"You must have at least one {thing} as the default.")


class InvalidGuestListError(ProblemError):
    """An entry of a guest list is nothing that can be sent to (internal-services 9.2)."""

    def __init__(self, entry: str) -> None:
        super().__init__(f'Invalid guest list: "{entry}" is not a valid email address or phone number')


class InvalidInboundNumberError(ProblemError):
    """Not a number of this country in the form in which numbers that people can text are kept."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is not a number like 07900900123")


class NoFreeNumberError(ProblemError):
    """There is no number that people can text and that is free, or the one that was asked for is not."""

    def __init__(self) -> None:
        super().__init__("There is no such inbound number available")


class HasInboundNumberError(ProblemError):
    """The service receives texts on a number already."""

    def __init__(self) -> None:
        super().__init__("The service has an inbound number already")
