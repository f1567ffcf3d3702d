"""What jobs need of a higher room: the facts of statuses, which stay when the messages of a job are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from notify.rooms import load_all


class StatusFactOfJob(NamedTuple):
    """So many messages of a job have a status: one fact. Others of the job may have the same status."""

    status: str
    number: int


FactsOfJobs = Callable[[Session, Collection[UUID]], Mapping[UUID, Sequence[StatusFactOfJob]]]


class JobFacts:
    """Looks up facts by the ids of jobs. The room of reporting registers how, in its `hooks.py`."""

    def __init__(self) -> None:
        self._find: FactsOfJobs | None = None

    def register(self, find: FactsOfJobs) -> FactsOfJobs:
        """Decorate the function that reads the facts. A job that is missing in its result has none."""
        self._find = find
        return find

    def of(self, session: Session, job_ids: Collection[UUID]) -> Mapping[UUID, Sequence[StatusFactOfJob]]:
        """The facts of these jobs, by status and number."""
        if not job_ids:
            return {}
        load_all("hooks")
        return {} if self._find is None else self._find(session, job_ids)


job_facts: Final = JobFacts()
