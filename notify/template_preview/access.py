"""The address and the secrets of the template preview service (contract: letters 6)."""

from __future__ import annotations

from typing import Final

from notify.infra import shared_secrets
from notify.safety import DEVELOPMENT_TEMPLATE_PREVIEW_SECRET
from notify.settings import Settings

PREFIX: Final = "/template-preview"
SCHEME: Final = "token"


def address_of(settings: Settings) -> str:
    """The address that the admin app uses."""
    return settings.api_host_name.rstrip("/") + PREFIX


def secrets_of(settings: Settings) -> list[str]:
    """The secrets that are accepted. In development and test the admin app's default, if none is set."""
    default = [DEVELOPMENT_TEMPLATE_PREVIEW_SECRET] if settings.is_safe_environment else []
    return settings.template_preview_internal_secrets or default


def is_allowed(authorization: str, secrets: list[str]) -> bool:
    """Whether an `Authorization` header has one of the secrets. The name of its scheme is case-insensitive."""
    return shared_secrets.is_allowed(authorization, SCHEME, secrets)
