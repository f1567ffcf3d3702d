"""The simulated printer for development: the console shows the pages, and the despatch is reported later."""

from __future__ import annotations

from typing import ClassVar, Self

from notify.infra.container import Container
from notify.infra.queue import Queue
from notify.letters.printing.base import PrintJob, RetryablePrinterError, Taken
from notify.letters.publish import publish_fake_callback
from notify.providers import sandbox
from notify.providers.settings import EmailProviderSettings


class SandboxPrinter:
    """Accepts every letter, and reports its despatch after the sandbox's delay of receipts."""

    identifier: ClassVar[str] = sandbox.IDENTIFIER

    def __init__(self, queue: Queue, *, delay_seconds: float) -> None:
        self._queue = queue
        self._delay = delay_seconds

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        delay = parts.settings.part(EmailProviderSettings).sandbox_receipt_delay_ms / 1000
        return cls(parts.queue, delay_seconds=delay)

    def print_letter(self, job: PrintJob) -> Taken:
        """As `Printer.print_letter`."""
        if not publish_fake_callback(
            self._queue, job.notification_id, job.sheets, job.postage, countdown=max(self._delay, 1.0)
        ):
            raise RetryablePrinterError("the sandbox printer needs the task queue")
        return Taken.NEW
