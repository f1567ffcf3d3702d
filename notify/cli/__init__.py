"""The command line: `notify ...`, and the same commands as `flask command ...`."""

from __future__ import annotations

import click

from notify.cli.lazy import Entry, LazyGroup

_CREATE = "notify.cli.create"
_CALLBACKS = "notify.cli.callbacks"
_INBOUND = "notify.cli.inbound"

ENTRIES = {
    "up": Entry("notify.cli.up:up", "Start everything on this machine, databases included."),
    "reset": Entry("notify.cli.reset:reset", "Empty the data folder of `notify up`."),
    "web": Entry("notify.cli.processes:web", "Run the API."),
    "worker": Entry("notify.cli.processes:worker", "Run a worker, for all task queues or those of a role."),
    "beat": Entry("notify.cli.processes:beat", "Run the clock of periodic tasks. One for all machines."),
    "ses-receipts": Entry("notify.cli.processes:ses_receipts", "Apply what SES says of emails, from an SQS queue."),
    "sandbox": Entry("notify.cli.processes:sandbox", "Run the provider that only pretends to send."),
    "db": Entry("notify.cli.db:db", "Migrate the database, or show where it is."),
    "create-user": Entry(f"{_CREATE}:create_user_command", "Make a user who can sign in at once."),
    "create-service": Entry(
        f"{_CREATE}:create_service_command",
        "Make a service: a sender of messages, with a team, keys and templates of its own.",
    ),
    "create-api-key": Entry(f"{_CREATE}:create_api_key_command", "Make an API key and print it."),
    "revoke-api-key": Entry(f"{_CREATE}:revoke_api_key_command", "End an API key for good."),
    "create-template": Entry(f"{_CREATE}:create_template_command", "Make a template that messages are sent from."),
    "list-services": Entry(f"{_CREATE}:list_services_command", "List every service, oldest first."),
    "create-callback": Entry(f"{_CALLBACKS}:create_callback_command", "Have a service told of one kind of event."),
    "update-callback": Entry(f"{_CALLBACKS}:update_callback_command", "Change where, or how, a service is told."),
    "delete-callback": Entry(f"{_CALLBACKS}:delete_callback_command", "Have a service told no more."),
    "insert-inbound-numbers": Entry(f"{_INBOUND}:insert_inbound_numbers_command", "Add numbers that people can text."),
    "assign-inbound-number": Entry(
        f"{_INBOUND}:assign_inbound_number_command", "Give a service a number to receive texts on."
    ),
    "receive-text": Entry(f"{_INBOUND}:receive_text_command", "Pretend that somebody texted a service."),
    "send": Entry(f"{_CREATE}:send_command", "Send one message through the running API, as any other client would."),
    "token": Entry(f"{_CREATE}:token_command", "Print a token for the Authorization header of one's own requests."),
    "settings": Entry("notify.cli.settings:settings", "Show every setting and its value here."),
}
"""Every command, in the order of help. `prepare`, which `notify up` runs for itself, is not listed."""

command_group = LazyGroup("command", entries=ENTRIES, help="The commands of `notify`.")
"""For Flask, which finds it by its entry point: `flask command ...`."""


class _Program(LazyGroup):
    """The program's group: it also knows the command that is not for people."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "prepare":
            from notify.cli.prepare import prepare

            return prepare
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=_Program,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A notification platform: text messages, emails and letters.",
)
@click.version_option(package_name="notify")
def program() -> None:
    """The `notify` command."""


def main() -> None:
    """Entry point of the `notify` command."""
    program(prog_name="notify")
