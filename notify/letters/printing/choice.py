"""Chooses the printer (`LETTER_PRINTER`). To add one, write a module next to this one, and add it here."""

from __future__ import annotations

from typing import Self

from notify.infra.container import Container
from notify.letters.printing.base import Printer
from notify.letters.settings import PrinterSettings


class NoPrinterError(Exception):
    """Letters are not sent one at a time: there is no printer, or it takes zip files."""


class PrinterChoice:
    """The printer of this installation. Only its module is loaded."""

    def __init__(self, printer: Printer | None) -> None:
        self._printer = printer

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        name = container.parts.settings.part(PrinterSettings).printer
        printer: Printer | None = None
        if name == "dvla":
            from notify.letters.printing.dvla import DvlaPrinter

            printer = container.get(DvlaPrinter)
        elif name == "sandbox":
            from notify.letters.printing.sandbox import SandboxPrinter

            printer = container.get(SandboxPrinter)
        return cls(printer)

    @property
    def printer(self) -> Printer:
        """The printer that takes letters one at a time. Raises `NoPrinterError`."""
        if self._printer is None:
            raise NoPrinterError
        return self._printer
