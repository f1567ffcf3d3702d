"""Commands about users."""

from __future__ import annotations

import secrets

import click

from notify.accounts.actions import create_user
from notify.cli.common import find_service, json_option, open_session, show
from notify.services.members import replace_gsi_addresses
from notify.vocabulary import AUTH_TYPES


@click.command("create-user")
@click.option("--name", required=True, help="Full name.")
@click.option("--email", "email_address", required=True, help="Email address, which they sign in with.")
@click.option("--mobile", "mobile_number", help="Mobile number for sign-in codes. Not needed with --auth email_auth.")
@click.option("--password", envvar="NOTIFY_NEW_PASSWORD", help="Password. [default: generated and printed]")
@click.option(
    "--auth", "auth_type", type=click.Choice(AUTH_TYPES), help="Sign-in method. [default: by the options given]"
)
@click.option("--platform-admin", is_flag=True, help="Can see and change every service.")
@json_option
def create_user_command(
    *,
    name: str,
    email_address: str,
    mobile_number: str | None,
    password: str | None,
    auth_type: str | None,
    platform_admin: bool,
    as_json: bool,
) -> None:
    """Create a user who can sign in at once."""
    chosen = password or secrets.token_urlsafe(12)
    with open_session() as session:
        user = create_user(
            session,
            name=name,
            email_address=email_address,
            password=chosen,
            mobile_number=mobile_number,
            auth_type=auth_type or ("sms_auth" if mobile_number else "email_auth"),
            state="active",
            platform_admin=platform_admin,
        )
        made = {"id": user.id, "email_address": user.email_address}
    show(made if password else {**made, "password": chosen}, as_json)


@click.command("update-emails-to-remove-gsi")
@click.option("-s", "--service-id", "--service_id", "which", required=True, help="Service, by its id or name.")
@json_option
def update_emails_to_remove_gsi_command(*, which: str, as_json: bool) -> None:
    """Replace .gsi.gov.uk by .gov.uk in the addresses of a service's users."""
    with open_session() as session:
        changed, taken = replace_gsi_addresses(session, find_service(session, which).id)
    show({"changed": changed, "taken_already": taken}, as_json)
