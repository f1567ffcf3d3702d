"""What messages need of a higher room: the names of the files that messages of jobs came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify.rooms import load_all

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
