"""Sends through the v2 API of Amazon SES (contract: workers 6.2, 6.3)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from notify.infra.aws import CredentialsError, RequestSigner
from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.outbound import Answer, Outbound, OutboundError
from notify.infra.times import utc_now
from notify.providers.base import Accepted, OutgoingEmail, Provider, ProviderError, ProviderType
from notify.providers.http import parse_answer
from notify.providers.mime import UnsendableError, ascii_address, clean, mailbox, source, unfold
from notify.providers.settings import EmailProviderSettings
from notify.settings import Settings

PATH: Final = "/v2/email/outbound-emails"
TIMEOUT_SECONDS: Final = 30.0
"""Timeout in seconds: SES takes at most one. If we gave up too early, an accepted email would be sent twice."""
STUB_TIMEOUT_SECONDS: Final = 60.0

HEADER_LIMIT: Final = 996
"""Longest extra header (name and value) that the API can set. With a longer one, we send raw MIME."""

_PRINTABLE: Final = re.compile(r"[ -~]+")
_ERROR: Final = re.compile(r"[A-Za-z]{1,60}")
_FAULTY_EMAIL: Final = frozenset({"BadRequestException", "InvalidParameterValue", "ValidationException"})
"""Errors of SES for an email that it will never accept (workers 6.2)."""


class SES(Provider[OutgoingEmail]):
    """The provider `ses`. The reference of an email is SES's message id, which is also in its receipts."""

    identifier: ClassVar[str] = "ses"
    notification_type: ClassVar[ProviderType] = "email"

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._own = settings.part(EmailProviderSettings)
        endpoint = self._own.ses_url or f"https://email.{settings.aws_region}.amazonaws.com"
        self._url = endpoint.rstrip("/") + PATH
        self._signer = RequestSigner("ses", settings.aws_region)

    async def send(self, message: OutgoingEmail) -> Accepted:
        """Send one email."""
        if self._own.ses_stub_url:
            answer = await self._post(self._own.ses_stub_url, {"id": "dummy-data"}, None, STUB_TIMEOUT_SECONDS)
        else:
            try:
                body = orjson.dumps(self._request(message))
            except UnsendableError as error:
                raise ProviderError(self.identifier, str(error), retryable=False) from None
            try:
                headers = await self._signer.sign("POST", self._url, body, {"Content-Type": "application/json"})
            except CredentialsError:
                # our settings are wrong: messages wait
                raise ProviderError(self.identifier, "credentials") from None
            answer = await self._post(self._url, body, headers, TIMEOUT_SECONDS)
        if not 200 <= answer.status < 300:
            raise self._refused(answer)
        parsed = parse_answer(answer, self.identifier)
        if not isinstance(parsed, dict) or not isinstance(parsed.get("MessageId"), str) or not parsed["MessageId"]:
            raise ProviderError(self.identifier, "invalid_answer", code=answer.status)
        return Accepted(reference=parsed["MessageId"])

    async def _post(
        self, url: str, data: bytes | Mapping[str, str], headers: Mapping[str, str] | None, timeout: float
    ) -> Answer:
        try:
            return await self.outbound.request("POST", url, data=data, headers=headers, timeout=timeout)
        except OutboundError as error:
            raise ProviderError(self.identifier, error.kind) from None

    def _request(self, message: OutgoingEmail) -> dict[str, Any]:
        """The body of `SendEmail`. Raises `UnsendableError`."""
        sender, recipient = ascii_address(message.from_address), ascii_address(message.to)
        reply_to = ascii_address(message.reply_to) if message.reply_to else None
        request: dict[str, Any] = {
            "FromEmailAddress": unfold(mailbox(message.from_name, sender)),
            "Destination": {"ToAddresses": [recipient]},
        }
        if self._own.ses_configuration_set:
            request["ConfigurationSetName"] = self._own.ses_configuration_set
        if all(_is_simple(name, value) for name, value in message.headers.items()):
            if reply_to:
                request["ReplyToAddresses"] = [reply_to]
            simple = {
                "Subject": _content(clean(message.subject)),
                "Body": {"Text": _content(message.plain_text), "Html": _content(message.html)},
            }
            if message.headers:
                simple["Headers"] = [{"Name": name, "Value": value} for name, value in message.headers.items()]
            return {**request, "Content": {"Simple": simple}}
        raw = source(message, utc_now())
        return {**request, "Content": {"Raw": {"Data": b64encode(raw).decode("ascii")}}}

    def _refused(self, answer: Answer) -> ProviderError:
        error = _error_type(answer)
        if error in _FAULTY_EMAIL:
            return ProviderError(self.identifier, "bad_request", code=answer.status, retryable=False)
        if answer.status in (401, 403):
            return ProviderError(self.identifier, "authentication", code=answer.status)
        kind = _words(error) if error else f"http_{answer.status // 100}xx"
        return ProviderError(self.identifier, kind, code=answer.status)


def _is_simple(name: str, value: str) -> bool:
    return bool(_PRINTABLE.fullmatch(value)) and len(name) + len(value) <= HEADER_LIMIT


def _content(text: str) -> dict[str, str]:
    # JSON cannot carry an unpaired surrogate
    return {"Data": text.encode("utf-8", "replace").decode("utf-8"), "Charset": "UTF-8"}


def _error_type(answer: Answer) -> str:
    """The name of AWS's error, such as `MessageRejected`; empty where the answer has none."""
    named = answer.headers.get("x-amzn-ErrorType") or ""
    if not named:
        try:
            parsed = parse_json(answer.body)
        except InvalidJSONError:
            return ""
        named = str(parsed.get("__type") or parsed.get("code") or "") if isinstance(parsed, dict) else ""
    name = named.partition(":")[0].rpartition("#")[2]
    return name if _ERROR.fullmatch(name) else ""


def _words(error: str) -> str:
    """`TooManyRequestsException` as `too_many_requests`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error.removesuffix("Exception")).lower()
