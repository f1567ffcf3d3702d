"""Names of the task queues (contract: workers 2), without the prefix of the environment."""

from typing import Final

PERIODIC: Final = "periodic-tasks"
SEND_SMS: Final = "send-sms-tasks"
SEND_EMAIL: Final = "send-email-tasks"
RESEARCH_MODE: Final = "research-mode-tasks"
INTERNAL: Final = "notify-internal-tasks"
RETRY: Final = "retry-tasks"
SES_CALLBACKS: Final = "ses-callbacks"
SERVICE_CALLBACKS: Final = "service-callbacks"
SERVICE_CALLBACKS_RETRY: Final = "service-callbacks-retry"

QUEUES: Final = (
    PERIODIC,
    SEND_SMS,
    SEND_EMAIL,
    RESEARCH_MODE,
    INTERNAL,
    RETRY,
    SES_CALLBACKS,
    SERVICE_CALLBACKS,
    SERVICE_CALLBACKS_RETRY,
)
"""Every queue that has a task today."""
