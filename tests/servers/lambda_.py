"""The Invoke API of AWS Lambda, as far as a client can tell: the functions of the networks' proxies."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from aiohttp import web

from tests.servers.http import HTTPServer

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/lambda/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)


class Invocation(NamedTuple):
    """A call of a function, and what it was given."""

    function: str
    payload: dict[str, Any]


class LambdaServer(HTTPServer):
    """Takes calls of `functions`. `invocations` are those that ended well. The functions in `broken` raise, and those
    in `missing` are not there.
    """

    def __init__(self, key_id: str = "cbc-key", region: str = "eu-west-2", functions: Collection[str] = ()) -> None:
        self.key_id = key_id
        self.region = region
        networks = ("ee", "vodafone", "three", "o2")
        self.functions = set(functions) or {f"{name}-{n}-proxy" for name in networks for n in (1, 2)} | {"canary"}
        self.broken: set[str] = set()
        self.invocations: list[Invocation] = []
        self.asked: list[str] = []
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        called = _PATH.fullmatch(request.path)
        if called is None or request.method != "POST":
            return _error(404, "UnknownOperationException", "no such call")
        signed = _SIGNATURE.fullmatch(request.headers.get("Authorization", ""))
        if signed is None or signed.groups() != (self.key_id, self.region):
            return _error(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        function, body = called[1], await request.read()
        self.asked.append(function)
        if function not in self.functions:
            return _error(404, "ResourceNotFoundException", f"Function not found: {function}")
        if request.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            return web.Response(status=202)
        try:
            payload = json.loads(body)
        except ValueError:
            return _error(400, "InvalidRequestContentException", "Could not parse request body into json")
        if function in self.broken:
            failed = {"errorMessage": "the network is down", "errorType": "Exception", "stackTrace": []}
            return web.json_response(failed, headers={"X-Amz-Function-Error": "Unhandled"})
        self.invocations.append(Invocation(function, payload))
        return web.Response(text="null", headers={"X-Amz-Executed-Version": "$LATEST"})


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"Type": "User", "Message": message}, status=status, headers={"x-amzn-ErrorType": kind})
