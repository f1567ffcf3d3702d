"""Names of the task queues (contract: workers 2), without the prefix of the environment."""

from typing import Final

PERIODIC: Final = "periodic-tasks"
SEND_SMS: Final = "send-sms-tasks"
SEND_EMAIL: Final = "send-email-tasks"
RESEARCH_MODE: Final = "research-mode-tasks"
INTERNAL: Final = "notify-internal-tasks"
RETRY: Final = "retry-tasks"
SES_CALLBACKS: Final = "ses-callbacks"

QUEUES: Final = (PERIODIC, SEND_SMS, SEND_EMAIL, RESEARCH_MODE, INTERNAL, RETRY, SES_CALLBACKS)
"""Every queue that has a task today."""
