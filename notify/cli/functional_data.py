"""Commands that delete the data of functional tests (contract: workers 17)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import click
from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

from notify.accounts.models import NOTIFY_USER_ID, User
from notify.cli.common import as_uuid, find_service, json_option, open_parts, show
from notify.infra.cascade import Cascade
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.jobs.files import JobFiles
from notify.models import metadata
from notify.services.models import NOTIFY_SERVICE_ID, Service

FREED: Final = ("inbound_numbers.service_id", "service_sms_senders.inbound_number_id")
"""References to clear: what a service only borrowed becomes free."""
OWNED: Final = ("invited_users.service_id", "permissions.service_id")
"""Nullable references of rows that are meaningless without what they refer to."""
LETTER_ATTACHMENT: Final = "letter_attachment_id"


@click.command("purge-functional-test-data")
@click.option(
    "-u",
    "--user_email_prefix",
    "--user-email-prefix",
    "prefix",
    required=True,
    help="Start of the users' email addresses.",
)
@json_option
def purge_functional_test_data_command(prefix: str, as_json: bool) -> None:
    """Delete the users that functional tests made, with their services.

    They are those whose email address starts with the prefix and has a UUID between its last `+` and the `@`. Each
    service goes in a transaction of its own, the users in the last one: what fails on the way may be run again.
    """
    if not prefix:
        raise click.UsageError("the prefix is empty")
    with open_parts() as parts:
        with parts.database.reading() as session:
            users = _test_users(session, prefix)
            services = sorted(_services_of(session, users))
        rows = sum(_delete(parts, services=[service_id]) for service_id in services)
        rows += _delete(parts, users=users)
    show({"users": len(users), "services": len(services), "rows": rows}, as_json)


def _delete(parts: Parts, *, services: Collection[UUID] = (), users: Collection[UUID] = ()) -> int:
    """Delete services and users in one transaction, then their files. Returns how many rows went."""
    with parts.database.transaction() as session:
        deletion = _Deletion(session)
        deletion.add_services(services)
        deletion.add_users(users)
        numbers = deletion.run()
    deletion.delete_files(parts)
    return sum(numbers.values())


@click.command("delete-functional-test-service")
@click.option("-s", "--service-id", "--service_id", "which", required=True, help="Service, by its id or name.")
@json_option
def delete_functional_test_service_command(which: str, as_json: bool) -> None:
    """Delete a service, its data, and its users who have no other service."""
    with open_parts() as parts:
        with parts.database.transaction() as session:
            service = find_service(session, which)
            if service.id == NOTIFY_SERVICE_ID:
                raise click.ClickException("this is the service that Notify itself sends from")
            members = _members(session, service.id)
            deletion = _Deletion(session)
            deletion.add_services([service.id])
            alone = [user_id for user_id in members if not _services_of(session, [user_id]) - {service.id}]
            deletion.add_users(alone)
            numbers = deletion.run()
        deletion.delete_files(parts)
    show({"users": len(alone), "services": 1, "rows": sum(numbers.values())}, as_json)


class _Deletion:
    """Services and users to delete, with all their data."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cascade = Cascade(session, metadata, loosened=_loosened(), replaced=_replaced())
        self._jobs: list[tuple[UUID, UUID]] = []
        self._lists: list[tuple[UUID, UUID]] = []

    def add_services(self, service_ids: Collection[UUID]) -> None:
        """Add services, with their messages, facts and history, which have no foreign keys."""
        tables = metadata.tables
        messages = select(tables["notifications"].c.id).where(tables["notifications"].c.service_id.in_(service_ids))
        self._cascade.add_where(_column("sandbox_messages", "notification_id"), self._session.scalars(messages).all())
        self._cascade.add_where(_column("services_history", "id"), service_ids)
        for table in metadata.sorted_tables:
            if "service_id" in table.c and not table.c["service_id"].foreign_keys:
                self._cascade.add_where(table.c["service_id"], service_ids)
        attachments = self._attachments(service_ids)
        self._cascade.add(tables["services"], [(id_,) for id_ in service_ids])
        self._cascade.add(tables["letter_attachment"], [(id_,) for id_ in attachments])
        self._jobs += self._ids_of("jobs", service_ids)
        self._lists += self._ids_of("service_contact_list", service_ids)

    def add_users(self, user_ids: Collection[UUID]) -> None:
        """Add users. What they created elsewhere stays, with Notify's own user as its author."""
        self._cascade.add(metadata.tables["users"], [(id_,) for id_ in user_ids])

    def run(self) -> dict[str, int]:
        """Delete the rows. Returns their numbers by table."""
        return self._cascade.run()

    def delete_files(self, parts: Parts) -> None:
        """Delete the files of deleted jobs and contact lists."""
        files = Container(parts).get(JobFiles)
        for service_id, job_id in self._jobs:
            files.delete(service_id, job_id)
        for service_id, list_id in self._lists:
            files.delete_contact_list(service_id, list_id)

    def _ids_of(self, name: str, service_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
        """Service and id of each row of a table that belongs to these services."""
        table = metadata.tables[name]
        query = select(table.c.service_id, table.c.id).where(table.c.service_id.in_(service_ids))
        return [(row.service_id, row.id) for row in self._session.execute(query)]

    def _attachments(self, service_ids: Collection[UUID]) -> set[UUID]:
        found: set[UUID] = set()
        for name in ("templates", "templates_history"):
            table = metadata.tables[name]
            query = select(table.c[LETTER_ATTACHMENT]).where(
                table.c.service_id.in_(service_ids), table.c[LETTER_ATTACHMENT].is_not(None)
            )
            found.update(self._session.scalars(query))
        return found


def _column(table: str, column: str) -> Column[UUID]:
    return metadata.tables[table].c[column]


def _references() -> list[tuple[str, Column[UUID], Table]]:
    """Each foreign key of one column: its name as `table.column`, the column, and the table it refers to."""
    return [
        (f"{table.name}.{column.name}", column, key.column.table)
        for table in metadata.sorted_tables
        for column in table.c
        for key in column.foreign_keys
    ]


def _loosened() -> list[str]:
    """References to set to NULL: all nullable ones, except those of rows that are deleted."""
    optional = [
        name
        for name, column, _ in _references()
        if column.nullable and name not in OWNED and (column.name != "service_id" or name in FREED)
    ]
    return list(dict.fromkeys(optional))


def _replaced() -> dict[str, UUID]:
    """References to authors that cannot be NULL: they become Notify's own user."""
    return {
        name: NOTIFY_USER_ID
        for name, column, table in _references()
        if table.name == "users" and not column.nullable and column.name in ("created_by_id", "updated_by_id")
    }


def _test_users(session: Session, prefix: str) -> list[UUID]:
    found = session.execute(
        select(User.id, User.email_address).where(User.email_address.startswith(prefix, autoescape=True))
    )
    return [row.id for row in found if as_uuid(row.email_address.partition("@")[0].rpartition("+")[2])]


def _members(session: Session, service_id: UUID) -> list[UUID]:
    table = metadata.tables["user_to_service"]
    return list(session.scalars(select(table.c.user_id).where(table.c.service_id == service_id)))


def _services_of(session: Session, user_ids: Collection[UUID]) -> set[UUID]:
    """The services that these users belong to or created, except Notify's own."""
    table = metadata.tables["user_to_service"]
    of_members = session.scalars(select(table.c.service_id).where(table.c.user_id.in_(user_ids)))
    made = session.scalars(select(Service.id).where(Service.created_by_id.in_(user_ids)))
    return {*of_members, *made} - {NOTIFY_SERVICE_ID}
