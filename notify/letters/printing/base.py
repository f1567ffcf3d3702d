"""What every printer is: it takes one letter at a time, or files of many."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Protocol
from uuid import UUID

LETTER_PROVIDER: Final = "dvla"
"""The identifier of the provider of letters (contract: data-model 6): `sent_by` of letters that were really printed."""


class PrinterError(Exception):
    """The printer did not take a letter, and never will. The text names neither the recipient nor the content."""


class RetryablePrinterError(PrinterError):
    """The printer did not take a letter, or did not say so; the same may work later."""


class ThrottledError(RetryablePrinterError):
    """The printer was asked too often."""


class Taken(Enum):
    """How the printer took a letter."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """It had it already, by its id: an earlier try got through, and its answer did not."""


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A letter for the printer. `to` are the lines of the address; `sheets` is the number that is charged."""

    notification_id: UUID
    reference: str
    to: str
    postage: str
    service_id: UUID
    organisation_id: UUID | None
    sheets: int
    pdf: bytes


class Printer(Protocol):
    """Takes letters one at a time."""

    identifier: ClassVar[str]
    """`sent_by` of the letters that it took."""

    def print_letter(self, job: PrintJob) -> Taken:
        """Hand a letter over; returns when the printer has it. Safe to repeat: the printer knows letters by their id.

        Raises `RetryablePrinterError` and, where a repetition is of no use, another `PrinterError`.
        """
        ...
