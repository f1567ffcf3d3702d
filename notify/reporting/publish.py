"""Names of the tasks that make facts (contract: workers 4.4)."""

from __future__ import annotations

from typing import Final

from notify.infra.queue import TaskName

BILLING_OF_DAY: Final = TaskName("create-or-update-ft-billing-for-day")
DESPATCH_OF_DAY: Final = TaskName("create-or-update-ft-billing-letter-despatch-for-day")
STATUSES_OF_DAY: Final = TaskName("create-nightly-notification-status-for-service-and-day")
