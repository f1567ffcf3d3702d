"""Inbound numbers from a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import a_service, made, refused

pytestmark = pytest.mark.usefixtures("terminal")


def test_a_number_is_given_and_taken_away(tmp_path: Path) -> None:
    a_service()
    file = tmp_path / "numbers.txt"
    file.write_text("07900900001\n07900900002\n")
    assert made("insert-inbound-numbers", "-f", str(file)) == {"inserted": 2, "known_already": 0}
    made("assign-inbound-number", "--service", "Passports", "--number", "07900900002")
    listed = {row["number"]: row["service"] for row in made("list-inbound-numbers")}
    assert (listed["07900900001"], listed["07900900002"]) == (None, "Passports")
    made("create-service", "--name", "Visas", "--user", "ada@example.com")
    assert "is not free" in refused("assign-inbound-number", "--service", "Visas", "--number", "07900900002")
    assert made("remove-inbound-number", "--service", "Passports")["default_sender"] == "development"
    made("assign-inbound-number", "--service", "Visas", "--number", "07900900002")


def test_a_file_of_a_spreadsheet_program_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "numbers.txt"
    file.write_bytes("07900900001\n".encode("utf-16"))
    line = refused("insert-inbound-numbers", "-f", str(file))
    assert str(file) in line
    assert "UTF-16" in line
