"""Letter branding: its rules."""

from __future__ import annotations

import pytest

from notify.branding.errors import DuplicateLetterBrandingError, InvalidBrandingError
from notify.branding.letter_branding import create_letter_branding, list_letter_brandings, update_letter_branding
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts


def test_create_change_and_list(parts: Parts) -> None:
    with parts.database.transaction() as session:
        oak = create_letter_branding(session, name="Oak", filename="oak")
        create_letter_branding(session, name="Ash", filename="ash")
        update_letter_branding(session, oak.id, name="Oak Two", filename="oak-two")
        assert [(row.name, row.filename) for row in list_letter_brandings(session) if row.name != "NHS"] == [
            ("Ash", "ash"),
            ("Oak Two", "oak-two"),
        ]
        with pytest.raises(NotFoundProblemError):
            update_letter_branding(session, new_id(), name="Fir", filename="fir")


@pytest.mark.parametrize(
    ("name", "filename", "words"),
    [("Yew", "fir", "Name already in use"), ("Fir", "yew", "Filename already in use")],
)
def test_taken(parts: Parts, name: str, filename: str, words: str) -> None:
    with parts.database.transaction() as session:
        create_letter_branding(session, name="Yew", filename="yew")
        box = create_letter_branding(session, name="Box", filename="box")
    with parts.database.session() as session, pytest.raises(DuplicateLetterBrandingError, match=words):
        create_letter_branding(session, name=name, filename=filename)
    with parts.database.session() as session, pytest.raises(DuplicateLetterBrandingError, match=words):
        update_letter_branding(session, box.id, name=name, filename=filename)


@pytest.mark.parametrize(("name", "filename"), [("", "fir"), ("Fir", "")])
def test_refused(parts: Parts, name: str, filename: str) -> None:
    with parts.database.session() as session, pytest.raises(InvalidBrandingError):
        create_letter_branding(session, name=name, filename=filename)
