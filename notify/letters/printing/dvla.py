"""The print provider with a REST API (contract: letters 10)."""

from __future__ import annotations

import secrets
import string
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, ClassVar, Final, Self
from uuid import UUID

import jwt
import structlog

from notify.infra.container import Container
from notify.infra.json_values import InvalidJSONError, dump_json, parse_json
from notify.infra.outbound import Answer, Outbound, OutboundError
from notify.letters.printing.address import recipient_and_address
from notify.letters.printing.base import (
    LETTER_PROVIDER,
    PrinterError,
    PrintJob,
    RetryablePrinterError,
    Taken,
    ThrottledError,
)
from notify.letters.printing.callback_tokens import CallbackTokens
from notify.letters.printing.credentials import API_KEY, PASSWORD, USERNAME, PrinterCredentials
from notify.letters.settings import PrinterSettings

logger = structlog.get_logger(__name__)

JOB_TYPE: Final = "NOTIFY"
DESPATCH_METHODS: Final[Mapping[str, str]] = {
    "first": "FIRST",
    "europe": "INTERNATIONAL_EU",
    "rest-of-world": "INTERNATIONAL_ROW",
    "economy": "ECONOMY",
}
"""By postage; second class needs none."""
RETRY_WINDOW_SECONDS: Final = 10_800
"""How long the provider retries callbacks."""
RENEWED_BEFORE_SECONDS: Final = 60
TIMEOUT_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 120.0
"""Longer than a call may take, including its wait for a slot."""
LONGEST_DETAIL: Final = 200
PASSWORD_LENGTH: Final = 30
_CLASSES: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)


def new_password() -> str:
    """A random password that meets the provider's rules: a character of each class."""
    characters = "".join(_CLASSES)
    while True:
        password = "".join(secrets.choice(characters) for _ in range(PASSWORD_LENGTH))
        if all(any(one in kind for one in password) for kind in _CLASSES):
            return password


class DvlaPrinter:
    """Sends letters one at a time by HTTP. Thread-safe."""

    identifier: ClassVar[str] = LETTER_PROVIDER

    def __init__(
        self,
        outbound: Outbound,
        credentials: PrinterCredentials,
        tokens: CallbackTokens,
        *,
        base_url: str,
        callback_url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._outbound = outbound
        self._credentials = credentials
        self._tokens = tokens
        self._base_url = base_url.rstrip("/")
        self._callback_url = callback_url.rstrip("/") + "/notifications/letter/status"
        self._now = now
        self._token = ""
        self._token_expires = 0.0
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings
        printer = settings.part(PrinterSettings)
        outbound = Outbound(connections=settings.provider_connections, tls_ciphers=printer.dvla_api_tls_ciphers)
        return cls(
            outbound,
            container.get(PrinterCredentials),
            container.get(CallbackTokens),
            base_url=printer.dvla_api_base_url,
            callback_url=settings.api_host_name,
        )

    def close(self) -> None:
        """Close the connections."""
        self._outbound.close()

    # -- letters

    def print_letter(self, job: PrintJob) -> Taken:
        """As `Printer.print_letter` (10.2)."""
        answer = self._post("/print-request/v1/print/jobs", self._body(job), headers=self._key_headers())
        if answer.status in (401, 403):
            self._credentials.forget(API_KEY)
            self._forget_token()
            raise RetryablePrinterError(_first_detail(answer))
        if answer.status == 409:
            return Taken.DUPLICATE
        if answer.status == 400:
            raise PrinterError(_first_detail(answer))
        self._check(answer, "/print-request/v1/print/jobs")
        return Taken.NEW

    def _body(self, job: PrintJob) -> dict[str, Any]:
        recipient, address = recipient_and_address(job.to, job.postage)
        method = DESPATCH_METHODS.get(job.postage)
        return {
            "id": str(job.notification_id),
            "standardParams": {
                "jobType": JOB_TYPE,
                "templateReference": JOB_TYPE,
                "businessIdentifier": job.reference,
                "recipientName": recipient,
                "address": address,
                **({"despatchMethod": method} if method else {}),
            },
            "customParams": [
                {"key": "pdfContent", "value": b64encode(job.pdf).decode()},
                {"key": "organisationIdentifier", "value": str(job.organisation_id)},
                {"key": "serviceIdentifier", "value": str(job.service_id)},
            ],
            "callbackParams": {
                "target": self._target(job.notification_id),
                "retryParams": {"enabled": True, "maxRetryWindow": RETRY_WINDOW_SECONDS},
            },
        }

    def _target(self, notification_id: UUID) -> str:
        return f"{self._callback_url}?token={self._tokens.make(notification_id)}"

    # -- signing in

    def _key_headers(self) -> dict[str, str]:
        return {"Authorization": self._id_token(), "X-API-Key": self._credentials.get(API_KEY)}

    def _id_token(self) -> str:
        """The token of this process, renewed if it is about to expire (10.1)."""
        with self._lock:
            if self._now() >= self._token_expires - RENEWED_BEFORE_SECONDS:
                self._token = self._sign_in()
                self._token_expires = _expiry(self._token)
            return self._token

    def _forget_token(self) -> None:
        with self._lock:
            self._token_expires = 0.0

    def _sign_in(self) -> str:
        path = "/thirdparty-access/v1/authenticate"
        answer = self._post(
            path, {"userName": self._credentials.get(USERNAME), "password": self._credentials.get(PASSWORD)}
        )
        if answer.status == 401:
            self._credentials.forget(PASSWORD)
            raise RetryablePrinterError(_first_detail(answer))
        self._check(answer, path)
        return _text(answer, "id-token")

    # -- renewing the credentials

    def renew_api_key(self) -> None:
        """Get a new key, and store it. Raises `PrinterError`, and stores nothing then."""
        path = "/thirdparty-access/v1/new-api-key"
        self._credentials.forget(API_KEY)
        answer = self._post(path, {}, headers=self._key_headers())
        if answer.status == 401:
            self._credentials.forget(API_KEY)
            raise PrinterError(_first_detail(answer))
        self._check(answer, path)
        self._credentials.set(API_KEY, _text(answer, "newApiKey"))

    def renew_password(self) -> None:
        """Set a new password, and store it. Raises `PrinterError`, and stores nothing then."""
        path = "/thirdparty-access/v1/password"
        self._credentials.forget(PASSWORD)
        password = new_password()
        answer = self._post(
            path,
            {
                "userName": self._credentials.get(USERNAME),
                "password": self._credentials.get(PASSWORD),
                "newPassword": password,
            },
        )
        if answer.status == 401:
            self._credentials.forget(PASSWORD)
            raise PrinterError(_first_detail(answer))
        self._check(answer, path)
        self._credentials.set(PASSWORD, password)

    # -- the call

    def _post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        given = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        call = self._outbound.request(
            "POST", self._base_url + path, data=dump_json(body), headers=given, timeout=TIMEOUT_SECONDS
        )
        try:
            return self._outbound.run(call).result(WAIT_SECONDS)
        except (OutboundError, TimeoutError) as error:
            reason = error.kind if isinstance(error, OutboundError) else "timeout"
            raise RetryablePrinterError(f"no answer from {self._base_url + path}: {reason}") from None

    def _check(self, answer: Answer, path: str) -> None:
        """Raise a `PrinterError` unless the answer is a success (10.1)."""
        text = f"Received {answer.status} from {self._base_url + path}"
        if answer.status == 429:
            raise ThrottledError(text)
        if answer.status >= 500:
            raise RetryablePrinterError(text)
        if not 200 <= answer.status < 300:
            raise PrinterError(text)


def _first_detail(answer: Answer) -> str:
    """The reason of a refusal: the first `detail`, in a list or in `errors`."""
    try:
        found = parse_json(answer.body)
    except InvalidJSONError:
        found = None
    entries = found.get("errors") if isinstance(found, dict) else found
    first = entries[0] if isinstance(entries, list) and entries else None
    detail = first.get("detail") if isinstance(first, dict) else None
    return str(detail)[:LONGEST_DETAIL] if detail else f"Received {answer.status}"


def _text(answer: Answer, name: str) -> str:
    """A text field of an answer. Raises `RetryablePrinterError` if it is missing."""
    try:
        value = parse_json(answer.body)[name]
    except (InvalidJSONError, KeyError, TypeError):
        value = None
    if not isinstance(value, str) or not value:
        raise RetryablePrinterError(f"the printer's answer has no {name}")
    return value


def _expiry(token: str) -> float:
    """When a token expires, in epoch seconds; now if it does not say. It is not verified, because only the provider
    uses it.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return float(claims["exp"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return 0.0
