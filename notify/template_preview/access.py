"""Where the template preview service is, and who may call it (contract: letters 6)."""

from __future__ import annotations

from typing import Final

from notify.infra import shared_secrets
from notify.safety import DEVELOPMENT_TEMPLATE_PREVIEW_SECRET
from notify.settings import Settings

PREFIX: Final = "/template-preview"
SCHEME: Final = "token"


def address_of(settings: Settings) -> str:
    """The address that the admin app takes."""
    return settings.api_host_name.rstrip("/") + PREFIX


def secrets_of(settings: Settings) -> list[str]:
    """The secrets that are accepted: in development and test, where none is set, the admin app's own."""
    default = [DEVELOPMENT_TEMPLATE_PREVIEW_SECRET] if settings.is_safe_environment else []
    return settings.template_preview_internal_secrets or default


def is_allowed(authorization: str, secrets: list[str]) -> bool:
    """Whether an `Authorization` header has one of the secrets. The name of its scheme is read in any case."""
    return shared_secrets.is_allowed(authorization, SCHEME, secrets)
