"""Helpers for tests of the internal API: a client that calls as the admin app does, and factories."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import jwt
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notify.accounts.models import User
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.internal.auth import Client
from notify.organisations.actions import create_organisation
from notify.organisations.models import Organisation
from notify.services.api_keys import create_api_key
from notify.services.models import Service
from notify.templates.actions import create_template
from notify.templates.models import Template
from tests.services.factory import a_service, a_user

R = TypeVar("R")


@dataclass
class AdminClient:
    """Calls the internal API with a token of a client, the admin app's unless another one is named."""

    app: Flask
    parts: Parts
    client: Client = Client.ADMIN

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, status: int = 200) -> Any:
        """The JSON answer, after checking the status."""
        return self._checked("GET", path, status, query=query)

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        return self._checked("POST", path, status, body=body)

    def put(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        return self._checked("PUT", path, status, body=body)

    def delete(self, path: str, *, status: int = 200) -> Any:
        return self._checked("DELETE", path, status)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: str | bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """The whole answer. `headers` replace the token; `raw` is a body that need not be JSON."""
        given = {"Authorization": f"Bearer {self.token()}"} if headers is None else dict(headers)
        content = {"data": raw} if raw is not None else {"json": body} if body is not None else {}
        return self.app.test_client().open(path, method=method, headers=given, query_string=query, **content)

    def token(self, *, secret: str = "", algorithm: str = "HS256", **claims: Any) -> str:
        """A token of the client, with further claims (None: without)."""
        keys = self.parts.settings.internal_client_api_keys
        payload = {"iss": self.client.value, "iat": int(time.time()), **claims}
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, secret or keys[self.client.value][0], algorithm=algorithm)

    def _checked(
        self, method: str, path: str, status: int, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        answer = self.call(method, path, body=body, query=query)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.get_json() if answer.data else None


@dataclass
class Factory:
    """Makes committed users, services and what belongs to them, through the real actions. Every name is a new one."""

    parts: Parts

    def user(self, **fields: Any) -> User:
        with self.parts.database.transaction() as session:
            return a_user(session, **fields)

    def service(self, **options: Any) -> Service:
        """A service in trial mode; its member is a new user unless `user_id` is given."""
        with self.parts.database.transaction() as session:
            return a_service(session, **options)

    def template(self, service: Service, template_type: str = "sms", **fields: Any) -> Template:
        values: dict[str, Any] = {"name": f"Template {new_id()}", "content": "Hello ((name))"}
        if template_type != "sms":
            values["subject"] = "A subject"
        with self.parts.database.transaction() as session:
            return create_template(
                session,
                service_id=service.id,
                template_type=template_type,
                created_by_id=service.created_by_id,
                **(values | fields),
            )

    def api_key(self, service: Service, key_type: str = "normal") -> str:
        """A whole key, as a service's programs have it: `name-serviceid-secret`."""
        with self.parts.database.transaction() as session:
            return create_api_key(
                session,
                self.parts.encryptor,
                service_id=service.id,
                name=f"Key {new_id()}",
                key_type=key_type,
                created_by_id=service.created_by_id,
            ).full

    def organisation(self, **fields: Any) -> Organisation:
        values: dict[str, Any] = {"name": f"Organisation {new_id()}", "organisation_type": "local", "crown": False}
        with self.parts.database.transaction() as session:
            return create_organisation(session, **(values | fields))

    def row(self, row: R) -> R:
        """Any row, committed."""
        with self.parts.database.transaction() as session:
            session.add(row)
            session.flush()
            session.refresh(row)
        return row

    def session(self) -> Session:
        """A session to look with; close it."""
        return Session(self.parts.database.engine)


def schema_faults(answer: Any) -> list[str]:
    """The texts of an E-schema answer (400), in order."""
    assert answer["status_code"] == 400, answer
    assert {entry["error"] for entry in answer["errors"]} == {"ValidationError"}
    return [entry["message"] for entry in answer["errors"]]
