"""The print provider's REST API, as far as a client can tell."""

from __future__ import annotations

import json
import string
import time
from base64 import b64decode
from typing import Any
from uuid import UUID

import jwt
from aiohttp import web

from tests.servers.http import HTTPServer

SIGN_IN = "/thirdparty-access/v1/authenticate"
NEW_KEY = "/thirdparty-access/v1/new-api-key"
PASSWORD = "/thirdparty-access/v1/password"
PRINT = "/print-request/v1/print/jobs"
LONGEST_LINE = 45
METHODS = {"FIRST", "INTERNATIONAL_EU", "INTERNATIONAL_ROW", "ECONOMY", None}


class DvlaServer(HTTPServer):
    """Takes print jobs, each id once. `jobs` are those it took, by id; `requests` every path it was asked."""

    def __init__(self, *, user: str = "notify", password: str = "Pa55-word", key: str = "key-1") -> None:  # noqa: S107
        self.user, self.password, self.key = user, password, key
        self.token_seconds = 3600.0
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.refusals: list[int] = []
        """Answers of the next print requests, instead of taking them."""
        self.takes_before_refusing = False
        """Whether a refused job was taken all the same: the answer got lost on the way."""
        self._tokens: set[str] = set()
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request.path)
        if request.headers.get("Accept") != "application/json" or request.content_type != "application/json":
            return web.Response(status=415)
        body = json.loads(await request.read())
        handlers = {SIGN_IN: self._sign_in, NEW_KEY: self._new_key, PASSWORD: self._password, PRINT: self._print}
        handler = handlers.get(request.path)
        if request.method != "POST" or handler is None:
            return web.Response(status=404)
        return handler(request, body)

    def _sign_in(self, _request: web.BaseRequest, body: dict[str, Any]) -> web.Response:
        if body != {"userName": self.user, "password": self.password}:
            return _unauthorised("Password wrong")
        token = jwt.encode({"exp": time.time() + self.token_seconds, "n": len(self._tokens)}, "x" * 32)
        self._tokens.add(token)
        return web.json_response({"id-token": token})

    def _is_signed_in(self, request: web.BaseRequest) -> bool:
        return request.headers.get("Authorization") in self._tokens and request.headers.get("X-API-Key") == self.key

    def _new_key(self, request: web.BaseRequest, _body: dict[str, Any]) -> web.Response:
        if not self._is_signed_in(request):
            return _unauthorised("Key wrong")
        self.key = f"key-{len(self.requests)}"
        return web.json_response({"newApiKey": self.key})

    def _password(self, _request: web.BaseRequest, body: dict[str, Any]) -> web.Response:
        new = body.get("newPassword", "")
        if (body.get("userName"), body.get("password")) != (self.user, self.password):
            return _unauthorised("Password wrong")
        classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
        if len(new) != 30 or not all(set(new) & set(one) for one in classes):
            return web.json_response([{"detail": "too weak"}], status=400)
        self.password = new
        return web.json_response({"message": "Password successfully changed."})

    def _print(self, request: web.BaseRequest, body: dict[str, Any]) -> web.Response:
        if not self._is_signed_in(request):
            return _errors(401, "Unauthorized")
        if self.refusals:
            status = self.refusals.pop(0)
            if self.takes_before_refusing:
                self.jobs.setdefault(body["id"], body)
            return _errors(status, "refused")
        faults = [name for name, is_right in _checks(body).items() if not is_right]
        if faults:
            return _errors(400, f"faulty: {faults}")
        if body["id"] in self.jobs:
            return _errors(409, "The supplied identifier has already been used")
        self.jobs[body["id"]] = body
        return web.json_response({"id": body["id"]}, status=202)


def _checks(body: dict[str, Any]) -> dict[str, bool]:
    params = body.get("standardParams", {})
    address = params.get("address", {})
    custom = {entry["key"]: entry["value"] for entry in body.get("customParams", [])}
    lines = [value for kind in address.values() for name, value in kind.items() if name.startswith("line")]
    return {
        "fields": body.keys() == {"id", "standardParams", "customParams", "callbackParams"},
        "id": str(UUID(body["id"])) == body["id"],
        "jobType": params.get("jobType") == params.get("templateReference") == "NOTIFY",
        "businessIdentifier": len(params.get("businessIdentifier", "")) == 16,
        "recipientName": 0 < len(params.get("recipientName", "")) <= 255,
        "address": len(address) == 1 and set(address) <= {"unstructuredAddress", "internationalAddress", "bfpoAddress"},
        "lines": all(0 < len(line) <= LONGEST_LINE for line in lines),
        "despatchMethod": params.get("despatchMethod", None) in METHODS
        and ("despatchMethod" not in params or params["despatchMethod"] is not None),
        "customParams": custom.keys() == {"pdfContent", "organisationIdentifier", "serviceIdentifier"},
        "pdfContent": b64decode(custom["pdfContent"], validate=True).startswith(b"%PDF"),
        "callbackParams": body["callbackParams"].get("retryParams") == {"enabled": True, "maxRetryWindow": 10800},
    }


def _unauthorised(detail: str) -> web.Response:
    return web.json_response([{"status": "401 UNAUTHORIZED", "title": "Unauthorized", "detail": detail}], status=401)


def _errors(status: int, detail: str) -> web.Response:
    entry = {"status": str(status), "code": "X", "title": "Refused", "detail": detail}
    return web.json_response({"errors": [entry, {"detail": "more"}]}, status=status)
