"""Renewing the credentials of the print provider, each month (contract: letters 10.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.letters.printing.base import RetryablePrinterError
from notify.letters.printing.credentials import USERNAME, PrinterCredentials
from notify.letters.printing.dvla import DvlaPrinter
from notify.letters.settings import PrinterSettings

logger = structlog.get_logger(__name__)

LOCK_SECONDS: Final = 60


def renew_api_key(container: Container) -> bool:
    """Replace the key, unless another process is about to; whether this call did. Raises `PrinterError`."""
    return _renew(container, "api-key", lambda printer: printer.renew_api_key())


def renew_password(container: Container) -> bool:
    """Replace the password, unless another process is about to; whether this call did. Raises `PrinterError`."""
    return _renew(container, "password", lambda printer: printer.renew_password())


def _renew(container: Container, what: str, renew: Callable[[DvlaPrinter], None]) -> bool:
    if container.parts.settings.part(PrinterSettings).printer != "dvla":
        return False
    credentials = container.get(PrinterCredentials)
    if not credentials.can_be_renewed:
        logger.warning("the printer's credentials are in the settings: renew them by hand", what=what)
        return False
    key = f"dvla-change-{what}-{credentials.get(USERNAME)}"
    if not _locked(container.parts.cache, key):
        logger.info("the printer's credentials are being renewed elsewhere", what=what)
        return False
    try:
        renew(container.get(DvlaPrinter))
    except Exception:
        container.parts.cache.delete(key)  # another try may come soon
        raise
    # else the lock stays: a task that came twice must not renew what was just renewed
    logger.info("the printer's credentials were renewed", what=what)
    return True


def _locked(cache: Cache, key: str) -> bool:
    """Take a lock for a minute; whether nobody had it. Without a cache there is nobody else.

    Raises `RetryablePrinterError` while the cache is down.
    """
    if not cache.is_enabled:
        return True
    answers = cache.pipeline("lock", lambda pipeline: pipeline.set(key, "1", nx=True, ex=LOCK_SECONDS))
    if answers is None:
        raise RetryablePrinterError("the lock needs the cache")
    return bool(answers[0])
