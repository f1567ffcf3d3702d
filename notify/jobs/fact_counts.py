"""Status facts of jobs, which a higher room provides. They stay when the messages of a job are deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from notify.rooms import load_all


class StatusFactOfJob(NamedTuple):
    """A fact: a number of messages of a job with a status. Several facts of a job may have the same status."""

    status: str
    number: int


FactsOfJobs = Callable[[Session, Collection[UUID]], Mapping[UUID, Sequence[StatusFactOfJob]]]


class JobFacts:
    """Looks up facts by the ids of jobs. The reporting room registers the query in its `hooks.py`."""

    def __init__(self) -> None:
        self._find: FactsOfJobs | None = None

    def register(self, find: FactsOfJobs) -> FactsOfJobs:
        """Decorate the function that reads the facts. Jobs without facts are missing in its result."""
        self._find = find
        return find

    def of(self, session: Session, job_ids: Collection[UUID]) -> Mapping[UUID, Sequence[StatusFactOfJob]]:
        """The facts by job."""
        if not job_ids:
            return {}
        load_all("hooks")
        return {} if self._find is None else self._find(session, job_ids)


job_facts: Final = JobFacts()
