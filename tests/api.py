"""Helpers for tests of the public API: an application, a service, and ways to call it and inspect results."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import jwt
from flask import Flask
from werkzeug.test import TestResponse

from notify.infra.container import Container
from notify.infra.parts import Parts, build_parts
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache
from tests.rolled_back import RolledBackDatabase


@dataclass
class Api:
    """The running application, its parts, and the demo service as `dev.json` has it."""

    app: Flask
    parts: Parts
    container: Container
    demo: dict[str, Any]

    @property
    def service_id(self) -> str:
        return str(self.demo["service_id"])

    def template(self, kind: str) -> str:
        return str(self.demo["templates"][kind])

    def token(self, key: str = "normal", **claims: Any) -> str:
        """A token as the clients make it, with further claims (None: without)."""
        full = self.demo["api_keys"][key]
        payload = {"iss": full[-73:-37], "iat": int(time.time()), **claims}
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, full[-36:], algorithm="HS256")

    def call(
        self, method: str, path: str, json: Any = None, *, key: str = "normal", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Call the API with a key of the demo service."""
        given = {"Authorization": f"Bearer {self.token(key)}"} if headers is None else dict(headers)
        body = {"json": json} if json is not None else {}
        return self.app.test_client().open(path, method=method, headers=given, **body)

    def post(self, kind: str, *, key: str = "normal", **body: Any) -> TestResponse:
        """Send a message; what is not given is filled in with what works."""
        usual: dict[str, dict[str, Any]] = {
            "sms": {"phone_number": "07900900123"},
            "email": {"email_address": "amala@example.com"},
            "letter": {},
        }
        values: dict[str, Any] = {"name": "Amala", "date": "Monday"}
        if kind == "letter":
            values |= {"address_line_1": "A", "address_line_2": "B", "postcode": "SW1A 1AA"}
        if kind == "email":
            values["parking"] = "no"
        full = {**usual[kind], "template_id": self.template(kind), "personalisation": values, **body}
        return self.call("POST", f"/v2/notifications/{kind}", full, key=key)

    def get(self, notification_id: str) -> dict[str, Any]:
        """A message as the API shows it."""
        answer = self.call("GET", f"/v2/notifications/{notification_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.get_json()
        return shown

    def sent(self, kind: str = "sms", **body: Any) -> UUID:
        """Send a message that is accepted; its id."""
        answer = self.post(kind, **body)
        assert answer.status_code == 201, answer.text
        return UUID(answer.get_json()["id"])

    def execute(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.parts.database.connection() as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def forget(self) -> None:
        """Have the process look at the database anew."""
        self.container.get(ServiceCache).clear()
        self.container.get(TemplateCache).clear()


def errors(answer: TestResponse) -> list[tuple[str, str]]:
    """What is wrong, as (class, message)."""
    body = answer.get_json()
    assert body["status_code"] == answer.status_code
    return [(entry["error"], entry["message"]) for entry in body["errors"]]


def with_settings(parts: Parts, **changes: Any) -> Parts:
    """The parts of another process, on the same database, cache and queue."""
    other = build_parts(parts.settings.changed(**changes))
    if isinstance(parts.database, RolledBackDatabase) and "sqlalchemy_database_uri" not in changes:
        # no other connection sees what is there
        return replace(other, database=parts.database)
    return other


def queued(parts: Parts, *only: str) -> list[tuple[str, list[Any]]]:
    """What the queues hold, or those of these names, as (task, arguments), taken off them."""
    found = []
    with parts.queue.celery.connection_for_read() as connection:
        channel = connection.default_channel
        for name in parts.queue.celery.conf.task_queues:
            if only and name.name.removeprefix(parts.settings.notification_queue_prefix) not in only:
                continue
            while raw := channel.client.rpop(name.name):
                message = json.loads(raw)
                body = json.loads(base64.b64decode(message["body"]))
                found.append((message["headers"]["task"], body[0]))
    return found
