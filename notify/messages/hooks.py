"""Functions that higher rooms provide to messages: the names of jobs' files, the deletion of the files of letters."""

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
    """Looks up the names of jobs' files by job id. The jobs room registers the query in its `hooks.py`."""

    def __init__(self) -> None:
        self._find: FileNames | None = None

    def register(self, find: FileNames) -> FileNames:
        """Decorate the function that reads the names. Unknown jobs are missing in its result."""
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
    """Deletes the files of letters after their retention period. The letters room registers how, in its `hooks.py`."""

    def __init__(self) -> None:
        self._delete: DeleteFiles | None = None

    def register(self, delete: DeleteFiles) -> DeleteFiles:
        """Decorate the function that deletes the files of letters, some thousands at most. Their rows still exist, and
        are deleted next even if it fails: so it must log failures and raise nothing. It decides by status and type of
        key which files to delete (contract: workers 14.2), and must be safe to repeat.
        """
        self._delete = delete
        return delete

    def delete(self, container: Container, ids: Sequence[UUID]) -> None:
        """Delete the files of these letters."""
        load_all("hooks")
        if self._delete is not None:
            self._delete(container, ids)


letter_files: Final = LetterFiles()
