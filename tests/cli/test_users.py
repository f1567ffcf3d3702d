"""Users from a terminal."""

from __future__ import annotations

import pytest

from tests.cli.terminal import a_service, made, refused

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.mark.parametrize("command", ["update-emails-to-remove-gsi", "update_emails_to_remove_gsi"])
@pytest.mark.parametrize("option", ["-s", "--service_id", "--service-id"])
def test_old_addresses_are_replaced(command: str, option: str) -> None:
    a_service()
    made("create-user", "--name", "Bob", "--email", "bob@x.gsi.gov.uk")
    service = made("create-service", "--name", "Visas", "--user", "bob@x.gsi.gov.uk")["id"]
    assert made(command, option, service) == {"changed": 1, "taken_already": 0}
    assert made(command, option, service) == {"changed": 0, "taken_already": 0}
    made("create-service", "--name", "Fishing", "--user", "bob@x.gov.uk")


def test_a_service_that_there_is_not() -> None:
    assert "there is no service" in refused("update-emails-to-remove-gsi", "-s", "Nothing")
