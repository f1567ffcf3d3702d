"""What became of every message of a scenario, and whether that is as promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chaos.load import Record
from chaos.provider import Take, plan
from notify.messages.deliver import WRITE_EVERY_SECONDS

WRITE_SECONDS = 3.0
"""What a write of results may take; a busy machine takes its time."""


class Disturbance(NamedTuple):
    """A time in which a worker may have lost what it knew: it was killed, or could not write."""

    kind: str
    begin: float
    end: float

    def excuses(self, take: Take, write_seconds: float) -> bool:
        """Whether what was taken then may be handed over again."""
        return self.begin - WRITE_EVERY_SECONDS - write_seconds <= take.at <= self.end + write_seconds


class Row(NamedTuple):
    """A message in the database."""

    id: str
    reference: str
    number: str
    status: str


@dataclass
class Verdict:
    """The result of one scenario. `violations` is empty when all is well."""

    record: Record
    handed_over: int = 0
    final: int = 0
    unknown: int = 0
    """Stored and sent, though the client got no 201: its connection or the web process broke."""
    duplicates: int = 0
    unanswered: int = 0
    """Hand-overs whose answer got lost on the provider's side: each may cost one duplicate."""
    disturbed: int = 0
    """Hand-overs that were under way when a worker was killed or cut off: each may cost one duplicate."""
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Figures of this scenario only."""

    @property
    def bound(self) -> int:
        """The largest number of duplicates that is still as promised."""
        return self.unanswered + self.disturbed


def judge(
    record: Record,
    rows: Iterable[Row],
    takes: Mapping[str, Sequence[Take]],
    disturbances: Sequence[Disturbance],
    seconds: float,
    write_seconds: float = WRITE_SECONDS,
) -> Verdict:
    """Compare what clients got, what providers took, and what the database says."""
    verdict = Verdict(record, seconds=seconds)
    by_id, references = {}, set[str]()
    for row in rows:
        if row.reference in references:
            verdict.violations.append(f"{row.id}: stored twice")
        references.add(row.reference)
        by_id[row.id] = row
    for id_ in record.accepted:
        if id_ not in by_id:
            verdict.violations.append(f"{id_}: accepted, but not in the database")
        if not takes.get(id_):
            verdict.violations.append(f"{id_}: accepted, but never handed over")
    verdict.unknown = len(by_id.keys() - record.accepted.keys())
    for row in by_id.values():
        expected = plan(row.number).status
        if row.status == expected:
            verdict.final += 1
        else:
            verdict.violations.append(f"{row.id}: {row.status}, but the provider said {expected}")
        _count(verdict, takes.get(row.id, ()), disturbances, write_seconds)
    verdict.violations += record.wrong
    return verdict


def _count(verdict: Verdict, takes: Sequence[Take], disturbances: Sequence[Disturbance], write_seconds: float) -> None:
    verdict.handed_over += bool(takes)
    ordered = sorted(takes, key=lambda take: take.at)
    for position, take in enumerate(ordered):
        excused = not take.is_answered or any(one.excuses(take, write_seconds) for one in disturbances)
        if not take.is_answered:
            verdict.unanswered += 1
        elif excused:
            verdict.disturbed += 1
        if position + 1 < len(ordered):
            verdict.duplicates += 1
            if not excused:
                again = ordered[position + 1].at - take.at
                verdict.violations.append(f"{take.id}: handed over again after {again:.1f} s, and nothing excuses it")
