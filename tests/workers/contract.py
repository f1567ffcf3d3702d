"""Copies of the contract's tables of periodic tasks, tasks and commands (contract: workers 3, 4, 17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

from celery.schedules import crontab

PERIODIC, REPORTING = "periodic-tasks", "reporting-tasks"


class Entry(NamedTuple):
    """A periodic task: when, in UTC, on which queue, and with which arguments."""

    schedule: timedelta | crontab
    queue: str = PERIODIC
    kwargs: dict[str, Any] = {}  # noqa: RUF012 - of a table


def daily(hour: int, minute: int, **more: str) -> crontab:
    return crontab(hour=hour, minute=minute, **more)


BEAT: Final = {
    "run-scheduled-jobs": Entry(crontab(minute="0,15,30,45")),
    "delete-verify-codes": Entry(timedelta(minutes=63)),
    "delete-invitations": Entry(timedelta(minutes=66)),
    "generate-sms-delivery-stats": Entry(crontab()),
    "switch-current-sms-provider-on-slow-delivery": Entry(crontab()),
    "check-job-status": Entry(crontab()),
    "update-status-of-fully-processed-jobs": Entry(crontab()),
    "tend-providers-back-to-middle": Entry(crontab(minute="*/5")),
    "check-for-missing-rows-in-completed-jobs": Entry(crontab(minute="*/10")),
    "check-if-letters-still-pending-virus-check": Entry(
        crontab(minute="*/10"), kwargs={"max_minutes_ago_to_check": 120}
    ),
    "replay-created-notifications": Entry(crontab(minute="0,15,30,45")),
    "update-ft-billing-for-today": Entry(crontab(minute=0), REPORTING),
    "timeout-sending-notifications": Entry(daily(0, 5)),
    "archive-unsubscribe-requests": Entry(daily(0, 5), REPORTING),
    "create-nightly-billing": Entry(daily(0, 15), REPORTING),
    "create-nightly-notification-status": Entry(daily(0, 30), REPORTING),
    "zendesk-new-email-branding-report": Entry(daily(0, 30, day_of_week="mon-fri")),
    "deep-archive-notification-history-up-to-limit": Entry(daily(1, 35), REPORTING),
    "delete-inbound-sms": Entry(daily(1, 40)),
    "save-daily-notification-processing-time": Entry(daily(2, 0)),
    "update-report-status-to-deleted": Entry(daily(2, 0)),
    "run-populate-annual-billing": Entry(daily(2, 1, day_of_month="1", month_of_year="4")),
    "delete-notifications-older-than-retention": Entry(daily(3, 0), REPORTING),
    "delete-old-records-from-events-table": Entry(daily(3, 4)),
    "archive-pending-files": Entry(daily(3, 33)),
    "remove_sms_email_jobs": Entry(daily(4, 0)),
    "remove_letter_jobs": Entry(daily(4, 20)),
    "remove-archived-template-email-files-from-s3": Entry(daily(4, 40)),
    "check-if-letters-still-in-created": Entry(daily(7, 0, day_of_week="mon-fri")),
    "check-if-letters-in-technical-failure": Entry(daily(7, 0)),
    "check-for-low-available-inbound-sms-numbers": Entry(daily(9, 0, day_of_week="mon")),
    "weekly-dwp-report": Entry(daily(9, 0, day_of_week="mon"), REPORTING),
    "change-dvla-api-key": Entry(daily(9, 0, day_of_week="tue", day_of_month="1-7")),
    "change-dvla-password": Entry(daily(9, 0, day_of_week="wed", day_of_month="2-8")),
    "weekly-user-research-email": Entry(daily(10, 0, day_of_week="wed")),
    "check-for-services-with-high-failure-rates-or-sending-to-tv-numbers": Entry(daily(10, 30, day_of_week="mon-fri")),
    "check-time-to-collate-letters": Entry(crontab(hour="16,17", minute=50)),
    "raise-alert-if-letter-notifications-still-sending": Entry(daily(19, 0)),
    "check-if-letters-still-pending-virus-check-nightly": Entry(
        daily(20, 0), kwargs={"max_minutes_ago_to_check_only": 7200, "max_minutes_ago_to_check_and_rescan": 4320}
    ),
}

OUR_OWN: Final = {
    "sweep-created-notifications": "publishes messages again long before the contract's hour",
    "send-scheduled-notifications": "the contract ignores `scheduled_for`",
    "delete-old-idempotency-keys": "the contract has no idempotency keys",
    "run-scheduled-jobs-between": "the public API schedules jobs for any minute",
    "replay-pending-callbacks": "callbacks wait in the database, not in the queue",
    "delete-expired-documents": "files for download are our own service",
    "delete-sandbox-messages": "the sandbox is our own provider",
    "print-letters-at-once": "the sandbox prints letters when they are ready, not in the evening",
    "delete-pdfs-of-old-letters": "finds the PDFs that were still there when the rows of their letters went",
    "delete-unused-job-files": "an upload that never became a job has personal data, and not every store has lifecycle rules",
    "delete-old-previews-of-letters": "rendered letters have personal data, and not every store has lifecycle rules",
    "replay-test-letters-without-pdf": "their rows do not say that the PDF is missing",
    "create-partitions": "the history is partitioned by month",
    "raise-alert-if-no-letter-ack-file": "of 2020, for the printer that takes zip files",
    "replay-broadcasts": "alerts that a killed worker left are handed over again",
    "auto-expire-broadcast-messages": "of the emergency alerts (broadcasts 8)",
    "remove-yesterdays-planned-tests-on-govuk-alerts": "of the emergency alerts (broadcasts 8)",
    "send-canary-to-cbc-proxy": "of the emergency alerts (broadcasts 5)",
    "trigger-link-tests": "of the emergency alerts (broadcasts 5)",
}
"""Periodic tasks beyond the contract's, and why."""

TASKS: Final = {
    *BEAT,
    # 4.1
    "deliver_sms",
    "deliver_email",
    "deliver_letter",
    "process-job",
    "shatter-job-rows",
    "save-sms",
    "save-email",
    "save-letter",
    "process-incomplete-jobs",
    # 4.2
    "process-sms-client-response",
    "process-ses-result",
    "process-letter-callback",
    "send-delivery-status",
    "send-complaint",
    "send-returned-letter",
    "send-inbound-sms",
    "create-fake-letter-callback",
    # 4.3
    "get-pdf-for-templated-letter",
    "update-billable-units-for-letter",
    "update-validation-failed-for-templated-letter",
    "sanitise-letter",
    "process-sanitised-letter",
    "process-virus-scan-failed",
    "process-virus-scan-error",
    "collate-letter-pdfs-to-be-sent",
    "shatter-deliver-letters-tasks",
    "resanitise-pdf",
    "resanitise-letter-attachment",
    "process-returned-letters-list",
    # 4.4
    "delete-email-notifications",
    "delete-sms-notifications",
    "delete-letter-notifications",
    "delete-notifications-for-service-and-type",
    "delete-test-notifications-for-service-and-type",
    "archive-batched-unsubscribe-requests",
    "archive-old-unsubscribe-requests",
    "create-or-update-ft-billing-for-day",
    "create-or-update-ft-billing-letter-despatch-for-day",
    "create-nightly-notification-status-for-service-and-day",
    "process-report-request",
}

DONE_OTHERWISE: Final = {
    "shatter-job-rows": "process-job saves the rows itself, many in a transaction; nothing is published per row",
    "save-sms": "as shatter-job-rows",
    "save-email": "as shatter-job-rows",
    "save-letter": "as shatter-job-rows",
    "process-sms-client-response": "a receipt is applied before the provider gets its answer",
    "archive-batched-unsubscribe-requests": "archive-unsubscribe-requests moves batches of all services itself",
    "archive-old-unsubscribe-requests": "as archive-batched-unsubscribe-requests",
    "update-billable-units-for-letter": "who renders a letter writes down its sheets; nothing is handed on",
    "update-validation-failed-for-templated-letter": "as update-billable-units-for-letter",
    "process-sanitised-letter": "who checks a PDF writes down the verdict; nothing is handed on",
    "process-virus-scan-failed": "who scans a PDF writes down what it found; nothing is handed on",
    "process-virus-scan-error": "as process-virus-scan-failed",
}
"""Tasks that nobody outside publishes, and how the same is done here."""

COMMANDS: Final = {
    "purge-functional-test-data": {"-u", "--user_email_prefix"},
    "delete-functional-test-service": {"-s", "--service-id"},
    "backfill-notification-statuses": set(),
    "update-notification-international-flag": set(),
    "fix-notification-statuses-not-in-sync": set(),
    "insert-inbound-numbers": {"-f", "--file_name"},
    "replay-create-pdf-for-templated-letter": {"-n", "--notification_id"},
    "recreate-pdf-for-precompiled-or-uploaded-letter": {"-n", "--notification_id"},
    "rebuild-ft-billing-for-day": {"-d", "--day", "-s", "--service_id"},
    "bulk-invite-user-to-service": {
        *("-f", "--file_name", "-s", "--service_id", "-u", "--user_id"),
        *("-p", "--permissions", "-a", "--auth_type"),
    },
    "populate-notification-postage": {"-s", "--start_date"},
    "archive-jobs-created-between-dates": {"-s", "--start_date", "-e", "--end_date"},
    "update-emails-to-remove-gsi": {"-s", "--service_id"},
    "populate-organisations-from-file": {"-f", "--file_name"},
    "populate-organisation-agreement-details-from-file": {"-f", "--file_name"},
    "get-notification-and-service-ids-for-letters-that-failed-to-print": {"-f", "--file_name"},
    "associate-services-to-organisations": set(),
    "populate-service-volume-intentions": {"-f", "--file_name"},
    "populate-go-live": {"-f", "--file_name"},
    "fix-billable-units": set(),
    "process-row-from-job": {"-j", "--job_id", "-n", "--job_row_number"},
    "populate-annual-billing-with-the-previous-years-allowance": {"-y", "--year"},
    "functional-test-fixtures": set(),
    "generate-bulktest-data": {"-u", "--user-id"},
}
