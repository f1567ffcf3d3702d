"""Addresses and authentication of the two services (contract: admin-app 2.4, 2.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flask import Response, request

from notify.documents.settings import FileCheckSettings
from notify.infra.http import json_answer
from notify.infra.shared_secrets import is_allowed
from notify.safety import DEVELOPMENT_ANTIVIRUS_SECRET, DEVELOPMENT_DOCUMENT_DOWNLOAD_SECRET
from notify.settings import Settings

ANTIVIRUS: Final = "/antivirus"
DOCUMENT_DOWNLOAD: Final = "/document-download"
SCHEME: Final = "bearer"


def address_of(settings: Settings, prefix: str) -> str:
    """The address of a service, for the admin app's settings."""
    return settings.api_host_name.rstrip("/") + prefix


def antivirus_secrets(settings: Settings) -> list[str]:
    """The secrets of the scanner. In development and test, the admin app's default if none is set."""
    default = [DEVELOPMENT_ANTIVIRUS_SECRET] if settings.is_safe_environment else []
    return settings.part(FileCheckSettings).antivirus_api_key or default


def document_download_secrets(settings: Settings) -> list[str]:
    """The secrets of the file check. In development and test, the admin app's default if none is set."""
    default = [DEVELOPMENT_DOCUMENT_DOWNLOAD_SECRET] if settings.is_safe_environment else []
    return settings.part(FileCheckSettings).document_download_api_key or default


def error_answer(status: int, message: str) -> Response:
    """An error in the form of both services."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return json_answer({"error": message}, status, headers)


def guard(secrets: Sequence[str], *, open_paths: Sequence[str] = ()) -> Callable[[], Response | None]:
    """A function to run before each request: it checks the secret before any of the body is read."""

    def authenticate() -> Response | None:
        if request.path in open_paths or is_allowed(request.headers.get("Authorization", ""), SCHEME, secrets):
            return None
        return error_answer(401, "Unauthorized")

    return authenticate
