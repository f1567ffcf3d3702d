"""Refusals of the branding room. Texts are the contract's (internal-jobs-billing-platform 9, 10)."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, ProblemError


class InvalidBrandingError(FieldProblemError):
    """A value of a branding is not acceptable."""


class DuplicateEmailBrandingError(FieldProblemError):
    """Another email branding has this name."""

    def __init__(self) -> None:
        super().__init__("name", "An email branding with that name already exists.")


class BrandingTextError(ProblemError):
    """An email branding has both a text and a text for its logo, or neither."""

    def __init__(self) -> None:
        super().__init__("Email branding must have exactly one of alt_text and text.")


class EmailBrandingInUseError(ProblemError):
    """An active service or organisation uses this email branding."""

    def __init__(self) -> None:
        super().__init__("Email branding is in use and so it can't be archived.")


class DuplicateLetterBrandingError(FieldProblemError):
    """Another letter branding has this name or file name; `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field, f"{field.capitalize()} already in use")


class NoFreeNameError(ProblemError):
    """Ninety-nine alternatives of a branding's name are taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There are 99 brandings named like {name} already")
