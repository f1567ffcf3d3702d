"""MMG's sending API, as far as a client can tell."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from aiohttp import web

from tests.servers.http import HTTPServer


class MMGServer(HTTPServer):
    """Takes what MMG would take, at `/jsonv2a/api.php`. `messages` are the bodies it took."""

    def __init__(self, key: str = "mmg-key") -> None:
        self.key = key
        self.messages: list[dict[str, Any]] = []
        super().__init__()

    @property
    def address(self) -> str:
        return f"{self.url}/jsonv2a/api.php"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/jsonv2a/api.php" or request.method != "POST":
            return web.json_response({"Error": "110", "Description": "no such call"}, status=404)
        if request.headers.get("Authorization") != f"Basic {self.key}":
            return web.json_response({"Error": "101", "Description": "not authorised"}, status=401)
        if request.content_type != "application/json":
            return web.json_response({"Error": "104", "Description": "JSON expected"}, status=415)
        body = json.loads(await request.read())
        faults = [name for name, is_right in self._checks(body).items() if not is_right]
        if faults:
            return web.json_response({"Error": "106", "Description": f"faulty: {faults}"}, status=400)
        self.messages.append(body)
        return web.json_response({"Reference": str(1_000_000 + len(self.messages))})

    @staticmethod
    def _checks(body: dict[str, Any]) -> dict[str, bool]:
        return {
            "fields": {"reqType", "MSISDN", "msg", "sender", "cid", "multi"} <= body.keys()
            and body.keys() <= {"reqType", "MSISDN", "msg", "sender", "cid", "multi", "delurl"},
            "reqType": body.get("reqType") == "BULK",
            "MSISDN": str(body.get("MSISDN")).isdigit(),
            "msg": isinstance(body.get("msg"), str) and body["msg"] != "",
            "sender": isinstance(body.get("sender"), str) and body["sender"] != "",
            "cid": _is_uuid(body.get("cid")),
            "multi": body.get("multi") is True,
        }


def _is_uuid(value: object) -> bool:
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False
