"""Amazon SES's stand-in, whose emails can be read: scenarios name the provider of emails, and read what is sent."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.servers.ses import ACCESS_KEY, SECRET_KEY, SESServer


class Mailbox(SESServer):
    """Takes emails as SES does. `GET /outbox?to=ADDRESS` gives those to somebody, newest first, as the sandbox does."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if (request.method, request.path) != ("GET", "/outbox"):
            return await super().answer(request)
        wanted = request.query.get("to", "").lower()
        found = [each for each in self.messages if _recipient(each).lower() == wanted]
        return web.json_response({"messages": [_shown(each) for each in reversed(found)]})

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a product that sends its emails here."""
        return {
            "SES_ENABLED": "1",
            "SES_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }


def _recipient(message: dict[str, Any]) -> str:
    address: str = message["Destination"]["ToAddresses"][0]
    return address


def _shown(message: dict[str, Any]) -> dict[str, str]:
    content = message["Content"]["Simple"]
    return {"subject": content["Subject"]["Data"], "body": content["Body"]["Text"]["Data"]}
