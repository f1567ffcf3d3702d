"""A service's messages in pages, as the admin app lists them (contract: internal-services 10.2, 10.4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.infra.errors import PageNotFoundError
from notify.infra.paging import PAGE_SIZE, Page
from notify.infra.secrets import Encryptor
from notify.messages.details import MessageDetails, read_details
from notify.messages.models import OF_ITS_LIST
from notify.messages.statuses import filter_statuses
from notify.vocabulary import NOTIFICATION_TYPES, STATUSES

_HIGHEST_ROW: Final = 2**62

_KINDS: Final = """
unnest(CAST(:key_types AS text[])) AS wanted_key,
unnest(CAST(:types AS notification_type[])) AS wanted_type,
unnest(CAST(:statuses AS text[])) AS wanted_status,
unnest(CAST(:in_jobs AS boolean[])) AS in_job
"""
_OF_A_KIND: Final = f"""
FROM notifications m
WHERE m.service_id = :service_id AND m.key_type = wanted_key AND m.notification_type = wanted_type
      AND m.notification_status = wanted_status AND (m.job_id IS NOT NULL) = in_job AND {OF_ITS_LIST} {{conditions}}
"""
_PAGE: Final = f"""
SELECT found.id FROM {_KINDS}
CROSS JOIN LATERAL (
    SELECT m.id, m.created_at {_OF_A_KIND}
    ORDER BY m.created_at DESC, m.id DESC LIMIT :most
) AS found
ORDER BY found.created_at DESC, found.id DESC LIMIT :limit OFFSET :before
"""  # noqa: S608 -- no input
"""As in `queries.py`: the newest of each kind, merged (docs/decisions/0020). Messages that people sent are no part of
the index; they are few, so they are left out row by row.
"""
_COUNT: Final = f"""
SELECT CAST(sum(counted.number) AS bigint) FROM {_KINDS}
CROSS JOIN LATERAL (SELECT count(*) AS number {_OF_A_KIND}) AS counted
"""  # noqa: S608 -- no input
_CURSOR: Final = text("SELECT created_at FROM notifications WHERE id = :id AND service_id = :service_id")


class ListFilter(NamedTuple):
    """The messages of a service to list. By default, all except those of test keys."""

    service_id: UUID
    types: Collection[str] = ()
    statuses: Collection[str] = ()
    """As requested: `failed`, `accepted` and `received` stand for several statuses."""
    since: datetime | None = None
    include_jobs: bool = True
    include_one_off: bool = True
    include_from_test_key: bool = False
    key_types: Collection[str] = ()
    """Only these types of keys; overrides `include_from_test_key`."""


class MessagePage(NamedTuple):
    """A page of a list, newest first."""

    messages: Sequence[MessageDetails]
    number: int
    has_next: bool


def page_of_messages(
    session: Session, encryptor: Encryptor, wanted: ListFilter, *, number: int = 1, size: int = PAGE_SIZE
) -> MessagePage:
    """A page of a list. Raises `PageNotFoundError` for one after the last, unless that is the first."""
    if number * size > _HIGHEST_ROW:
        raise PageNotFoundError
    ids = _ids(session, wanted, before=(number - 1) * size, limit=size + 1)
    if not ids and number > 1:
        raise PageNotFoundError
    return MessagePage(read_details(session, encryptor, ids[:size]), number, len(ids) > size)


def counted_page_of_ids(session: Session, wanted: ListFilter, *, number: int, size: int) -> Page[UUID]:
    """As `page_of_messages`, but only the ids, and the number of messages of the whole list, which are only counted if
    a page follows.
    """
    if number * size > _HIGHEST_ROW:
        raise PageNotFoundError
    before = (number - 1) * size
    ids = _ids(session, wanted, before=before, limit=size + 1)
    if not ids and number > 1:
        raise PageNotFoundError
    total = before + len(ids)
    if len(ids) > size:
        conditions, values = _conditions(wanted)
        total = session.scalar(text(_COUNT.format(conditions=conditions)), values) or total
    return Page(ids[:size], number, size, total)


def rows_of_messages(
    session: Session,
    encryptor: Encryptor,
    wanted: ListFilter,
    *,
    number: int = 1,
    size: int = PAGE_SIZE,
    older_than: UUID | None = None,
) -> list[MessageDetails]:
    """A page of a list; empty after the last one. `older_than`: only messages created before that one; empty if the
    service has no such message.
    """
    if number * size > _HIGHEST_ROW:
        return []
    older: datetime | None = None
    if older_than is not None:
        older = session.scalar(_CURSOR, {"id": older_than, "service_id": wanted.service_id})
        if older is None:
            return []
    ids = _ids(session, wanted, before=(number - 1) * size, limit=size, older=(older, older_than))
    return read_details(session, encryptor, ids)


def _ids(
    session: Session,
    wanted: ListFilter,
    *,
    before: int,
    limit: int,
    older: tuple[datetime | None, UUID | None] = (None, None),
) -> list[UUID]:
    conditions, values = _conditions(wanted)
    values |= {"most": before + limit, "limit": limit, "before": before}
    if older[0] is not None:
        # compare ids too: messages of one batch may have the same time, and none may be lost between two pages
        conditions += " AND (m.created_at, m.id) < (:older, :older_id)"
        values["older"], values["older_id"] = older
    return list(session.scalars(text(_PAGE.format(conditions=conditions)), values))


def _conditions(wanted: ListFilter) -> tuple[str, dict[str, Any]]:
    """Further conditions of a list's query, and its values."""
    statuses = filter_statuses(wanted.statuses)
    usual = ["normal", "team", "test"] if wanted.include_from_test_key else ["normal", "team"]
    values: dict[str, Any] = {
        "service_id": wanted.service_id,
        "key_types": list(wanted.key_types) or usual,
        "types": list(dict.fromkeys(wanted.types)) or list(NOTIFICATION_TYPES),
        "statuses": [status for status in STATUSES if statuses is None or status in statuses],
        "in_jobs": [False, True] if wanted.include_jobs else [False],
    }
    conditions = ""
    if wanted.since is not None:
        conditions += " AND m.created_at >= :since"
        values["since"] = wanted.since
    if not wanted.include_one_off:
        conditions += " AND m.created_by_id IS NULL"
    return conditions, values
