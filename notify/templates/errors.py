"""Errors of templates. The texts are from the contract (internal-users-orgs-templates 5, 6, 8) if it has one."""

from __future__ import annotations

from typing import Final

from notify.infra.errors import NOT_FOUND, FieldProblemError, NotFoundProblemError, ProblemError

_CHANNELS: Final = {"sms": "text message", "email": "email", "letter": "letter", "broadcast": "broadcast message"}


class InvalidTemplateError(FieldProblemError):
    """A value of a template breaks a rule."""


class NameTooLongError(InvalidTemplateError):
    """The name of a template is too long."""

    def __init__(self) -> None:
        super().__init__("name", "Longer than maximum length 255.")


class TemplateTypeNotAllowedError(FieldProblemError):
    """The service has no permission for this type of message."""

    def __init__(self, doing: str, template_type: str) -> None:
        super().__init__("template_type", f"{doing} {_CHANNELS[template_type]} templates is not allowed", status=403)


class ContentTooLongError(FieldProblemError):
    """A text message is too long to be sent."""

    def __init__(self, limit: int) -> None:
        super().__init__("content", f"Content has a character count greater than the limit of {limit}")


class QrCodeTooLongError(FieldProblemError):
    """A letter has a QR code with more data than printers and phones can handle."""

    def __init__(self) -> None:
        super().__init__("content", "qr-code-too-long")


class MissingValuesError(FieldProblemError):
    """A template cannot be filled in: placeholders have no value."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("template", f"Missing personalisation: {', '.join(names)}")


class UnknownLetterContactError(ProblemError):
    """The service has no such contact block."""

    def __init__(self, contact_id: object, service_id: object) -> None:
        super().__init__(f"letter_contact_id {contact_id} does not exist in database for service id {service_id}")


class UnknownFolderError(ProblemError):
    """The service has no such folder. `field` is the field that named it."""

    def __init__(self, field: str = "parent_folder_id") -> None:
        super().__init__(f"{field} not found")


class FolderNotEmptyError(ProblemError):
    """A folder to be deleted contains templates or folders."""

    def __init__(self) -> None:
        super().__init__("Folder is not empty")


class CannotMoveError(ProblemError):
    """Templates or folders cannot be moved there. Nothing was moved."""


class NotAnEmailError(ProblemError):
    """Only email templates have files."""

    def __init__(self) -> None:
        super().__init__("Cannot add an email file to a non-email template")


class EmailFilesNotAllowedError(ProblemError):
    """The service does not send emails, so its files cannot change."""

    def __init__(self) -> None:
        super().__init__("Updating email templates is not allowed")


class DuplicateFilenameError(ProblemError):
    """A template has a file with this name, or with one that differs only in case, spaces, hyphens or underscores."""

    def __init__(self, filename: str, template_id: object) -> None:
        super().__init__(f"File named {filename} already exists for template id {template_id}")


class UnknownAttachmentError(NotFoundProblemError):
    """There is no such letter attachment."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class HasAttachmentError(ProblemError):
    """A letter template can have one attachment."""

    def __init__(self) -> None:
        super().__init__("template-already-has-attachment")


class NotALetterError(ProblemError):
    """Only letter templates have attachments."""

    def __init__(self) -> None:
        super().__init__("Only a letter template can have an attachment")


class AttachmentArchivedError(ProblemError):
    """The attachment is already archived."""

    def __init__(self) -> None:
        super().__init__("letter-attachment-already-archived")
