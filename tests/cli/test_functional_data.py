"""Deleting the data of functional tests: all of their data, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Table, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.accounts.models import NOTIFY_USER_ID, User
from notify.infra.ids import new_id
from notify.infra.objects import ObjectMissingError
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.models import metadata
from notify.services.members import add_member
from notify.services.models import NOTIFY_SERVICE_ID, Service
from notify.templates.actions import create_template
from tests.cli.terminal import made, refused, run
from tests.services.factory import a_service, a_user

pytestmark = pytest.mark.usefixtures("terminal")

_DROP_CHECKS = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
                 WHERE contype = 'c' AND coninhcount = 0 AND connamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.conname);
    END LOOP;
END $$
"""
SKIPPED = {"encryption_check", "delivery_batches", "protected_sender_ids"}


def counts(session: Session) -> Counter[str]:
    """The rows of each table that has some."""
    return Counter(
        {table.name: len(session.execute(select(*table.primary_key)).all()) for table in metadata.sorted_tables}
    )


class World:
    """A row in every table that refers, at whatever distance, to a service or a user: made from the tables' columns, so
    a new table is part of it.
    """

    def __init__(self, session: Session, service: Service, user_id: UUID) -> None:
        self._session = session
        self._known: dict[str, dict[str, Any]] = {
            "services": {"id": service.id},
            "users": {"id": user_id},
            "user_to_service": {"user_id": user_id, "service_id": service.id},
        }
        self._service_id, self._user_id = service.id, user_id
        template = create_template(
            session,
            service_id=service.id,
            template_type="email",
            name="x",
            subject="x",
            content="x",
            created_by_id=user_id,
        )
        self._known |= {"templates": {"id": template.id}, "templates_history": {"id": template.id, "version": 1}}

    def fill(self) -> None:
        # foreign keys are what counts here: the words in these rows are any
        self._session.execute(text(_DROP_CHECKS))
        for table in metadata.sorted_tables:
            refers = any(key.referred_table.name in self._known for key in table.foreign_key_constraints)
            if table.name not in self._known and (refers or "service_id" in table.c) and table.name not in SKIPPED:
                self._add(table)

    def _add(self, table: Table) -> None:
        values = {column.name: self._value(column) for column in table.c}
        values = {name: value for name, value in values.items() if value is not None}
        statement = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
        if self._session.execute(statement).first():  # else the service came with such a row
            self._known[table.name] = values

    def _value(self, column: Column[Any]) -> Any:
        for key in column.foreign_keys:
            known = self._known.get(key.column.table.name)
            if known is None:
                return None
            return known.get(key.column.name, self._service_id)
        if column.name == "service_id":
            return self._service_id
        if column.nullable or column.server_default is not None:
            return None
        kind = column.type.python_type
        made: dict[Any, Any] = {UUID: new_id(), int: 1, bool: False, bytes: b"x", dict: {}, list: []}
        if kind in made:
            return made[kind]
        if kind is str:
            enums = getattr(column.type, "enums", None)
            return enums[0] if enums else (str(new_id())[:8])
        return utc_now() if kind.__name__ == "datetime" else utc_now().date() if kind.__name__ == "date" else 1


def test_a_service_is_deleted_with_all_its_data(parts: Parts) -> None:
    with parts.database.transaction() as session:
        other = a_service(session)
        assert other
        before = counts(session)
        service = a_service(session)
        user_id = service.created_by_id
        world = World(session, service, user_id)
        world.fill()
        service_id = service.id
        filled = counts(session)
        session.execute(text("UPDATE templates_history SET letter_attachment_id = (SELECT id FROM letter_attachment)"))
    assert len(filled - before) > 35
    result = made("delete-functional-test-service", "-s", str(service_id))
    assert (result["services"], result["users"]) == (1, 1)
    with parts.database.session() as session:
        left = counts(session) - before
        # what belongs to nobody in particular
        shared = {"letter_branding", "email_branding", "inbound_numbers", "provider_details", "domain"}
        shared |= {"provider_details_history"}
        assert set(left) <= shared | {table.name for table in metadata.sorted_tables if "organisation" in table.name}
        assert session.get(User, user_id) is None


def test_users_with_another_service_stay(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        member = other.created_by_id
        add_member(session, service.id, member, ["view_activity"])
        service_id = service.id
    assert made("delete-functional-test-service", "--service-id", str(service_id))["users"] == 1
    with parts.database.session() as session:
        assert session.get(User, member) is not None
        assert session.get(Service, service_id) is None


def test_files_of_jobs_go(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBJECT_STORE_URL", f"file://{tmp_path}/data/objects")
    bucket = parts.objects.bucket(parts.settings.s3_bucket_csv_upload)
    with parts.database.transaction() as session:
        service = a_service(session)
        world = World(session, service, service.created_by_id)
        world.fill()
        (job_id,) = session.scalars(select(metadata.tables["jobs"].c.id)).all()
        key = f"service-{service.id}-notify/{job_id}.csv"
        service_id = service.id
    bucket.put(key, b"to\n07900900123\n")
    made("delete-functional-test-service", "-s", str(service_id))
    with pytest.raises(ObjectMissingError):
        bucket.info(key)


def test_test_users_go_with_their_services(parts: Parts) -> None:
    with parts.database.transaction() as session:
        domain = "@digital.example.com"
        test = a_user(session, email_address=f"tests+preview+{uuid4()}{domain}")
        others = [
            a_user(session, email_address=address)
            for address in (f"tests+preview{domain}", f"other+{uuid4()}{domain}", f"tests+{uuid4()}x{domain}")
        ]
        kept = a_service(session, user_id=others[0].id)
        own = a_service(session, user_id=test.id)
        joined = a_service(session, user_id=others[1].id)
        add_member(session, joined.id, test.id, ["view_activity"])
        template = create_template(
            session, service_id=kept.id, template_type="sms", name="x", content="x", created_by_id=test.id
        )
        add_member(session, NOTIFY_SERVICE_ID, test.id, ["view_activity"])
        ids = {"test": test.id, "own": own.id, "joined": joined.id, "kept": kept.id, "template": template.id}
        others_ids = [user.id for user in others]
    result = made("purge_functional_test_data", "-u", "tests+")
    assert (result["users"], result["services"]) == (1, 2)
    with parts.database.session() as session:
        assert session.get(User, ids["test"]) is None
        assert [session.get(User, user_id) is not None for user_id in others_ids] == [True] * 3
        assert session.get(Service, ids["own"]) is None
        assert session.get(Service, ids["joined"]) is None
        assert session.get(Service, ids["kept"]) is not None
        assert session.get(Service, NOTIFY_SERVICE_ID) is not None
        table = metadata.tables["templates"]
        maker = session.scalar(select(table.c.created_by_id).where(table.c.id == ids["template"]))
        assert maker == NOTIFY_USER_ID
    assert made("purge-functional-test-data", "--user_email_prefix", "tests+")["users"] == 0


def test_each_service_goes_in_a_transaction_of_its_own(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = a_user(session, email_address=f"halfway+{uuid4()}@digital.example.com")
        ids = sorted(a_service(session, user_id=user.id).id for _ in range(3))
        user_id = user.id
        # something that stops the deletion of the last one
        session.execute(text("CREATE TABLE stop (service_id uuid REFERENCES services)"))
        session.execute(text("INSERT INTO stop VALUES (:id)"), {"id": ids[2]})
    assert refused("purge-functional-test-data", "-u", "halfway+")
    with parts.database.transaction() as session:
        assert [session.get(Service, service_id) is not None for service_id in ids] == [False, False, True]
        assert session.get(User, user_id) is not None
        session.execute(text("DROP TABLE stop"))
    result = made("purge-functional-test-data", "-u", "halfway+")
    assert (result["users"], result["services"]) == (1, 1)


def test_the_world_of_the_functional_tests_goes_with_their_users(parts: Parts) -> None:
    with parts.database.session() as session:
        before = counts(session)
    assert run("functional-test-fixtures").exit_code == 0
    with parts.database.transaction() as session:
        services = dict(session.execute(select(Service.name, Service.id)).tuples().all())
        test = a_user(session, email_address=f"notify-tests-preview+{uuid4()}@digital.cabinet-office.gov.uk")
        add_member(session, services["Functional Tests"], test.id, ["view_activity"])
        add_member(session, services["Performance Tests"], test.id, ["view_activity"])
    result = made("purge_functional_test_data", "-u", "notify-tests-preview")
    assert (result["users"], result["services"]) == (1, 2)
    with parts.database.session() as session:
        left = counts(session) - before
    # what belongs to no service: the organisation, and the three whose addresses have no UUID
    assert left["services"] == left["templates"] == left["service_callback_api"] == left["service_sms_senders"] == 0
    assert (left["users"], left["organisation"], left["inbound_numbers"]) == (3, 1, 1)


def test_refusals() -> None:
    assert "is empty" in refused("purge-functional-test-data", "-u", "")
    assert "Notify itself" in refused("delete-functional-test-service", "-s", str(NOTIFY_SERVICE_ID))
    assert "there is no service" in refused("delete-functional-test-service", "-s", str(new_id()))
