"""Deletes the PDFs of letters before the messages room deletes their rows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from notify.infra.container import Container
from notify.letters.deletion import LetterDeletion
from notify.messages.hooks import letter_files


@letter_files.register
def delete_files(container: Container, ids: Sequence[UUID]) -> None:
    """Delete the PDFs of letters whose retention is over, by their status."""
    container.get(LetterDeletion).delete_before_rows(ids)
