"""Refusals of the broadcasts room. Texts are the contract's (broadcasts 3, 8)."""

from __future__ import annotations

from uuid import UUID

from notify.infra.errors import ProblemError, ValidationProblemError


class BroadcastProblemError(ProblemError):
    """An emergency alert that cannot be made or changed like this."""


class NotEditableError(BroadcastProblemError):
    """The message is or was live, so it cannot be changed."""

    def __init__(self, message_id: UUID, status: str) -> None:
        super().__init__(f"Cannot update broadcast_message {message_id} while it has status {status}")


class IncompleteAreasError(BroadcastProblemError):
    """Areas without polygons, or polygons without areas. `names` is the request's word for areas."""

    def __init__(self, message_id: UUID, names: str) -> None:
        super().__init__(f"Cannot update broadcast_message {message_id}, {names} or polygons are missing.")


class ForeignUserError(BroadcastProblemError):
    """The user is not a member of the message's service. `verb` is `approve` or `update`."""

    def __init__(self, message_id: UUID, user_id: UUID, verb: str) -> None:
        super().__init__(f"User {user_id} cannot {verb} broadcast_message {message_id} from other service")


class TransitionError(BroadcastProblemError):
    """A message cannot move from the one status to the other."""

    def __init__(self, message_id: UUID, old: str, new: str) -> None:
        super().__init__(f"Cannot move broadcast_message {message_id} from {old} to {new}")


class OwnApprovalError(BroadcastProblemError):
    """An author cannot approve their own alert."""

    def __init__(self, message_id: UUID, user_id: UUID) -> None:
        super().__init__(f"User {user_id} cannot approve their own broadcast_message {message_id}")


class NoAreasError(BroadcastProblemError):
    """An alert without areas cannot be approved."""

    def __init__(self, message_id: UUID) -> None:
        super().__init__(f"broadcast_message {message_id} has no selected areas and so cannot be broadcasted.")


class ServiceInactiveError(BroadcastProblemError):
    """The message's service is archived."""

    def __init__(self) -> None:
        super().__init__("Updating broadcast message is not allowed: service is inactive ", status=403)


class ContentTooLongError(BroadcastProblemError):
    """The text is too long for the networks. `text` names the limit (`notify.broadcasts.content.too_long`)."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Content must be {text}")


class DescriptionTooLongError(ValidationProblemError):
    """The text is too long for the networks: the error of the public API."""

    def __init__(self, text: str) -> None:
        super().__init__(f"description must be {text}")


class NotAllowedError(BroadcastProblemError):
    """The service has no permission for emergency alerts."""

    def __init__(self) -> None:
        super().__init__("Service is not allowed to send broadcast messages")


class UnsupportedTypeError(BroadcastProblemError):
    """The request's content type is not CAP."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} not supported", status=415)


class InvalidCapError(BroadcastProblemError):
    """The request is not valid CAP 1.2."""

    def __init__(self) -> None:
        super().__init__("Request data is not valid CAP XML")


class MissingReferencesError(BroadcastProblemError):
    """A cancellation without references."""

    def __init__(self) -> None:
        super().__init__("Missing <references>")


class AmbiguousReferencesError(BroadcastProblemError):
    """The references of a cancellation match more than one alert."""

    def __init__(self) -> None:
        super().__init__("Multiple alerts found - unclear which one to cancel")
