"""The command line: `notify ...`, and the same commands as `flask command ...`."""

from __future__ import annotations

import click

from notify.cli.lazy import Entry, LazyGroup
from notify.infra.garbage import collect_seldom


def _entries(module: str, summaries: dict[str, str]) -> dict[str, Entry]:
    """Entries of a module whose commands are named like their functions: `create-user`, `create_user_command`."""
    return {
        name: Entry(f"notify.cli.{module}:{name.replace('-', '_')}_command", summary)
        for name, summary in summaries.items()
    }


ENTRIES = {
    # the folder that they work on is the one that they are given, whatever runs on the usual one
    "up": Entry("notify.cli.up:up", "Start everything on this machine, databases included.", adopts=False),
    "reset": Entry("notify.cli.reset:reset", "Empty the data folder of `notify up`.", adopts=False),
    "web": Entry("notify.cli.processes:web", "Run the API."),
    "worker": Entry("notify.cli.processes:worker", "Run a worker, for all task queues or those of a role."),
    "beat": Entry("notify.cli.processes:beat", "Run the scheduler of periodic tasks. One for all machines."),
    "ses-receipts": Entry("notify.cli.processes:ses_receipts", "Apply SES's events about emails, from an SQS queue."),
    "with-engines": Entry(
        "notify.cli.engines:with_engines",
        "Run a command, such as `web`, with the databases of the data folder.",
        adopts=False,
    ),
    "sandbox": Entry("notify.cli.processes:sandbox", "Run the provider that only pretends to send."),
    "db": Entry("notify.cli.db:db", "Migrate the database, or show where it is."),
    "after-restore": Entry(
        "notify.cli.restore:after_restore_command",
        "Keep messages that may have been sent after a snapshot from being sent again.",
    ),
    "rotate-secrets": Entry(
        "notify.cli.keys:rotate_secrets", "Encrypt all data again, with the last of DATA_ENCRYPTION_KEYS."
    ),
    **_entries(
        "users",
        {
            "create-user": "Create a user who can sign in at once.",
            "update-emails-to-remove-gsi": "Replace .gsi.gov.uk by .gov.uk in the addresses of a service's users.",
        },
    ),
    **_entries(
        "services",
        {
            "create-service": "Create a service: a sender of messages, with its own team, keys and templates.",
            "update-service": "Change the settings of a service.",
            "archive-service": "Archive a service with its templates and API keys: it can no longer send.",
            "list-services": "List every service, oldest first.",
            "set-guest-list": "Replace the guest list of a service; without entries it becomes empty.",
            "show-guest-list": "Show the guest list of a service: the recipients besides its team in trial mode.",
            "set-retention": "Set for how many days a service's messages of a type are kept.",
            "set-branding": "Choose the branding of a service's emails or letters.",
            "populate-service-volume-intentions": "Store how many messages services intend to send.",
        },
    ),
    **_entries("changes", {"list-changes": "List what people changed through the admin app, newest first"}),
    **_entries(
        "api_keys",
        {
            "create-api-key": "Create an API key and print it.",
            "revoke-api-key": "Revoke an API key for good.",
            "list-api-keys": "List a service's API keys, newest first, without their secrets.",
        },
    ),
    **_entries(
        "templates",
        {
            "create-template": "Create a template that messages are sent from.",
            "update-template": "Change a template: it becomes a new version, unless nothing differs.",
            "archive-template": "Archive a template: nothing can be sent from it any more.",
            "redact-template": "Hide the personalisation of a template's sent messages, for good.",
            "list-templates": "List a service's templates by name.",
            "show-template": "Show a template, or an earlier version of it.",
        },
    ),
    **_entries(
        "senders",
        {
            "add-sms-sender": "Add a text message sender to a service.",
            "update-sms-sender": "Change a text message sender, or make it the default.",
            "archive-sms-sender": "Archive a text message sender: messages can no longer be sent from it.",
            "list-sms-senders": "List a service's text message senders, the default first.",
            "add-reply-to": "Add a reply-to address to a service.",
            "update-reply-to": "Change a reply-to address, or make it the default.",
            "archive-reply-to": "Archive a reply-to address: emails can no longer be sent with it.",
            "list-reply-tos": "List a service's reply-to addresses, the default first.",
            "add-letter-contact": "Add a contact block, the sender's address on letters, to a service.",
            "update-letter-contact": "Change a contact block, and with it the letters of every template that uses it.",
            "archive-letter-contact": "Archive a contact block, and remove it from templates that use it.",
            "list-letter-contacts": "List a service's contact blocks, the default first.",
        },
    ),
    **_entries(
        "brandings",
        {
            "create-email-branding": "Create an email branding: logo, colour and text at the top of emails.",
            "update-email-branding": "Change an email branding.",
            "archive-email-branding": "Archive an email branding that no service and no organisation uses.",
            "create-letter-branding": "Create a letter branding: the logo of letters.",
            "update-letter-branding": "Change a letter branding.",
            "list-brandings": "List the email and letter brandings by name.",
        },
    ),
    **_entries(
        "organisations",
        {
            "populate-organisations-from-file": "Create the organisations listed in a file.",
            "populate-organisation-agreement-details-from-file": "Store who signed agreements, and when.",
            "associate-services-to-organisations": "Link services without an organisation to that of their creator.",
        },
    ),
    **_entries(
        "teams",
        {
            "bulk-invite-user-to-service": "Invite many people to the team of a service.",
            "populate-go-live": "Store who made services live, and when.",
        },
    ),
    **_entries(
        "callbacks",
        {
            "create-callback": "Call a service back about one kind of event, within two seconds from now.",
            "update-callback": "Change the address, token or secret of a callback.",
            "delete-callback": "Stop calling a service back about one kind of event.",
            "resend-callback": "Send the callback about a message or a received text again.",
        },
    ),
    **_entries("listen", {"listen": "Print callbacks as they arrive, and forward them to a local port."}),
    **_entries(
        "inbound",
        {
            "insert-inbound-numbers": "Add inbound numbers, which can then be given to services.",
            "assign-inbound-number": "Give a service an inbound number, and the permission to receive text messages.",
            "remove-inbound-number": "Remove a service's inbound number and its permission to receive texts.",
            "list-inbound-numbers": "List every inbound number and the service that has it.",
            "receive-text": "Simulate a text message to a service, which gets its callback.",
        },
    ),
    **_entries(
        "send",
        {
            "send": "Send one message through the running API, as any other client would.",
            "token": "Print a token for the Authorization header of your own requests.",
        },
    ),
    **_entries(
        "functional_tests",
        {
            "functional-test-fixtures": "Create the fixtures of the official functional tests and client tests, "
            "and print their environment."
        },
    ),
    **_entries(
        "functional_data",
        {
            "purge-functional-test-data": "Delete the users that functional tests made, with their services.",
            "delete-functional-test-service": "Delete a service, its data, and its users who have no other service.",
        },
    ),
    **_entries(
        "bulk_data", {"generate-bulktest-data": "Fill a database with an organisation, its services and messages."}
    ),
    **_entries(
        "data_fixes",
        {
            "archive-jobs-created-between-dates": "Archive the jobs of a period, and delete their files.",
            "process-row-from-job": "Create and send the message of one row of a job, unless it has one.",
            "populate-notification-postage": "Set second class on letters without postage.",
            "create-partitions": "Create partitions of the history for coming months; drop old ones that are empty.",
            "backfill-notification-statuses": "Deprecated, does nothing.",
            "update-notification-international-flag": "Deprecated, does nothing.",
            "fix-notification-statuses-not-in-sync": "Deprecated, does nothing.",
        },
    ),
    **_entries(
        "letters",
        {
            "replay-create-pdf-for-templated-letter": "Make the PDF of a letter again, from its template.",
            "recreate-pdf-for-precompiled-or-uploaded-letter": (
                "Make the PDF of a letter that came as a PDF again, from its original."
            ),
            "get-notification-and-service-ids-for-letters-that-failed-to-print": (
                "Find letters by the names of their files."
            ),
            "print-letter": "Send a letter to the print provider now.",
            "run-print": "Start the print run, which runs every evening, now.",
            "report-returned-letters": "Report letters that the post returned.",
            "replay-unscanned-letters": "Scan letters again that no virus scanner could check.",
            "replay-daily-sorted-count-files": "Read the daily sorted counts of print response files again (2020).",
        },
    ),
    **_entries(
        "facts",
        {
            "rebuild-ft-billing-for-day": "Rebuild the billing facts of a local day, of all services or of one.",
            "migrate-data-to-ft-billing": "Update the billing facts of a period from stored messages.",
            "migrate-data-to-ft-notification-status": "Update the status facts of a period from stored messages.",
            "backfill-processing-time": "Store how quickly the messages of a period were handed to providers.",
            "fix-billable-units": "Count the fragments of text messages that were sent without being counted.",
        },
    ),
    **_entries(
        "billing",
        {
            "populate-annual-billing-with-the-previous-years-allowance": "Copy the newest free allowance of services "
            "that have none for a financial year.",
            "populate-annual-billing": "Copy the newest free allowance: the command's name in 2020.",
        },
    ),
    "admin-env": Entry(
        "notify.cli.admin_env:admin_env",
        "Print the environment of the official admin app for this instance.",
    ),
    "settings": Entry("notify.cli.settings:settings", "Show every setting and its current value."),
    **_entries(
        "developer",
        {
            "shell": "Open a Python shell with `parts`, `container` and a `session` on the database.",
            "debug": "Run the API and a worker in one process, in which `breakpoint()` works.",
            "psql": "Open PostgreSQL's own shell on the database.",
        },
    ),
    # internal commands that other commands start
    "prepare": Entry("notify.cli.prepare:prepare", "", is_hidden=True, adopts=False),
    "engines": Entry("notify.cli.engines:engines", "", is_hidden=True, adopts=False),
}
"""Every command, in the order of `--help`."""

command_group = LazyGroup("command", entries=ENTRIES, help="The commands of `notify`.")
"""The same commands for Flask, which finds them by entry point: `flask command ...`."""


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A notification platform: text messages, emails and letters.",
)
@click.version_option(package_name="notify")
def program() -> None:
    """The `notify` command."""


def main() -> None:
    """Entry point of the `notify` command."""
    collect_seldom()
    program(prog_name="notify")
