"""Refusals of messages (contract: public-api 5.2, 5.3, 5.5, 5.6, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from notify.content.email import LARGEST_EMAIL
from notify.content.sms import LONGEST_MESSAGE
from notify.infra.errors import ProblemError

TYPE_WORDS: Final = {"sms": "text messages", "email": "emails", "letter": "letters"}


class NotAllowedToSendError(ProblemError):
    """The service lacks the permission for this type."""

    def __init__(self, notification_type: str) -> None:
        super().__init__(f"Service is not allowed to send {TYPE_WORDS[notification_type]}")


class TemplateNotFoundError(ProblemError):
    """The service has no such template."""

    def __init__(self) -> None:
        super().__init__("Template not found")


class TemplateDeletedError(ProblemError):
    """The template is archived."""

    def __init__(self) -> None:
        super().__init__("Template has been deleted")


class UnsuitableTemplateError(ProblemError):
    """The template is of another type."""

    def __init__(self, template_type: str, notification_type: str) -> None:
        super().__init__(f"{template_type} template is not suitable for {notification_type} notification")


class MissingPersonalisationError(ProblemError):
    """Placeholders have no value."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("Missing personalisation: " + ", ".join(names))


class EmptyMessageError(ProblemError):
    """The message has no text."""

    def __init__(self) -> None:
        super().__init__("Your message is empty.")


class TextTooLongError(ProblemError):
    """More characters than a text message may have."""

    def __init__(self, characters: int, limit: int) -> None:
        super().__init__(
            f"Your message is too long. Text messages cannot be longer than {limit} characters. "
            f"Your message is {characters} characters long."
        )


class EmailTooLongError(ProblemError):
    """More bytes than an email may have."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"Your message is too long. Emails cannot be longer than {limit} bytes. Your message is {size} bytes."
        )


class LetterTooLongError(ProblemError):
    """The text is longer than a letter can be."""

    def __init__(self) -> None:
        super().__init__("Your message is too long.")


def too_much_text(notification_type: str, length: int) -> ProblemError:
    """The error for a message that would be far too long to render; `length` is its approximate length."""
    if notification_type == "sms":
        return TextTooLongError(length, LONGEST_MESSAGE)
    return EmailTooLongError(length, LARGEST_EMAIL) if notification_type == "email" else LetterTooLongError()


class TooMuchPersonalisationError(ProblemError):
    """The values that the template uses are too large to store."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"Your personalisation is too large. It cannot be larger than {limit} bytes. It is {size} bytes."
        )


class FileInWrongChannelError(ProblemError):
    """A file in a text message or letter."""

    def __init__(self) -> None:
        super().__init__("Can only send a file by email")


class FilesNotSetUpError(ProblemError):
    """The service has no contact details for its download pages."""

    def __init__(self, admin_base_url: str, service_id: UUID) -> None:
        super().__init__(
            "Send files by email has not been set up - add contact details for your service at "
            f"{admin_base_url}/services/{service_id}/service-settings/send-files-by-email"
        )


class TeamOnlyRecipientError(ProblemError):
    """A team key, and a recipient outside the team and the guest list."""

    def __init__(self) -> None:
        super().__init__("Can’t send to this recipient using a team-only API key")


class TrialModeRecipientError(ProblemError):
    """A service in trial mode, and a recipient outside the team and the guest list."""

    def __init__(self) -> None:
        super().__init__(
            "Can’t send to this recipient when service is in trial mode – see "
            "https://www.notifications.service.gov.uk/trial-mode"
        )


class InternationalNotAllowedError(ProblemError):
    """An international number, and the service lacks the permission for those."""

    def __init__(self) -> None:
        super().__init__("Cannot send to international mobile numbers")


class InvalidPhoneProblemError(ProblemError):
    """A number the service may not send to."""

    error = "InvalidPhoneError"


class UnknownSenderError(ProblemError):
    """No such sender or reply-to address in the service."""

    def __init__(self, field: str, sender_id: UUID, service_id: UUID) -> None:
        super().__init__(f"{field} {sender_id} does not exist in database for service id {service_id}")


class NoRecipientError(ProblemError):
    """A message without a recipient (contract: internal-services 11.1)."""

    def __init__(self) -> None:
        super().__init__("Recipient can't be empty")


class InvalidEmailProblemError(ProblemError):
    """The email address is not valid."""

    def __init__(self) -> None:
        super().__init__("Not a valid email address")


class NotAMemberError(ProblemError):
    """The person who sends does not belong to the service (contract: internal-services 11.1)."""

    def __init__(self, user_name: str, service_name: str) -> None:
        super().__init__(f'Can’t create notification - {user_name} is not part of the "{service_name}" service')


class SenderNotFoundError(ProblemError):
    """The service has no such sender or reply-to address (contract: internal-services 11.1)."""

    def __init__(self, notification_type: str) -> None:
        thing = "SMS sender" if notification_type == "sms" else "Reply to email address"
        super().__init__(f"{thing} not found")


class NotificationNotFoundError(ProblemError):
    """The service has no such message (contract: internal-services 10.6)."""

    status = 404

    def __init__(self) -> None:
        super().__init__("Notification not found")


class CannotCancelError(ProblemError):
    """The message cannot be cancelled (contract: internal-services 10.6)."""


class LettersNotForTeamKeyError(ProblemError):
    """Letters need a live or a test key."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Cannot send letters with a team api key")


class LettersInTrialModeError(ProblemError):
    """Letters need a live service, or a test key."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Cannot send letters when service is in trial mode")


class AddressProblemError(ProblemError):
    """The address cannot be printed."""

    error = "ValidationError"


class QrCodeTooLongError(ProblemError):
    """The data is too long for a readable QR code."""

    error = "ValidationError"

    def __init__(self, data: str, num_bytes: int, max_bytes: int) -> None:
        super().__init__(
            "Cannot create a usable QR code - the link is too long",
            extra={"data": data, "num_bytes": num_bytes, "max_bytes": max_bytes},
        )


class PdfNotReadyError(ProblemError):
    """The letter has no PDF yet."""

    error = "PDFNotReadyError"

    def __init__(self) -> None:
        super().__init__("PDF not available yet, try again later")
