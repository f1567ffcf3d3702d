"""Organisations, invitations and going live from a terminal."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.organisations.models import Domain, Organisation
from notify.services.models import Service
from notify.teams.models import ServiceInvitation
from tests.api import queued
from tests.cli.terminal import a_service, made, refused, run

pytestmark = pytest.mark.usefixtures("terminal")

TITLES = "name|type|crown|agreement|domains|email branding|letter branding"


def test_organisations_of_a_file(parts: Parts, tmp_path: Path) -> None:
    made("create-email-branding", "--name", "Oak", "--text", "Oak Council")
    file = tmp_path / "organisations.txt"
    lines = [TITLES, "Oaks|local|FALSE|TRUE|oaks.gov.uk, Oak.gov.uk|Oak|", "Clinic|nhs_central|TRUE||||NHS"]
    file.write_text("\n".join(lines))
    assert made("populate_organisations_from_file", "-f", str(file)) == {"made": 2, "known_already": 0}
    assert made("populate-organisations-from-file", "--file_name", str(file)) == {"made": 0, "known_already": 2}
    with parts.database.session() as session:
        oaks = session.scalars(select(Organisation).where(Organisation.name == "Oaks")).one()
        assert (oaks.crown, oaks.agreement_signed, oaks.letter_branding_id) == (False, True, None)
        assert oaks.email_branding_id is not None
        domains = select(Domain.domain).where(Domain.organisation_id == oaks.id).order_by(Domain.domain)
        assert session.scalars(domains).all() == ["oak.gov.uk", "oaks.gov.uk"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Oaks|local", "line 2: has 2 columns, not 7"),
        ("Oaks|parish|FALSE||||", "line 2: parish is no type of organisation"),
        ("Oaks|local|maybe||||", "line 2: maybe is neither TRUE nor FALSE"),
        ("Oaks|local|TRUE|||Elm|", "there is no branding Elm"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "organisations.txt"
    file.write_text(f"{TITLES}\n{line}\n")
    assert says in refused("populate-organisations-from-file", "-f", str(file))


def test_agreements_of_a_file(parts: Parts, tmp_path: Path) -> None:
    with parts.database.transaction() as session:
        oaks = create_organisation(session, name="Oaks", organisation_type="local", crown=False).id
    file = tmp_path / "agreements.csv"
    file.write_text(f"id,version,name,day\n{oaks},2.5,Sam Head,04/03/2020\n")
    assert made("populate-organisation-agreement-details-from-file", "-f", str(file)) == {"changed": 1}
    with parts.database.session() as session:
        row = session.get_one(Organisation, oaks)
        assert (row.agreement_signed_version, row.agreement_signed_on_behalf_of_name) == (2.5, "Sam Head")
        assert row.agreement_signed_at is not None
        assert f"{row.agreement_signed_at:%Y-%m-%d}" == "2020-03-04"
    file.write_text(f"{oaks},2.5,Sam Head,2020-03-04\n")
    assert "does not match" in refused("populate-organisation-agreement-details-from-file", "-f", str(file))


def test_services_are_linked_by_the_domain_of_their_maker(parts: Parts) -> None:
    service_id = UUID(a_service()["id"])
    with parts.database.transaction() as session:
        oaks = create_organisation(
            session, name="Oaks", organisation_type="central", crown=True, domains=["example.com"]
        ).id
    assert made("associate-services-to-organisations") == {"linked": 1}
    assert made("associate-services-to-organisations") == {"linked": 0}
    with parts.database.session() as session:
        service = session.get_one(Service, service_id)
        assert (service.organisation_id, service.organisation_type, service.crown) == (oaks, "central", True)


def test_many_are_invited(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFICATION_QUEUE_PREFIX", parts.settings.notification_queue_prefix)
    service = a_service()
    file = tmp_path / "addresses.txt"
    file.write_text("sam@example.gov.uk\n\njo@example.gov.uk\nsam@example.gov.uk\n")
    common = ("--service-id", service["id"], "-u", "ada@example.com", "-a", "email_auth")
    arguments = ("-f", str(file), *common)
    assert made("bulk-invite-user-to-service", *arguments, "-p", "send_texts,view_activity") == {"invited": 2}
    with parts.database.session() as session:
        rows = session.scalars(select(ServiceInvitation).order_by(ServiceInvitation.email_address)).all()
        assert [row.email_address for row in rows] == ["jo@example.gov.uk", "sam@example.gov.uk"]
        assert {(row.permissions, row.auth_type) for row in rows} == {("send_texts,view_activity", "email_auth")}
    tasks = queued(parts)
    assert {name for name, _ in tasks} == {"deliver_email"}
    assert sum(len(arguments[0]) for _, arguments in tasks) == 2
    assert "there is no permission fly" in refused("bulk-invite-user-to-service", *arguments, "-p", "fly")
    file.write_text("sam@example.gov.uk\nnobody\n")
    assert "nobody is no email address" in refused("bulk-invite-user-to-service", *arguments, "-p", "send_texts")
    with parts.database.session() as session:
        assert len(session.scalars(select(ServiceInvitation)).all()) == 2


def test_who_made_a_service_live(parts: Parts, tmp_path: Path) -> None:
    service = a_service()
    file = tmp_path / "live.csv"
    titles = "count,link,service,department,name,contact,user,agreement,day,texts"
    file.write_text(f"{titles}\n1,x,{service['id']},Oaks,Passports,Ada,ada@example.com,yes,04/03/2020,5\n")
    assert made("populate_go_live", "--file-name", str(file)) == {"changed": 1, "without_a_service": 1}
    with parts.database.session() as session:
        row = session.get_one(Service, UUID(service["id"]))
        assert row.go_live_user_id == row.created_by_id
        assert row.go_live_at is not None
        assert f"{row.go_live_at:%Y-%m-%d %H:%M}" == "2020-03-04 12:00"


def test_every_command_has_help() -> None:
    for name in ("populate-organisations-from-file", "bulk-invite-user-to-service", "populate-go-live"):
        assert "--file_name" in run(name, "--help").output
