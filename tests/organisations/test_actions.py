"""Creating organisations."""

from __future__ import annotations

import pytest

from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.organisations.errors import DuplicateDomainError, DuplicateOrganisationError, InvalidOrganisationError
from notify.organisations.queries import organisation_of_address


def test_people_of_its_domains_belong_to_it(parts: Parts) -> None:
    with parts.database.transaction() as session:
        made = create_organisation(
            session, name="Parks", organisation_type="local", crown=False, domains=["Parks.gov.uk", "parks.gov.uk"]
        )
        assert organisation_of_address(session, "ada@parks.gov.uk") is made


def test_names_and_domains_are_unique(parts: Parts) -> None:
    with parts.database.transaction() as session:
        create_organisation(session, name="Parks", organisation_type="local", crown=False, domains=["parks.gov.uk"])
    with parts.database.session() as session, pytest.raises(DuplicateOrganisationError):
        create_organisation(session, name="Parks", organisation_type="local", crown=False)
    with parts.database.session() as session, pytest.raises(DuplicateDomainError):
        create_organisation(session, name="Woods", organisation_type="local", crown=False, domains=["parks.gov.uk"])


def test_an_unknown_type_is_refused(parts: Parts) -> None:
    with parts.database.session() as session, pytest.raises(InvalidOrganisationError):
        create_organisation(session, name="Parks", organisation_type="king", crown=False)
