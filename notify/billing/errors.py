"""Errors of the billing room."""

from __future__ import annotations

from uuid import UUID

from notify.infra.errors import ProblemError


class NoAllowanceError(ProblemError):
    """There is no default allowance for the year, so a service cannot be billed."""

    status = 500

    def __init__(self, organisation_type: str, year: int, service_id: UUID) -> None:
        super().__init__(f"no default allowance of {organisation_type} in {year} for service {service_id}")
