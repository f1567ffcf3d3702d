"""Searches a service's messages for a recipient or a reference (contract: internal-services 10.3).

It searches `normalised_to`, the searchable form of a recipient, and `client_reference`; the recipient itself is
encrypted. There are two ways to find the newest 50 matches, and each is fast where the other is slow:

1. Scan the service's newest messages. A text that many recipients contain (`07700`, `@gmail`) fills the page after few
   of them.
2. Otherwise matches are rare, and the trigram indexes find them among all messages. For a text that is too short for
   these indexes, continue the scan with older messages, up to all of them, until the time limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.content.email_addresses import InvalidEmailAddress, normalise
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.paging import PAGE_SIZE
from notify.infra.secrets import Encryptor
from notify.messages.details import MessageDetails, read_details

logger = structlog.get_logger(__name__)

LOOKED_THROUGH: Final = 5_000
"""Number of a service's newest messages to scan first."""
MORE_LOOKED_THROUGH: Final = 20_000
"""Number of messages of each further scan, for a text that no index can find."""
LONGEST_SECONDS: Final = 1.0
"""Time limit for scanning a service's messages: enough for about a million. One or two characters do not find older
ones (docs/decisions/0022).
"""

_MATCHES: Final = "(normalised_to LIKE :recipient OR client_reference ILIKE :reference) AND key_type <> 'test'"
_NEWEST_FIRST: Final = "ORDER BY created_at DESC, id DESC"
_AMONG_NEWEST: Final = """
SELECT id FROM (
    SELECT id, created_at, key_type, notification_type, notification_status, normalised_to, client_reference
    FROM notifications WHERE service_id = :service_id {older} ORDER BY created_at DESC, id DESC LIMIT :newest
) AS newest WHERE {matches} {order} LIMIT :limit
"""
_OLDER: Final = "AND (created_at, id) < (:last_at, :last_id)"
_LAST: Final = """
SELECT created_at, id FROM notifications WHERE service_id = :service_id {older}
ORDER BY created_at DESC, id DESC OFFSET :newest - 1 LIMIT 1
"""
"""The last message scanned; no row if there are no more messages."""
# without MATERIALIZED, the planner would choose the first way because of the limit, and scan everything
_AMONG_ALL: Final = """
WITH found AS MATERIALIZED (
    SELECT id, created_at FROM notifications WHERE service_id = :service_id AND {matches}
)
SELECT id FROM found {order} LIMIT :limit
"""
_SIGNS: Final = re.compile(r"[\\_%/]")
_INDEXED: Final = re.compile(r"[^\W_]{3}|[\W_][^\W_]|[^\W_]{2}[\W_]")
"""What a text needs for the trigram indexes: three letters or digits, or the beginning or end of a word, which pg_trgm
counts as letters.
"""
_SEPARATORS: Final = str.maketrans("", "", "() -")


class FoundMessages(NamedTuple):
    """The newest matches, and whether there are more."""

    messages: list[MessageDetails]
    has_next: bool


def search_messages(
    session: Session,
    encryptor: Encryptor,
    service_id: UUID,
    term: str,
    *,
    types: Collection[str] = (),
    statuses: Collection[str] = (),
) -> FoundMessages:
    """The newest 50 messages whose recipient or reference contains `term`, without those of test keys. The first of
    `types` decides how `term` is normalised. `statuses` are stored ones.
    """
    kind = next(iter(types), None)
    values: dict[str, Any] = {
        "service_id": service_id,
        "recipient": _pattern(normalise_term(term, kind)),
        "reference": _pattern(term),
        "newest": LOOKED_THROUGH,
        "limit": PAGE_SIZE + 1,
    }
    matches = _MATCHES
    if kind is not None:
        matches += " AND notification_type = CAST(:kind AS notification_type)"
        values["kind"] = kind
    if statuses:
        matches += " AND notification_status = ANY(CAST(:statuses AS text[]))"
        values["statuses"] = list(statuses)
    ids = _look_through(session, matches, values)
    return FoundMessages(read_details(session, encryptor, ids[:PAGE_SIZE]), len(ids) > PAGE_SIZE)


def _look_through(session: Session, matches: str, values: dict[str, Any]) -> list[UUID]:
    """The newest matches, at most `values["limit"]`."""
    ids: list[UUID] = []
    # both texts need an index, or every message of the service is read
    is_indexed = all(_INDEXED.search(values[name].strip("%")) for name in ("recipient", "reference"))
    older, ends = "", time.monotonic() + LONGEST_SECONDS
    while True:
        limits = {"limit": values["limit"] - len(ids)}
        query = _AMONG_NEWEST.format(matches=matches, order=_NEWEST_FIRST, older=older)
        ids += session.scalars(text(query), values | limits)
        if len(ids) == values["limit"]:
            return ids
        last = session.execute(text(_LAST.format(older=older)), values).one_or_none()
        if last is None:
            return ids
        if is_indexed:
            return list(session.scalars(text(_AMONG_ALL.format(matches=matches, order=_NEWEST_FIRST)), values))
        if time.monotonic() > ends:
            logger.warning("search ended before the oldest messages", service_id=values["service_id"])
            return ids
        older = _OLDER
        values |= {"last_at": last.created_at, "last_id": last.id, "newest": MORE_LOOKED_THROUGH}


def normalise_term(term: str, notification_type: str | None) -> str:
    """A part of a recipient in the searchable form of recipients of this type."""
    if notification_type == "sms":
        try:
            number = PhoneNumber.parse(term)
        except InvalidPhoneNumber:
            return term.translate(_SEPARATORS).lstrip("+0").lower()
        return number.normalised.removeprefix(str(number.country_code))
    if notification_type == "email":
        try:
            return normalise(term)
        except InvalidEmailAddress:
            return term.lower()
    return "".join(term.split()).lower()


def _pattern(part: str) -> str:
    r"""The LIKE pattern for texts that contain this one. Escapes `\ _ %`."""
    return f"%{_SIGNS.sub(lambda sign: chr(92) + sign[0], part)}%"
