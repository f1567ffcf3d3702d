"""What messages need of a higher room: the names of the files that messages of jobs came from, and the deletion of the
files of letters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.rooms import load_all

DeleteFiles = Callable[[Container, Sequence[UUID]], None]
FileNames = Callable[[Session, Collection[UUID]], Mapping[UUID, str]]


class JobFiles:
    """Looks up the names of jobs' files by the ids of the jobs. The room of jobs registers how, in its `hooks.py`."""

    def __init__(self) -> None:
        self._find: FileNames | None = None

    def register(self, find: FileNames) -> FileNames:
        """Decorate the function that reads the names. An id that is missing in its result is of no job."""
        self._find = find
        return find

    def names(self, session: Session, job_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The names of the files of these jobs."""
        if not job_ids:
            return {}
        load_all("hooks")
        return {} if self._find is None else self._find(session, job_ids)


job_files: Final = JobFiles()


class LetterFiles:
    """Deletes the files of letters whose retention is over. The room of letters registers how, in its `hooks.py`."""

    def __init__(self) -> None:
        self._delete: DeleteFiles | None = None

    def register(self, delete: DeleteFiles) -> DeleteFiles:
        """Decorate the function that deletes the files of letters, some thousands at most. Their rows are still there
        and go next, whether or not it could: so it logs what fails, and raises nothing. It decides by their status and
        type of key which files go (contract: workers 14.2), and may be called again with the same letters.
        """
        self._delete = delete
        return delete

    def delete(self, container: Container, ids: Sequence[UUID]) -> None:
        """Delete the files of these letters."""
        load_all("hooks")
        if self._delete is not None:
            self._delete(container, ids)


letter_files: Final = LetterFiles()
