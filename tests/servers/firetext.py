"""Firetext's sending API, as far as a client can tell: it says no with status 200 and a code."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web

from tests.servers.http import HTTPServer


class FiretextServer(HTTPServer):
    """Takes what Firetext would take, at `/api/sendsms/json`. `messages` are the forms it took."""

    def __init__(self, key: str = "firetext-key", international_key: str = "firetext-international-key") -> None:
        self.keys = (key, international_key)
        self.messages: list[dict[str, str]] = []
        super().__init__()

    @property
    def address(self) -> str:
        return f"{self.url}/api/sendsms/json"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/api/sendsms/json" or request.method != "POST":
            return web.Response(status=404, text="no such page")
        if request.content_type != "application/x-www-form-urlencoded":
            return self._say(2, "form expected")
        form = dict(parse_qsl((await request.read()).decode("ascii"), keep_blank_values=True, strict_parsing=True))
        if form.get("apiKey") not in self.keys:
            return self._say(1, "not authorised")
        required = {"apiKey", "from", "to", "message", "reference"}
        if not required <= form.keys() <= required | {"receipt"} or not all(form.values()):
            return self._say(3, "fields missing or unknown")
        if not form["to"].isdigit():
            return self._say(5, "bad destination")
        is_national = form["to"].startswith("44")
        if is_national != (form["apiKey"] == self.keys[0]):
            return self._say(7, "destination not enabled for this key")
        self.messages.append(form)
        return self._say(0, "queued")

    @staticmethod
    def _say(code: int, description: str) -> web.Response:
        return web.json_response({"code": code, "description": description, "responseData": None})
