"""Refusals of the templates room. Texts are the contract's (internal-users-orgs-templates 5.2) where it has one."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError

_CHANNELS = {"sms": "text message", "email": "email", "letter": "letter"}


class InvalidTemplateError(FieldProblemError):
    """A value of a template breaks a rule."""


class TemplateTypeNotAllowedError(FieldProblemError):
    """The service has no permission for this type of message."""

    def __init__(self, doing: str, template_type: str) -> None:
        super().__init__("template_type", f"{doing} {_CHANNELS[template_type]} templates is not allowed", status=403)


class ContentTooLongError(FieldProblemError):
    """A text message that is too long to be sent."""

    def __init__(self, limit: int) -> None:
        super().__init__("content", f"Content has a character count greater than the limit of {limit}")


class QrCodeTooLongError(FieldProblemError):
    """A letter has a QR code with more data than printers and phones can still read."""

    def __init__(self) -> None:
        super().__init__("content", "qr-code-too-long")


class UnknownLetterContactError(FieldProblemError):
    """The service has no such contact block."""

    def __init__(self, contact_id: object, service_id: object) -> None:
        super().__init__(
            "reply_to", f"letter_contact_id {contact_id} does not exist in database for service id {service_id}"
        )


class UnknownFolderError(FieldProblemError):
    """The service has no such folder."""

    def __init__(self) -> None:
        super().__init__("parent_folder_id", "parent_folder_id not found")
