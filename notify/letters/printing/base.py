"""The interface of printers that take one letter at a time, and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Protocol
from uuid import UUID

LETTER_PROVIDER: Final = "dvla"
"""The identifier of the print provider (contract: data-model 6): `sent_by` of letters that were really printed."""


class PrinterError(Exception):
    """The printer refused a letter for good. The message names neither the recipient nor the content."""


class RetryablePrinterError(PrinterError):
    """The printer did not accept a letter, or did not confirm it. A retry may succeed."""


class ThrottledError(RetryablePrinterError):
    """The printer's rate limit was exceeded."""


class Taken(Enum):
    """How the printer accepted a letter."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """It already had the letter, by its id: an earlier attempt succeeded, but its answer was lost."""


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A letter for the printer. `to` has the lines of the address; `sheets` is the charged number."""

    notification_id: UUID
    reference: str
    to: str
    postage: str
    service_id: UUID
    organisation_id: UUID | None
    sheets: int
    pdf: bytes


class Printer(Protocol):
    """Prints letters, one at a time."""

    identifier: ClassVar[str]
    """`sent_by` of the letters that it accepted."""

    def print_letter(self, job: PrintJob) -> Taken:
        """Send a letter; returns when the printer has it. Safe to repeat: the printer recognises letters by their id.

        Raises `RetryablePrinterError`, or another `PrinterError` if a retry cannot succeed.
        """
        ...
