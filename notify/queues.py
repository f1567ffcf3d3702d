"""Names of the task queues, and the worker roles that serve them (contract: workers 2). Names are without the prefix
of the environment.

To add a queue, name it here and put it into a role; to add a role, add an entry here. See docs/running.md.
"""

from collections.abc import Mapping
from typing import Final

PERIODIC: Final = "periodic-tasks"
REPORTING: Final = "reporting-tasks"
JOBS: Final = "job-tasks"
DATABASE: Final = "database-tasks"
DATABASE_DOCUMENTS: Final = "database-tasks-documents"
SEND_SMS: Final = "send-sms-tasks"
SEND_EMAIL: Final = "send-email-tasks"
SEND_LETTER: Final = "send-letter-tasks"
PROCESS_FTP: Final = "process-ftp-tasks"
RESEARCH_MODE: Final = "research-mode-tasks"
INTERNAL: Final = "notify-internal-tasks"
RETRY: Final = "retry-tasks"
CREATE_LETTERS_PDF: Final = "create-letters-pdf-tasks"
LETTERS: Final = "letter-tasks"
ANTIVIRUS: Final = "antivirus-tasks"
SES_CALLBACKS: Final = "ses-callbacks"
SMS_CALLBACKS: Final = "sms-callbacks"
LETTER_CALLBACKS: Final = "letter-callbacks"
SERVICE_CALLBACKS: Final = "service-callbacks"
SERVICE_CALLBACKS_RETRY: Final = "service-callbacks-retry"
REPORT_REQUESTS: Final = "report-requests-notifications-tasks"
BROADCASTS: Final = "broadcast-tasks"
GOVUK_ALERTS: Final = "govuk-alerts"
"""Served by another program, the public site of alerts, not by our workers."""

ALL_ROLES: Final = "all"

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "periodic": (PERIODIC,),
    "reporting": (REPORTING,),
    "jobs": (JOBS,),
    "jobs-save": (DATABASE,),
    "jobs-save-documents": (DATABASE_DOCUMENTS,),
    "sender": (SEND_SMS, SEND_EMAIL),
    "sender-letters": (SEND_LETTER, PROCESS_FTP),
    "research": (RESEARCH_MODE,),
    "internal": (INTERNAL,),
    "retry-tasks": (RETRY,),
    "letters": (CREATE_LETTERS_PDF, LETTERS, ANTIVIRUS),
    "receipts": (SES_CALLBACKS, SMS_CALLBACKS, LETTER_CALLBACKS),
    "service-callbacks": (SERVICE_CALLBACKS,),
    "service-callbacks-retry": (SERVICE_CALLBACKS_RETRY,),
    "report-requests": (REPORT_REQUESTS,),
    "broadcasts": (BROADCASTS,),
}
"""The queues that a worker of each role serves. The role `all` serves every queue."""

QUEUES: Final = tuple(queue for queues in ROLES.values() for queue in queues)
"""Every queue that is served."""


def queues_of(role: str) -> tuple[str, ...]:
    """The queues of a role, `all` included. Raises `KeyError`."""
    return QUEUES if role == ALL_ROLES else ROLES[role]
