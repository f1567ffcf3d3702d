"""Long lists of users, serialised as JSON by the database and streamed (contract: internal-users 1.1, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import TextClause, text

from notify.infra.database import Database
from notify.services.models import NOTIFY_SERVICE_ID

_ROWS_AT_ONCE: Final = 1000

# Keys are in alphabetical order, as everywhere. The fields are those of `user_details.UserDetails`. Users are sorted
# before the joins, so that the first rows can be sent while the others are still being read.
_USERS: Final = """
SELECT json_build_object(
  'auth_type', u.auth_type,
  'can_use_webauthn',
    u.platform_admin OR u.auth_type = 'webauthn_auth' OR coalesce(member.of_notify, false),
  'created_at', to_char(u.created_at, :moment),
  'current_session_id', u.current_session_id,
  'email_access_validated_at', to_char(u.email_access_validated_at, :moment),
  'email_address', u.email_address,
  'failed_login_count', u.failed_login_count,
  'id', u.id,
  'logged_in_at', to_char(u.logged_in_at, :moment),
  'mobile_number', u.mobile_number,
  'name', u.name,
  'organisation_permissions', coalesce(organised.permissions, '{}'),
  'organisations', coalesce(organised.organisations, '[]'),
  'password_changed_at', to_char(u.password_changed_at, 'YYYY-MM-DD HH24:MI:SS.US'),
  'permissions', coalesce(permitted.permissions, '{}'),
  'platform_admin', u.platform_admin,
  'receives_new_features_email', u.receives_new_features_email,
  'services', coalesce(member.services, '[]'),
  'state', u.state,
  'take_part_in_research', u.take_part_in_research
)::text
FROM (SELECT u.* FROM users u WHERE CONDITION ORDER BY u.created_at, u.id) u
LEFT JOIN LATERAL (
  SELECT json_agg(SERVICE ORDER BY s.name) AS services, bool_or(s.id = :notify) AS of_notify
  FROM user_to_service us JOIN services s ON s.id = us.service_id
  WHERE us.user_id = u.id AND s.active
) member ON true
LEFT JOIN LATERAL (
  SELECT json_object_agg(each.service_id, each.permissions) AS permissions
  FROM (
    SELECT p.service_id, json_agg(p.permission ORDER BY p.permission::text) AS permissions
    FROM permissions p JOIN services s ON s.id = p.service_id
    WHERE p.user_id = u.id AND s.active
    GROUP BY p.service_id
  ) each
) permitted ON true
LEFT JOIN LATERAL (
  SELECT json_agg(o.id ORDER BY o.name) FILTER (WHERE o.active) AS organisations,
         json_object_agg(o.id, coalesce((
           SELECT json_agg(op.permission ORDER BY op.permission::text)
           FROM organisation_user_permissions op
           WHERE op.user_id = u.id AND op.organisation_id = o.id AND o.active
         ), '[]')) AS permissions
  FROM user_to_organisation uo JOIN organisation o ON o.id = uo.organisation_id
  WHERE uo.user_id = u.id
) organised ON true
ORDER BY u.created_at, u.id
"""
_ALL: Final = "true"
_FILTERED: Final = """
  u.state = 'active'
  AND (cast(:logged_in_start AS timestamptz) IS NULL OR u.logged_in_at >= :logged_in_start)
  AND (cast(:logged_in_end AS timestamptz) IS NULL OR u.logged_in_at <= :logged_in_end)
  AND (cast(:created_start AS timestamptz) IS NULL OR u.created_at >= :created_start)
  AND (cast(:created_end AS timestamptz) IS NULL OR u.created_at <= :created_end)
  AND (cast(:research AS boolean) IS NULL OR u.take_part_in_research = :research)
"""


@dataclass(frozen=True)
class UserFilter:
    """The active users to list: first and last days (UTC), both included; None is no limit."""

    logged_in_start: date | None = None
    logged_in_end: date | None = None
    created_start: date | None = None
    created_end: date | None = None
    take_part_in_research: bool | None = None


def stream_users(database: Database) -> Iterator[str]:
    """Every user, the earliest created first, as the text of a JSON object with `data`."""
    return _stream(database, _query(service="s.id", condition=_ALL), {})


def stream_filtered_users(database: Database, wanted: UserFilter) -> Iterator[str]:
    """As `stream_users`, of some active users; services are objects with `id` and `name`."""
    service = "json_build_object('id', s.id, 'name', s.name)"
    parameters = {
        "logged_in_start": _at(wanted.logged_in_start, time.min),
        "logged_in_end": _at(wanted.logged_in_end, time.max),
        "created_start": _at(wanted.created_start, time.min),
        "created_end": _at(wanted.created_end, time.max),
        "research": wanted.take_part_in_research,
    }
    return _stream(database, _query(service=service, condition=_FILTERED), parameters)


def _query(*, service: str, condition: str) -> TextClause:
    return text(_USERS.replace("SERVICE", service, 1).replace("CONDITION", condition, 1))


def _at(day: date | None, moment: time) -> datetime | None:
    return None if day is None else datetime.combine(day, moment, UTC)


def _stream(database: Database, query: TextClause, parameters: dict[str, Any]) -> Iterator[str]:
    given = parameters | {"notify": NOTIFY_SERVICE_ID, "moment": 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'}
    start = '{"data":['
    with database.reading() as session:
        result = session.execute(query, given, execution_options={"yield_per": _ROWS_AT_ONCE})
        for rows in result.scalars().partitions(_ROWS_AT_ONCE):  # without a size there is one, of all rows
            yield start + ",".join(rows)
            start = ","
    yield "]}" if start == "," else f"{start}]}}"
