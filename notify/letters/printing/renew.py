"""Renews the credentials for the print provider each month (contract: letters 10.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

import structlog

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.letters.printing.base import RetryablePrinterError
from notify.letters.printing.credentials import USERNAME, PrinterCredentials
from notify.letters.printing.dvla import DvlaPrinter
from notify.letters.settings import PrinterSettings
from notify.settings import Settings

logger = structlog.get_logger(__name__)

LOCK_SECONDS: Final = 60


class CredentialsRenewal:
    """Renews the key and the password of our account with the print provider."""

    def __init__(
        self, settings: Settings, cache: Cache, credentials: PrinterCredentials, printer: Callable[[], DvlaPrinter]
    ) -> None:
        self._is_used = settings.part(PrinterSettings).printer == "dvla"
        self._cache = cache
        self._credentials = credentials
        self._printer = printer

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process. The printer is only built when needed: another one may be in use."""
        parts = container.parts
        return cls(parts.settings, parts.cache, container.get(PrinterCredentials), lambda: container.get(DvlaPrinter))

    def renew_api_key(self) -> bool:
        """Replace the key unless another process is doing so; returns whether it did. Raises `PrinterError`."""
        return self._renew("api-key", DvlaPrinter.renew_api_key)

    def renew_password(self) -> bool:
        """Replace the password unless another process is doing so; returns whether it did. Raises `PrinterError`."""
        return self._renew("password", DvlaPrinter.renew_password)

    def _renew(self, what: str, renew: Callable[[DvlaPrinter], None]) -> bool:
        if not self._is_used:
            return False
        if not self._credentials.can_be_renewed:
            logger.warning("the printer's credentials are in the settings: renew them by hand", what=what)
            return False
        key = f"dvla-change-{what}-{self._credentials.get(USERNAME)}"
        if not _locked(self._cache, key):
            logger.info("the printer's credentials are being renewed elsewhere", what=what)
            return False
        try:
            renew(self._printer())
        except Exception:
            self._cache.delete(key)  # allow a retry soon
            raise
        # on success keep the lock: a task that runs twice must not renew twice
        logger.info("the printer's credentials were renewed", what=what)
        return True


def _locked(cache: Cache, key: str) -> bool:
    """Take a lock for a minute; returns whether it was free. Without a cache, it always is.

    Raises `RetryablePrinterError` while the cache is down.
    """
    if not cache.is_enabled:
        return True
    answers = cache.pipeline("lock", lambda pipeline: pipeline.set(key, "1", nx=True, ex=LOCK_SECONDS))
    if answers is None:
        raise RetryablePrinterError("the lock needs the cache")
    return bool(answers[0])
