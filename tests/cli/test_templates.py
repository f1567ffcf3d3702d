"""Templates from a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import a_service, made, refused, run

pytestmark = pytest.mark.usefixtures("terminal")


def a_template(*more: str) -> str:
    a_service()
    made("create-template", "--service", "Passports", "--type", "sms", "--name", "T", "--content", "Hi ((name))", *more)
    return "T"


def test_a_second_version() -> None:
    template = a_template()
    changed = made("update-template", "--service", "Passports", "--template", template, "--content", "Hello")
    assert changed["version"] == 2
    again = made("update-template", "--service", "Passports", "--template", template, "--content", "Hello")
    assert again["version"] == 2
    assert made("show-template", "--service", "Passports", "--template", template)["content"] == "Hello"
    first = run("show-template", "--service", "Passports", "--template", template, "--version", "1")
    assert first.output.endswith("Hi ((name))\n")
    assert "no version 9" in refused(
        "show-template", "--service", "Passports", "--template", template, "--version", "9"
    )
    assert [row["version"] for row in made("list-templates", "--service", "Passports")] == [2]


def test_a_letter_with_a_contact_block() -> None:
    a_service()
    contact = made("add-letter-contact", "--service", "Passports", "--block", r"1 High Street\nOakshire")
    assert contact["contact_block"] == "1 High Street\nOakshire"
    made(
        "create-template", "--service", "Passports", "--type", "letter", "--name", "L", "--subject", "S",
        "--content", "C", "--letter-contact", contact["id"],
    )  # fmt: skip
    options = ("--service", "Passports", "--template", "L")
    assert made("update-template", *options, "--letter-contact", "", "--postage", "first")["version"] == 2
    assert made("update-template", *options, "--letter-contact", contact["id"])["version"] == 3
    assert "not the id" in refused("update-template", *options, "--letter-contact", "here")


def test_archive_and_redact() -> None:
    template = a_template()
    options = ("--service", "Passports", "--template", template)
    assert made("redact-template", *options)["redact_personalisation"]
    assert made("archive-template", *options)["archived"]
    assert made("list-templates", "--service", "Passports") == []
    assert "there is no template T" in refused("archive-template", *options)


def test_what_is_asked_wrongly() -> None:
    template = a_template()
    made("create-template", "--service", "Passports", "--type", "sms", "--name", template, "--content", "Other")
    options = ("--service", "Passports", "--template", template)
    assert "give the id" in refused("update-template", *options, "--content", "x")
    assert "at least one thing" in refused("update-template", *options)
    assert "either" in refused("update-template", *options, "--content", "x", "--content-file", "-", stdin="y")
    new = ("create-template", "--service", "Passports", "--type", "sms", "--name", "N")
    assert "either" in refused(*new)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Caf\u00e9".encode("latin-1"), "Windows-1252"),
        ("Price: 5\u20ac".encode("cp1252"), "Windows-1252"),
        ("Caf\u00e9".encode("utf-16"), "UTF-16"),
        ("Cafe".encode("utf-16-le"), "UTF-16"),
        ("Caf\u00e9".encode("utf-32"), "UTF-32"),
        (b"a\x81\x8d", "another encoding"),
        (b"Hello there\0", "not text"),
    ],
)
def test_a_file_in_another_encoding_is_one_line(tmp_path: Path, content: bytes, encoding: str) -> None:
    a_service()
    file = tmp_path / "template.txt"
    file.write_bytes(content)
    line = refused(
        "create-template", "--service", "Passports", "--type", "sms", "--name", "N", "--content-file", str(file)
    )
    assert str(file) in line
    assert "is not UTF-8" in line
    assert encoding in line
    assert made("list-templates", "--service", "Passports") == []


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    a_service()
    file = tmp_path / "template.txt"
    file.write_bytes(b"\xef\xbb\xbfCaf\xc3\xa9")
    made("create-template", "--service", "Passports", "--type", "sms", "--name", "N", "--content-file", str(file))
    assert made("show-template", "--service", "Passports", "--template", "N")["content"] == "Café"


def test_a_file_that_is_not_there() -> None:
    a_service()
    line = refused("create-template", "--service", "Passports", "--type", "sms", "--name", "N", "--content-file", "no")
    assert "'no': No such file or directory" in line
