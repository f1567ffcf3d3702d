"""Lines for `COPY`: messages as services of very different sizes send them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from notify.infra.secrets import Encryptor
from notify.messages.models import PERSONALISATION, TO

SERVICES: Final = 2_000
PROBE: Final = UUID("00000000-0000-7000-8000-00000000ffff")
"""The service whose lists and dashboard are measured: it has the same messages in every database."""
LARGEST: Final = UUID("00000000-0000-7000-8000-000000000001")
LINES_AT_A_TIME: Final = 2_000
KINDS: Final = 30_000
NOTHING: Final = "\\N"
_NO_JOB: Final = f"{NOTHING}\t{NOTHING}"
_DAY: Final = 86_400
"""Seconds of a day."""

HISTORY_COLUMNS: Final = (
    "id, service_id, template_id, template_version, api_key_id, key_type, notification_type, created_at, sent_at, "
    "sent_by, updated_at, reference, billable_units, client_reference, notification_status, rate_multiplier, job_id, "
    "job_row_number"
)
LIVE_COLUMNS: Final = HISTORY_COLUMNS + ', normalised_to, _personalisation, "to"'
_PERSONALISATION: Final = '{"name": "Amala Nwosu", "date": "Monday 3 June"}'


class Span(NamedTuple):
    """So many messages, spread evenly from a moment up to another. `service`: all of them of this one."""

    since: datetime
    until: datetime
    number: int
    service: UUID | None = None


def service_id(number: int) -> UUID:
    """The id of a service: 1 is the largest, 2000 the smallest."""
    return UUID(int=0x7 << 76 | 0x8 << 60 | number)


class _Kind(NamedTuple):
    """What a line has besides its times, in the order of the columns."""

    suffix: str
    service: str
    before_times: str
    sent_by: str
    after_times: str
    job: str


def _kinds(span: Span, seed: int) -> list[_Kind]:
    """Kinds of messages, which repeat: one in five belongs to a job, one in three is an email, one in twenty failed,
    one in fifty has a team key, and one in five a reference of the service's own.
    """
    chosen = random.Random(seed)
    kinds = []
    for n in range(KINDS):
        which = 1 + int(SERVICES * chosen.random() ** 4)
        service = span.service.hex if span.service else service_id(which).hex
        template = f"{service[:16]}9{service[17:28]}{n % 7:04x}"
        is_email = n % 3 == 0
        kinds.append(
            _Kind(
                f"7{chosen.getrandbits(12):03x}8{chosen.getrandbits(60):015x}",
                service,
                f"\t{service}\t{template}\t1\t{service}\t{'normal' if n % 50 else 'team'}\t"
                f"{'email' if is_email else 'sms'}\t",
                "\tses\t" if is_email else "\tmmg\t" if n % 2 else "\tfiretext\t",
                f"\t{1 + n % 2}\t{NOTHING if n % 5 else f'case-{n}'}\t"
                f"{'delivered' if n % 20 else 'permanent-failure'}\t1\t",
                f"70008{service[17:]}" if n % 5 == 1 else "",
            )
        )
    return kinds


def lines(span: Span, seed: int, encryptor: Encryptor | None) -> Iterator[str]:
    """Pieces of text with the messages of a span, oldest first; of live messages where there is an encryptor."""
    first = int(span.since.timestamp() * 1000)
    step = (span.until.timestamp() * 1000 - first) / span.number
    kinds = _kinds(span, seed)
    clock = [f" {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(_DAY)]
    pile: list[str] = []
    day, begins = "", -1
    for n in range(span.number):
        at = first + int(n * step)
        second = at // 1000
        if second // _DAY != begins:
            begins = second // _DAY
            day = datetime.fromtimestamp(second, UTC).date().isoformat()
        kind = kinds[n % KINDS]
        id_ = f"{at:012x}{kind.suffix}"
        created, sent = day + clock[second % _DAY], day + clock[min(second % _DAY + 2, _DAY - 1)]
        job = f"{at // 3_600_000:012x}{kind.job}\t{n}" if kind.job else _NO_JOB
        end = _personal(n, id_, encryptor) if encryptor else ""
        pile.append(
            f"{id_}{kind.before_times}{created}\t{sent}{kind.sent_by}{sent}\tref-{id_}{kind.after_times}{job}{end}\n"
        )
        if len(pile) == LINES_AT_A_TIME:
            yield "".join(pile)
            pile.clear()
    yield "".join(pile)


def _personal(number: int, id_: str, encryptor: Encryptor) -> str:
    id_of, recipient = UUID(id_), f"4479{number % 100_000_000:08}"
    personalisation = encryptor.encrypt(_PERSONALISATION, PERSONALISATION, id_of).hex()
    return f"\t{recipient}\t\\\\x{personalisation}\t\\\\x{encryptor.encrypt(recipient, TO, id_of).hex()}"
