"""How lists and searches of people, services and organisations do when there are many: `python -m bench.people
[--users N]`.

There are five users to a service, ten services to an organisation; a user has two services.
Prints the 95th percentile of 40 requests of each, in milliseconds; of lists without pages the time to the first byte
and to the last.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, LiteralString
from uuid import UUID

import jwt
import psycopg
from flask import Flask
from psycopg import sql

from bench.stack import remove_database
from notify import migrate, settings
from notify.app import EXTENSION, create_app
from notify.infra.parts import build_parts
from notify.infra.postgres import start_postgres

CALLS: Final = 40
_FILL: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO users (id, name, email_address, created_at, _password, mobile_number, password_changed_at, state,
                       email_access_validated_at, logged_in_at)
    SELECT gen_random_uuid(), 'Person ' || n, 'person.' || n || '@' || md5((n %% 500)::text) || '.example.gov.uk',
           now() - n * interval '1 minute', 'none', '07700900' || lpad((n %% 1000)::text, 3, '0'), now(), 'active',
           now(), now() - n * interval '30 seconds'
    FROM generate_series(1, %(users)s) n
    """,
    """
    INSERT INTO organisation (id, name, created_at, organisation_type, crown)
    SELECT gen_random_uuid(), 'Council of ' || md5(n::text), now(), 'local', false
    FROM generate_series(1, %(users)s / 50) n
    """,
    """
    WITH o AS (SELECT id, row_number() OVER () AS n FROM organisation),
         u AS (SELECT id, row_number() OVER () AS n FROM users)
    INSERT INTO services (id, name, created_at, active, restricted, created_by_id, organisation_id, version,
                          letter_message_limit, sms_message_limit, email_message_limit, normalised_service_name,
                          email_sender_local_part, organisation_type)
    SELECT gen_random_uuid(), 'Service ' || md5(s.n::text), now() - s.n * interval '1 hour', s.n %% 10 <> 0,
           s.n %% 3 = 0, u.id, o.id, 1, 20000, 250000, 250000, 'service.' || md5(s.n::text),
           'service.' || md5(s.n::text), 'local'
    FROM generate_series(1, %(users)s / 5) s(n) JOIN u ON u.n = s.n * 5 JOIN o ON o.n = 1 + s.n %% (%(users)s / 50)
    """,
    """
    INSERT INTO service_permissions (service_id, permission, created_at)
    SELECT s.id, p, now() FROM services s, unnest(ARRAY['email', 'sms', 'letter', 'international_sms']) p
    WHERE NOT EXISTS (SELECT FROM service_permissions k WHERE k.service_id = s.id)
    """,
    """
    WITH s AS (SELECT id, row_number() OVER () AS n FROM services),
         u AS (SELECT id, row_number() OVER () AS n FROM users)
    INSERT INTO user_to_service (user_id, service_id)
    SELECT u.id, s.id FROM u CROSS JOIN unnest(ARRAY[1, 7]) k JOIN s ON s.n = 1 + (u.n * k) %% (%(users)s / 5)
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO permissions (id, service_id, user_id, permission, created_at)
    SELECT gen_random_uuid(), us.service_id, us.user_id, p::permission_types, now()
    FROM user_to_service us, unnest(ARRAY['manage_users', 'manage_templates', 'manage_settings', 'send_texts',
      'send_emails', 'send_letters', 'manage_api_keys', 'view_activity']) p
    WHERE p = 'view_activity' OR random() < 0.2
    """,
    """
    WITH o AS (SELECT id, row_number() OVER () AS n FROM organisation),
         u AS (SELECT id, row_number() OVER () AS n FROM users)
    INSERT INTO user_to_organisation (user_id, organisation_id)
    SELECT u.id, o.id FROM u JOIN o ON u.n %% 10 = 0 AND o.n = 1 + u.n %% (%(users)s / 50)
    """,
)


def fill(url: str, users: int) -> None:
    """Fill a database with so many users, and what they belong to."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _FILL:
            began = time.perf_counter()
            connection.execute(statement, {"users": users})
            print(f"{time.perf_counter() - began:8.1f} s   {statement.split('INSERT INTO')[1].split()[0]}", flush=True)
        connection.execute("VACUUM (ANALYZE)")


class Caller:
    """Calls the internal API as the admin app does."""

    def __init__(self, app: Flask, secret: str) -> None:
        self._app = app
        self._secret = secret

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, float, int]:
        """Seconds to the first byte and to the last, and the number of bytes."""
        token = jwt.encode({"iss": "notify-admin", "iat": int(time.time())}, self._secret, algorithm="HS256")
        began = time.perf_counter()
        answer = self._app.test_client().open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {token}"}
        )
        parts = iter(answer.response)
        size = len(next(parts))
        first = time.perf_counter() - began
        size += sum(len(part) for part in parts)
        if answer.status_code >= 300 and answer.status_code != 404:  # a page after the last one
            print(f"{method} {path} answers {answer.status_code}")
        return first, time.perf_counter() - began, size


def _requests(ids: dict[str, list[UUID]], chance: random.Random) -> Iterator[tuple[str, Callable[[], tuple[Any, ...]]]]:
    def some(kind: str) -> UUID:
        return chance.choice(ids[kind])

    yield "GET /user/<id>", lambda: ("GET", f"/user/{some('users')}")
    yield "GET accounts of a user", lambda: ("GET", f"/user/{some('users')}/organisations-and-services")
    yield (
        "find users by a part",
        lambda: (
            "POST",
            "/user/find-users-by-email",
            {"email": f"person.{chance.randint(1000, 90000)}"},
        ),
    )
    yield "GET members of a service", lambda: ("GET", f"/service/{some('services')}/users")
    yield "GET members of an organisation", lambda: ("GET", f"/organisations/{some('organisation')}/users")
    yield "GET /organisations", lambda: ("GET", "/organisations")
    yield "search organisations", lambda: ("GET", f"/organisations/search?name={chance.randint(100, 999)}a")
    yield "services of an organisation", lambda: ("GET", f"/organisations/{some('organisation')}/services")
    yield (
        "find services by a part",
        lambda: (
            "GET",
            f"/service/find-services-by-name?service_name={chance.randint(1000, 9999)}a",
        ),
    )
    yield "services of a user", lambda: ("GET", f"/service?user_id={some('users')}")


def measure(url: str, caller: Caller) -> None:
    """Print how long requests take."""
    query = sql.SQL("SELECT id FROM {} LIMIT 1000")
    with psycopg.connect(url) as connection:
        ids = {
            table: [row[0] for row in connection.execute(query.format(sql.Identifier(table)))]
            for table in ("users", "services", "organisation")
        }
    for name, make in _requests(ids, random.Random(1)):
        times = [caller.call(*make())[1] for _ in range(CALLS)]
        print(f"{quantiles(times, n=20)[-1] * 1000:8.1f} ms  {name}")
    for name, request in (
        ("GET /user", ("GET", "/user")),
        ("users-list", ("POST", "/platform-admin/users-list", {"take_part_in_research": None})),
        ("GET /service", ("GET", "/service")),
    ):
        first, last, size = caller.call(*request)
        print(f"{first * 1000:8.1f} ms to the first byte, {last * 1000:8.1f} to the last, {size:>12,} bytes  {name}")


def main() -> None:
    """Fill a database, time requests."""
    parser = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-people-") as name:
        folder = Path(name)
        server = start_postgres(folder)
        migrate.upgrade(server.url)
        fill(server.url, options.users)
        chosen = settings.load(
            notify_environment="test",
            notify_log_level="WARNING",
            sqlalchemy_database_uri=server.url,
            redis_url="redis://127.0.0.1:9",
        )
        parts = build_parts(chosen)
        app = create_app(chosen)
        try:
            measure(server.url, Caller(app, chosen.internal_client_api_keys["notify-admin"][0]))
        finally:
            app.extensions[EXTENSION].close()
            parts.close()
            server.stop()
            remove_database(folder)


if __name__ == "__main__":
    main()
