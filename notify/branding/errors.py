"""Refusals of the branding room. Texts are the contract's (internal-jobs-billing-platform 9, 10)."""

from __future__ import annotations

from uuid import UUID

from notify.infra.errors import FieldProblemError, NotFoundProblemError, ProblemError


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
    """A branding's name and its 99 alternatives are taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There are 99 brandings named like {name} already")


class NotInPoolError(NotFoundProblemError):
    """The branding is not among those that the organisation's services can choose."""

    def __init__(self, kind: str, branding_id: UUID, organisation: str) -> None:
        super().__init__(f"{kind} branding {branding_id} not in {organisation}'s pool")


class DefaultBrandingError(ProblemError):
    """The branding is the organisation's default, so it must stay in the pool."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"You cannot remove an organisation's default {kind} branding")
