"""Names of the tasks of letters, and functions that publish them. The first task, which makes a PDF, is in
`messages.publish`.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from notify import queues
from notify.infra.queue import Queue, TaskName

SCAN_FILE: Final = TaskName("scan-file")
SANITISE_LETTER: Final = TaskName("sanitise-letter")
RESANITISE_PDF: Final = TaskName("resanitise-pdf")
RESANITISE_ATTACHMENT: Final = TaskName("resanitise-letter-attachment")
CREATE_FAKE_LETTER_CALLBACK: Final = TaskName("create-fake-letter-callback")


def publish_check(queue: Queue, file_name: str, service_id: UUID, *, scans: bool) -> bool:
    """Publish the next step of a precompiled letter: the virus scan, or the check if scans are off. False if the broker
    is down: then it is published later.
    """
    group = str(service_id)
    if scans:
        return queue.publish(SCAN_FILE, [file_name], queue=queues.ANTIVIRUS, group=group)
    return queue.publish(SANITISE_LETTER, [file_name], queue=queues.LETTERS, group=group)


def publish_fake_callback(
    queue: Queue, letter_id: UUID, sheets: int, postage: str | None, *, countdown: float | None = None
) -> bool:
    """Publish the fake callback for a letter of a test key or of the sandbox printer, to run after `countdown` seconds.
    False if the broker is down.
    """
    arguments = [str(letter_id), sheets, postage]
    return queue.publish(CREATE_FAKE_LETTER_CALLBACK, arguments, queue=queues.RESEARCH_MODE, countdown=countdown)
