"""Long lists of users, serialised as JSON by the database and streamed (contract: internal-users 1.1, 1.7).

The users are read in chunks, in the order of their ids, and the next chunks are read while one is sent: the database
works on `READERS` at a time. For each chunk every table is read once for all its users.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import text

from notify.infra.database import Database
from notify.services.models import NOTIFY_SERVICE_ID

PIECE: Final = 5_000
"""Users in a chunk: about 5 MB."""
READERS: Final = 2
FEW: Final = 1_000
"""Up to this many users are looked up by id; for more, whole ranges of the tables are read."""

_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'

# Keys are in alphabetical order, and the fields are those of `user_details.UserDetails`. `concat` takes half the time
# of `json_build_object`; values that may need escaping use `to_json`. SERVICE, CONDITION and AMONG(id) are replaced.
_USERS: Final = """
SELECT concat(
  '{"auth_type":"', u.auth_type,
  '","can_use_webauthn":', to_json(u.platform_admin OR u.auth_type = 'webauthn_auth' OR coalesce(s.of_notify, false)),
  ',"created_at":"', to_char(u.created_at, :moment),
  '","current_session_id":', coalesce('"' || u.current_session_id || '"', 'null'),
  ',"email_access_validated_at":"', to_char(u.email_access_validated_at, :moment),
  '","email_address":', to_json(u.email_address),
  ',"failed_login_count":', u.failed_login_count,
  ',"id":"', u.id,
  '","logged_in_at":', coalesce('"' || to_char(u.logged_in_at, :moment) || '"', 'null'),
  ',"mobile_number":', coalesce(to_json(u.mobile_number)::text, 'null'),
  ',"name":', to_json(u.name),
  ',"organisation_permissions":{', o.permissions, '},"organisations":[', o.organisations,
  '],"password_changed_at":"', to_char(u.password_changed_at, 'YYYY-MM-DD HH24:MI:SS.US'),
  '","permissions":{', p.permissions,
  '},"platform_admin":', to_json(u.platform_admin),
  ',"receives_new_features_email":', to_json(u.receives_new_features_email),
  ',"services":[', s.services,
  '],"state":', to_json(u.state),
  ',"take_part_in_research":', to_json(u.take_part_in_research), '}'
)
FROM users u
LEFT JOIN (
  SELECT us.user_id, string_agg(SERVICE, ',' ORDER BY s.name) AS services, bool_or(s.id = :notify) AS of_notify
  FROM user_to_service us JOIN services s ON s.id = us.service_id
  WHERE s.active AND AMONG(us.user_id)
  GROUP BY us.user_id
) s ON s.user_id = u.id
LEFT JOIN (
  SELECT e.user_id, string_agg(concat('"', e.service_id, '":[', e.names, ']'), ',') AS permissions
  FROM (
    SELECT p.user_id, p.service_id, string_agg('"' || p.permission || '"', ',' ORDER BY p.permission) AS names
    FROM permissions p
    WHERE AMONG(p.user_id)
    GROUP BY p.user_id, p.service_id
  ) e JOIN services s ON s.id = e.service_id
  WHERE s.active
  GROUP BY e.user_id
) p ON p.user_id = u.id
LEFT JOIN (
  SELECT uo.user_id, string_agg('"' || o.id || '"', ',' ORDER BY o.name) FILTER (WHERE o.active) AS organisations,
         string_agg(concat('"', o.id, '":[', e.names, ']'), ',' ORDER BY o.name) AS permissions
  FROM user_to_organisation uo
  JOIN organisation o ON o.id = uo.organisation_id
  LEFT JOIN (
    SELECT op.user_id, op.organisation_id, string_agg('"' || op.permission || '"', ',' ORDER BY op.permission) AS names
    FROM organisation_user_permissions op
    WHERE AMONG(op.user_id)
    GROUP BY op.user_id, op.organisation_id
  ) e ON e.user_id = uo.user_id AND e.organisation_id = uo.organisation_id AND o.active
  WHERE AMONG(uo.user_id)
  GROUP BY uo.user_id
) o ON o.user_id = u.id
WHERE AMONG(u.id) AND CONDITION
ORDER BY u.id
"""
_ENDS: Final = """
SELECT id, number, total FROM (
  SELECT u.id, row_number() OVER (ORDER BY u.id) AS number, count(*) OVER () AS total
  FROM users u
  WHERE CONDITION
) numbered
WHERE total <= :few OR number % :piece IN (0, 1) OR number = total
ORDER BY id
"""
_ALL: Final = "true"
_FILTERED: Final = """(
  u.state = 'active'
  AND (cast(:logged_in_start AS timestamptz) IS NULL OR u.logged_in_at >= :logged_in_start)
  AND (cast(:logged_in_end AS timestamptz) IS NULL OR u.logged_in_at <= :logged_in_end)
  AND (cast(:created_start AS timestamptz) IS NULL OR u.created_at >= :created_start)
  AND (cast(:created_end AS timestamptz) IS NULL OR u.created_at <= :created_end)
  AND (cast(:research AS boolean) IS NULL OR u.take_part_in_research = :research)
)"""
_ID: Final = """ '"' || s.id || '"' """
_ID_AND_NAME: Final = """concat('{"id":"', s.id, '","name":', to_json(s.name), '}')"""


@dataclass(frozen=True)
class UserFilter:
    """The active users to list: first and last days (UTC), both included; None is no limit."""

    logged_in_start: date | None = None
    logged_in_end: date | None = None
    created_start: date | None = None
    created_end: date | None = None
    take_part_in_research: bool | None = None


class _List(NamedTuple):
    """The query of a list: the SQL of a service and of the condition, and the condition's parameters."""

    service: str
    condition: str
    parameters: Mapping[str, Any]


def stream_users(database: Database) -> Iterator[str]:
    """Every user, ordered by id, as the text of a JSON object with `data`."""
    return _stream(database, _List(_ID, _ALL, {}))


def stream_filtered_users(database: Database, wanted: UserFilter) -> Iterator[str]:
    """As `stream_users`, of some active users; services are objects with `id` and `name`."""
    parameters = {
        "logged_in_start": _at(wanted.logged_in_start, time.min),
        "logged_in_end": _at(wanted.logged_in_end, time.max),
        "created_start": _at(wanted.created_start, time.min),
        "created_end": _at(wanted.created_end, time.max),
        "research": wanted.take_part_in_research,
    }
    return _stream(database, _List(_ID_AND_NAME, _FILTERED, parameters))


def _at(day: date | None, moment: time) -> datetime | None:
    return None if day is None else datetime.combine(day, moment, UTC)


def _stream(database: Database, wanted: _List) -> Iterator[str]:
    pieces = iter(_pieces(database, wanted))
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="users-list")

    def begin(number: int) -> list[Future[str]]:
        return [readers.submit(_read, database, wanted, piece) for piece in islice(pieces, number)]

    try:
        reading, before = deque(begin(READERS)), '{"data":['
        while reading:
            users = reading.popleft().result()
            reading.extend(begin(1))
            if users:
                yield before + users
                before = ","
        yield "]}" if before == "," else f"{before}]}}"
    finally:  # also if the client has disconnected
        readers.shutdown(cancel_futures=True)


def _pieces(database: Database, wanted: _List) -> list[dict[str, Any]]:
    """The parameters that select the users of each chunk: the ids of a few, or the first and last ids of ranges."""
    query = text(_ENDS.replace("CONDITION", wanted.condition))
    with database.reading() as session:
        rows = session.execute(query, {**wanted.parameters, "few": FEW, "piece": PIECE}).all()
    if rows and rows[0].total <= FEW:
        return [{"ids": [row.id for row in rows]}]
    firsts = [row.id for row in rows if row.number % PIECE == 1]
    lasts = [row.id for row in rows if row.number % PIECE == 0 or row.number == row.total]
    return [{"first": first, "last": last} for first, last in zip(firsts, lasts, strict=True)]


def _read(database: Database, wanted: _List, piece: dict[str, Any]) -> str:
    """The users of a chunk, as JSON without the brackets of the list."""
    among = r"\1 = ANY(:ids)" if "ids" in piece else r"\1 BETWEEN :first AND :last"
    query = _USERS.replace("SERVICE", wanted.service).replace("CONDITION", wanted.condition)
    query = re.sub(r"AMONG\((\S+)\)", among, query)
    given = {**wanted.parameters, **piece, "notify": NOTIFY_SERVICE_ID, "moment": _MOMENT}
    with database.reading() as session:
        session.execute(text("SET LOCAL work_mem = '32MB'"))  # enough for a piece, however little others get
        return ",".join(session.scalars(text(query), given))
