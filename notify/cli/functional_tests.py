"""`notify functional-test-fixtures`: the data that the official functional tests, and the tests of the official client
libraries, expect (contract: admin-app 3).
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.actions import create_user, set_password
from notify.accounts.models import NOTIFY_USER_ID, User
from notify.accounts.queries import user_by_email
from notify.cli.common import open_parts
from notify.cli.demo import NOTIFY_SERVICE
from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.organisations.actions import create_organisation
from notify.organisations.models import Organisation
from notify.providers.incoming import IncomingText
from notify.providers.settings import TextProviderSettings
from notify.services.api_keys import ensure_api_key
from notify.services.inbound_numbers import (
    assign_inbound_number,
    insert_inbound_numbers,
    list_free_numbers,
    number_of_service,
)
from notify.services.limits import LIVE_LIMITS
from notify.services.models import Service
from notify.services.permissions import DEFAULT_PERMISSIONS
from notify.services.senders import (
    add_letter_contact,
    add_reply_to,
    add_sms_sender,
    list_letter_contacts,
    list_reply_tos,
    list_sms_senders,
)
from notify.services.service import create_service
from notify.templates.actions import create_template, update_template
from notify.templates.queries import list_templates
from notify.webhooks.actions import create_callback
from notify.webhooks.models import CallbackApi
from notify.webhooks.settings import CallbackSettings

DOMAIN: Final = "digital.cabinet-office.gov.uk"
MOBILE_NUMBER: Final = "07700900001"
PERMISSIONS: Final = (*DEFAULT_PERMISSIONS, "edit_folder_permissions", "inbound_sms", "email_auth")
FUNCTIONAL_SERVICE: Final = "Functional Tests"
PERFORMANCE_SERVICE: Final = "Performance Tests"
SENDER: Final = "func tests"
CONTACT_BLOCK: Final = "Functional Tests\n1 High Street\nLondon\nSW1A 1AA"
CALLBACK_URL: Final = f"https://functional-tests.{DOMAIN}/inbound-sms"
RECEIVED: Final = ("07700900111", "07700900222", "07700900333")


class _Text(NamedTuple):
    """The text of a template. `second` is the content of its second version, if it has one."""

    name: str
    template_type: str
    content: str
    second: str | None = None


_TEMPLATES: Final[Mapping[str, _Text]] = {
    "SMS_TEMPLATE_ID": _Text("Functional Tests - SMS", "sms", "The quick brown fox"),
    "SMS_BUILD_ID_TEMPLATE_ID": _Text("Functional Tests - SMS with build id", "sms", "The quick brown ((build_id))"),
    "EMAIL_TEMPLATE_ID": _Text("Functional Tests - email", "email", "The quick brown fox"),
    "EMAIL_BUILD_ID_TEMPLATE_ID": _Text(
        "Functional Tests - email with build id", "email", "The quick brown ((build_id))"
    ),
    "LETTER_TEMPLATE_ID": _Text("Functional Tests - letter", "letter", "The quick brown fox"),
    "LETTER_BUILD_ID_TEMPLATE_ID": _Text(
        "Functional Tests - letter with build id", "letter", "The quick brown ((build_id))"
    ),
}
_CLIENT_TEMPLATES: Final[Mapping[str, _Text]] = {
    "SMS_TEMPLATE_ID": _Text("Client Tests - SMS", "sms", "Hello ((name))", "Hello ((name))\n\nThis is a test"),
    "EMAIL_TEMPLATE_ID": _Text("Client Tests - email", "email", "Hello ((name))", "Hello ((name))\n\nThis is a test"),
    "LETTER_TEMPLATE_ID": _Text("Client Tests - letter", "letter", "Hello ((name))", "Hello ((name))\n\nA test"),
}


@click.command("functional-test-fixtures")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: print]")
@click.option(
    "--organisation",
    envvar="FUNCTIONAL_TEST_ORGANISATION_NAME",
    default="Functional Tests Org",
    show_default=True,
    help="Name of the organisation.",
)
@click.option(
    "--email-user",
    envvar="TEST_EMAIL_USERNAME",
    default="notify-tests-preview",
    show_default=True,
    help="Start of the users' email addresses.",
)
@click.option(
    "--inbound-number",
    envvar="FUNCTIONAL_TEST_INBOUND_NUMBER",
    default="07700900500",
    show_default=True,
    help="Number on which the service receives text messages.",
)
@click.option("--callback-url", default=CALLBACK_URL, show_default=True, help="URL of the callback for received texts.")
@click.option(
    "--allow",
    is_flag=True,
    envvar="REGISTER_FUNCTIONAL_TESTING_BLUEPRINT",
    help="Needed outside development and test.",
)
def functional_test_fixtures_command(
    *,
    output: Path | None,
    organisation: str,
    email_user: str,
    inbound_number: str,
    callback_url: str,
    allow: bool,
) -> None:
    """Create the fixtures of the official functional tests and client tests, and print their environment.

    Safe to run again: existing fixtures stay, and only the users get a new password. The keys, ids and passwords are
    printed as `export` lines, or written to a file that only its owner can read.
    """
    with open_parts() as parts:
        if not (parts.settings.is_safe_environment or allow):
            raise click.ClickException(
                "REGISTER_FUNCTIONAL_TESTING_BLUEPRINT: must be 1 to make test users "
                f"in environment {parts.settings.notify_environment!r}"
            )
        fixtures = _Fixtures(parts, organisation, email_user, inbound_number)
        with parts.database.transaction() as session:
            fixtures.make(session)
        fixtures.receive_texts()
        with parts.database.transaction() as session:
            fixtures.ensure_callback(session, callback_url)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in fixtures.environment.items()]
    _write(output, "\n".join(lines) + "\n")


def _write(output: Path | None, text: str) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror or error}") from None
    click.echo(f"written to {output}")


class _Fixtures:
    """The fixtures of one installation, and the environment variables that name them."""

    def __init__(self, parts: Parts, organisation: str, email_user: str, inbound_number: str) -> None:
        self._parts = parts
        self._organisation = organisation
        self._email_user = email_user
        self._number = inbound_number
        self.environment: dict[str, str] = {}

    def make(self, session: Session) -> None:
        """Create what is missing, except received texts and the callback."""
        settings = self._parts.settings
        self.environment |= {
            "ENVIRONMENT": settings.notify_environment,
            "FUNCTIONAL_TESTS_API_HOST": settings.api_host_name,
            "FUNCTIONAL_TESTS_ADMIN_HOST": settings.admin_base_url,
        }
        organisation = self._ensure_organisation(session)
        self.environment["FUNCTIONAL_TESTS_ORGANISATION_ID"] = str(organisation.id)
        user = self._users(session)
        functional = self._ensure_service(session, FUNCTIONAL_SERVICE, user, organisation)
        performance = self._ensure_service(session, PERFORMANCE_SERVICE, user, organisation)
        self._keys(session, functional, performance, user)
        self._senders(session, functional)
        for variable, text in _TEMPLATES.items():
            self.environment[f"FUNCTIONAL_TESTS_{variable}"] = str(_ensure_template(session, functional, text))
        self._describe_to_clients(session, functional, user)

    def _ensure_organisation(self, session: Session) -> Organisation:
        found = session.scalar(select(Organisation).where(Organisation.name == self._organisation))
        return found or create_organisation(
            session,
            name=self._organisation,
            organisation_type="central",
            crown=False,
            domains=[DOMAIN],
            can_approve_own_go_live_requests=True,
        )

    def _users(self, session: Session) -> User:
        """The three users, with one new password; returns the first."""
        password = secrets.token_urlsafe(16)
        self.environment["FUNCTIONAL_TESTS_PASSWORD"] = password
        self.environment["FUNCTIONAL_TESTS_MOBILE_NUMBER"] = MOBILE_NUMBER
        users = []
        for variable, suffix, auth_type in (
            ("EMAIL", "", "sms_auth"),
            ("EMAIL_AUTH_EMAIL", "-email-auth", "email_auth"),
            ("ADMIN_TESTS_EMAIL", "-admin-tests", "sms_auth"),
        ):
            address = f"{self._email_user}+{self._parts.settings.notify_environment}{suffix}@{DOMAIN}"
            user = user_by_email(session, address)
            if user is None:
                user = create_user(
                    session,
                    name=f"Functional Tests{suffix.replace('-', ' ')}",
                    email_address=address,
                    mobile_number=MOBILE_NUMBER,
                    password=password,
                    auth_type=auth_type,
                    state="active",
                )
            set_password(user, password)
            self.environment[f"FUNCTIONAL_TESTS_{variable}"] = address
            users.append(user)
        session.flush()
        return users[0]

    def _ensure_service(self, session: Session, name: str, user: User, organisation: Organisation) -> Service:
        service = session.scalar(select(Service).where(Service.name == name))
        if service is None:
            service = create_service(
                session,
                name=name,
                user_id=user.id,
                from_number=self._parts.settings.part(TextProviderSettings).from_number,
                restricted=False,
                go_live_at=utc_now(),
                limits=LIVE_LIMITS,
                permissions=PERMISSIONS,
                contact_link="https://www.example.com/contact",
            )
            service.organisation_id = organisation.id
            session.flush()
        prefix = "FUNCTIONAL" if name == FUNCTIONAL_SERVICE else "PERFORMANCE"
        self.environment[f"{prefix}_TESTS_SERVICE_ID"] = str(service.id)
        self.environment[f"{prefix}_TESTS_SERVICE_NAME"] = service.name
        return service

    def _keys(self, session: Session, functional: Service, performance: Service, user: User) -> None:
        for variable, service_id, name, key_type, author in (
            ("NOTIFY_SERVICE_API_KEY", NOTIFY_SERVICE, "govuk_notify", "normal", NOTIFY_USER_ID),
            (
                "FUNCTIONAL_TESTS_SERVICE_API_KEY",
                functional.id,
                "functional_tests_service_live_key",
                "normal",
                user.id,
            ),
            (
                "FUNCTIONAL_TESTS_SERVICE_API_TEST_KEY",
                functional.id,
                "functional_tests_service_test_key",
                "test",
                user.id,
            ),
            (
                "PERFORMANCE_TESTS_SERVICE_API_KEY",
                performance.id,
                "performance_tests_service_live_key",
                "normal",
                user.id,
            ),
            (
                "PERFORMANCE_TESTS_SERVICE_API_TEST_KEY",
                performance.id,
                "performance_tests_service_test_key",
                "test",
                user.id,
            ),
        ):
            self.environment[variable] = ensure_api_key(
                session,
                self._parts.encryptor,
                service_id=service_id,
                name=name,
                key_type=key_type,
                created_by_id=author,
            )

    def _senders(self, session: Session, service: Service) -> None:
        """The inbound number, which is the default sender, another sender, two reply-to addresses, a contact block."""
        if number_of_service(session, service.id) is None:
            insert_inbound_numbers(session, [self._number])
            free = {number.number: number.id for number in list_free_numbers(session)}
            if self._number not in free:
                raise click.ClickException(f"{self._number} is not free: see notify list-inbound-numbers")
            assign_inbound_number(session, service.id, inbound_number_id=free[self._number])
        number = number_of_service(session, service.id)
        self.environment["FUNCTIONAL_TESTS_INBOUND_NUMBER"] = number.number if number else ""
        senders = {row.sms_sender: row.id for row in list_sms_senders(session, service.id)}
        sender_id = senders.get(SENDER) or add_sms_sender(session, service.id, SENDER, is_default=False).id
        self.environment["FUNCTIONAL_TESTS_SMS_SENDER_ID"] = str(sender_id)
        present = {row.email_address: row.id for row in list_reply_tos(session, service.id)}
        for variable, tag in (("EMAIL_REPLY_TO_ID", "reply-to-default"), ("EMAIL_REPLY_TO_2_ID", "reply-to")):
            address = f"{self._email_user}+{tag}@{DOMAIN}"
            reply_to_id = present.get(address) or add_reply_to(session, service.id, address, is_default=not present).id
            present[address] = reply_to_id
            self.environment[f"FUNCTIONAL_TESTS_{variable}"] = str(reply_to_id)
        contacts = list_letter_contacts(session, service.id)
        contact = contacts[0] if contacts else add_letter_contact(session, service.id, CONTACT_BLOCK, is_default=True)
        self.environment["FUNCTIONAL_TESTS_LETTER_CONTACT_ID"] = str(contact.id)

    def _describe_to_clients(self, session: Session, service: Service, user: User) -> None:
        """The variables that the tests of the client libraries read."""
        self.environment |= {
            "NOTIFY_API_URL": self._parts.settings.api_host_name,
            "API_KEY": self.environment["FUNCTIONAL_TESTS_SERVICE_API_TEST_KEY"],
            "API_SENDING_KEY": self.environment["FUNCTIONAL_TESTS_SERVICE_API_KEY"],
            "INBOUND_SMS_QUERY_KEY": self.environment["FUNCTIONAL_TESTS_SERVICE_API_KEY"],
            "FUNCTIONAL_TEST_NUMBER": MOBILE_NUMBER,
            "FUNCTIONAL_TEST_EMAIL": user.email_address,
            "SMS_SENDER_ID": self.environment["FUNCTIONAL_TESTS_SMS_SENDER_ID"],
            "EMAIL_REPLY_TO_ID": self.environment["FUNCTIONAL_TESTS_EMAIL_REPLY_TO_ID"],
        }
        for variable, text in _CLIENT_TEMPLATES.items():
            self.environment[variable] = str(_ensure_template(session, service, text))

    def receive_texts(self) -> None:
        """Receive three texts. Texts with the same reference are stored once."""
        container = Container(self._parts)
        receiver = container.get(TextReceiver)
        for count, sender in enumerate(RECEIVED, start=1):
            receiver.receive(
                IncomingText(
                    provider="mmg",
                    to=self.environment["FUNCTIONAL_TESTS_INBOUND_NUMBER"],
                    sender=sender,
                    content=f"Functional test message {count}",
                    reference=f"functional-tests-{count}",
                )
            )

    def ensure_callback(self, session: Session, url: str) -> None:
        """Make sure that there is a callback for received texts."""
        service_id = UUID(self.environment["FUNCTIONAL_TESTS_SERVICE_ID"])
        wanted = select(CallbackApi.id).where(
            CallbackApi.service_id == service_id, CallbackApi.callback_type == "inbound_sms"
        )
        if session.scalar(wanted) is None:
            create_callback(
                session,
                self._parts.encryptor,
                service_id=service_id,
                callback_type="inbound_sms",
                url=url,
                bearer_token=secrets.token_urlsafe(24),
                updated_by_id=session.get_one(Service, service_id).created_by_id,
                guarded=self._parts.settings.part(CallbackSettings).callbacks_are_guarded,
            )


def _ensure_template(session: Session, service: Service, text: _Text) -> UUID:
    """The id of the template of this name. If missing, it is created with its two versions."""
    for row in list_templates(session, service.id, text.template_type):
        if row.name == text.name:
            return row.id
    template = create_template(
        session,
        service_id=service.id,
        template_type=text.template_type,
        name=text.name,
        subject=None if text.template_type == "sms" else text.name,
        content=text.content,
        created_by_id=service.created_by_id,
    )
    if text.second is not None:
        update_template(session, service.id, template.id, changed_by_id=service.created_by_id, content=text.second)
    return template.id
