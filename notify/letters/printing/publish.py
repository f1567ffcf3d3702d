"""Publishes the printer's reports to the workers."""

from __future__ import annotations

from contextlib import suppress

from notify import queues
from notify.infra.queue import Queue
from notify.letters.printing.status_callback import PROCESS_LETTER_CALLBACK, LetterCallbacks, PrinterUpdate
from notify.letters.statuses import LetterFailedError


def take_update(queue: Queue, callbacks: LetterCallbacks, update: PrinterUpdate) -> None:
    """Queue an update of a letter. If the broker is down, apply it at once: the printer does not send it again."""
    arguments = [
        str(update.notification_id),
        update.page_count,
        update.dvla_status,
        update.cost_threshold,
        None if update.despatch_date is None else update.despatch_date.isoformat(),
    ]
    if not queue.publish(PROCESS_LETTER_CALLBACK, arguments, queue=queues.LETTER_CALLBACKS):
        with suppress(LetterFailedError):  # only meant to make a task fail visibly
            callbacks.apply(update)
