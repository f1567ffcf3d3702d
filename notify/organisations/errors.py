"""Refusals of the organisations room. Texts are the contract's (internal-users-orgs-templates 4)."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, ProblemError


class InvalidOrganisationError(FieldProblemError):
    """A value of an organisation is not acceptable."""


class DuplicateOrganisationError(ProblemError):
    """Another organisation has this name."""

    def __init__(self) -> None:
        super().__init__("Organisation name already exists")


class DuplicateDomainError(ProblemError):
    """Another organisation has one of these domains."""

    def __init__(self) -> None:
        super().__init__("Domain already exists")
