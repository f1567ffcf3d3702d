"""Zendesk's ticket API, as far as a client can tell."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from tests.servers.http import HTTPServer


class ZendeskServer(HTTPServer):
    """Makes and updates tickets, takes uploads. `tickets` are those made, by number; a call that is repeated under the
    same key makes no second one. `comments` are those of updates.
    """

    def __init__(
        self, account: str = "zd-api-notify@digital.cabinet-office.gov.uk", key: str = "zendesk-key-for-tests"
    ) -> None:
        self._login = f"{account}/token:{key}"
        self._made: dict[str, int] = {}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.updates: list[tuple[int, dict[str, Any]]] = []
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.lose_answers = 0
        """So many tickets are made, and the answer is lost."""
        self.suspended = False
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or base64.b64decode(login).decode() != self._login:
            return web.json_response({"error": "Couldn't authenticate you"}, status=401)
        body = await request.read()
        if request.method == "POST" and request.path == "/api/v2/tickets.json":
            return self._create(request, json.loads(body)["ticket"])
        if request.method == "POST" and request.path == "/api/v2/uploads.json":
            token = f"upload-{len(self.uploads)}"
            self.uploads[token] = (request.url.query["filename"], body)
            return web.json_response({"upload": {"token": token}}, status=201)
        if request.method == "PUT" and request.path.startswith("/api/v2/tickets/"):
            self.updates.append((int(request.path.rpartition("/")[2]), json.loads(body)["ticket"]))
            return web.json_response({"ticket": {}})
        return web.json_response({"error": "InvalidEndpoint"}, status=404)

    def _create(self, request: web.BaseRequest, ticket: dict[str, Any]) -> web.StreamResponse:
        if self.suspended:
            details = {"requester": [{"description": "Requester: x is suspended."}]}
            return web.json_response({"error": "RecordInvalid", "details": details}, status=422)
        if not ticket.get("subject") or not ticket.get("comment"):
            return web.json_response({"error": "RecordInvalid", "details": {}}, status=422)
        key = request.headers.get("Idempotency-Key", "")
        number = self._made.get(key)
        if number is None:
            number = len(self.tickets) + 1
            self.tickets[number] = ticket
            if key:
                self._made[key] = number
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ticket": {"id": number}}, status=201)
