"""Messages that Amazon SNS sends over HTTP: checks that they are genuine and from one of our topics.

Anyone with an AWS account can make SNS sign anything. So a message counts only if it comes from one of our topics, and
is signed with a key whose certificate SNS itself serves, in the topic's region.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self

import structlog
from cachetools import TTLCache
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.times import utc_now

if TYPE_CHECKING:
    from notify.infra.container import Container
    from notify.infra.outbound import Answer, Outbound

logger = structlog.get_logger(__name__)

LARGEST_BYTES: Final = 512 * 1024
"""Most bytes of a request: SNS messages have up to 256 KiB, before JSON escapes and the envelope."""

FETCH_SECONDS: Final = 5.0
FETCHES_AT_A_TIME: Final = 4
WAIT_SECONDS: Final = 1.0
"""Longest wait for a free call to SNS."""
CERTIFICATE_SECONDS: Final = 86_400
CERTIFICATES: Final = 64

_AMAZON: Final = r"https://sns\.([a-z0-9]+(?:-[a-z0-9]+)+)\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE_PATH: Final = r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem"
_SUBSCRIBE_PATH: Final = r"/\?[!-~]{1,2000}"


class SNSError(Exception):
    """A message is refused. `status` is the HTTP status of the answer; SNS only retries after a 5xx."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class SNSMessage(BaseModel):
    """What SNS posts (its message format for HTTP endpoints)."""

    model_config = ConfigDict(strict=True, frozen=True)

    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    SignatureVersion: Literal["1", "2"]
    Signature: str
    SigningCertURL: str = Field(max_length=2000)
    Subject: str | None = None
    SubscribeURL: str | None = None
    Token: str | None = None

    @classmethod
    def read(cls, body: bytes) -> SNSMessage:
        """The message in a request. Raises `SNSError` (400) for anything else."""
        try:
            return cls.model_validate(parse_json(body))
        except (InvalidJSONError, ValidationError):
            raise SNSError("not a message of SNS", 400) from None

    @property
    def region(self) -> str:
        """The region of the topic."""
        parts = self.TopicArn.split(":")
        return parts[3] if len(parts) == 6 else ""

    def signed_text(self) -> bytes:
        """The signed text: names and values, a line each, in the order of the names."""
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if self.Type != "Notification":
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        values = [(name, getattr(self, name)) for name in names]
        return "".join(f"{name}\n{value}\n" for name, value in values if value is not None).encode()


class _Key(NamedTuple):
    """A public key of SNS, and when its certificate expires."""

    public_key: RSAPublicKey
    expires_at: datetime


class SNSVerifier:
    """Checks messages of the topics in `topics`, and confirms subscriptions to them.

    `get_outbound` returns the client that fetches certificates, when one is needed; they are cached for a day.
    `stand_in` is the address (scheme, host and port) of a test server to accept as Amazon's.
    """

    def __init__(self, get_outbound: Callable[[], Outbound], topics: Collection[str], stand_in: str = "") -> None:
        self._get_outbound = get_outbound
        self._topics = frozenset(topics)
        hosts = _AMAZON + (f"|{re.escape(stand_in.rstrip('/'))}" if stand_in else "")
        self._certificate_url = re.compile(f"(?:{hosts}){_CERTIFICATE_PATH}")
        self._subscribe_url = re.compile(f"(?:{hosts}){_SUBSCRIBE_PATH}")
        self._keys: TTLCache[str, _Key] = TTLCache(CERTIFICATES, CERTIFICATE_SECONDS)
        self._lock = threading.Lock()
        self._fetches = threading.BoundedSemaphore(FETCHES_AT_A_TIME)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process. It loads the HTTP client only when it calls SNS."""

        def get_outbound() -> Outbound:
            from notify.infra.outbound import Outbound

            return container.get(Outbound)

        settings = container.parts.settings
        return cls(get_outbound, settings.ses_topic_arns, settings.sns_url)

    @property
    def expects_messages(self) -> bool:
        """Whether there are topics to take messages from."""
        return bool(self._topics)

    def verify(self, message: SNSMessage) -> None:
        """Raise `SNSError` unless the message is genuine and from one of our topics: 403, or 503 if that cannot be
        checked now.
        """
        if message.TopicArn not in self._topics:
            raise SNSError("unknown topic", 403)
        self._check_address(self._certificate_url, message.SigningCertURL, message, "certificate")
        key = self._key(message.SigningCertURL)
        try:
            signature = base64.b64decode(message.Signature, validate=True)
            # version 1 is still SNS's default, and fixes the digest
            digest = hashes.SHA1() if message.SignatureVersion == "1" else hashes.SHA256()  # noqa: S303
            key.verify(signature, message.signed_text(), padding.PKCS1v15(), digest)
        except (InvalidSignature, binascii.Error, ValueError):
            raise SNSError("wrong signature", 403) from None

    def confirm(self, message: SNSMessage) -> None:
        """Confirm the subscription that a verified message asks about. Raises `SNSError`."""
        address = message.SubscribeURL or ""
        self._check_address(self._subscribe_url, address, message, "subscription")
        with self._free_call():
            answer = self._fetch(address)
        if answer.status != 200:
            raise SNSError("the subscription could not be confirmed", 503)
        logger.info("SNS subscription confirmed", topic=message.TopicArn)

    @staticmethod
    def _check_address(pattern: re.Pattern[str], address: str, message: SNSMessage, what: str) -> None:
        match = pattern.fullmatch(address)
        if match is None or match[1] not in (None, message.region):
            raise SNSError(f"the address of the {what} is not one of SNS", 403)

    def _key(self, address: str) -> RSAPublicKey:
        key = self._kept_key(address) or self._fetch_key(address)
        if key.expires_at <= utc_now():
            raise SNSError("the certificate has expired", 403)
        return key.public_key

    def _kept_key(self, address: str) -> _Key | None:
        with self._lock:
            return self._keys.get(address)

    def _fetch_key(self, address: str) -> _Key:
        with self._free_call():
            # another thread may have fetched it in the meantime
            kept = self._kept_key(address) or self._read_certificate(self._fetch(address))
            with self._lock:
                self._keys[address] = kept
            return kept

    @staticmethod
    def _read_certificate(answer: Answer) -> _Key:
        if answer.status != 200:
            # a forged address may cause this too, but a genuine message must be retried
            raise SNSError("the certificate could not be fetched", 503)
        try:
            from cryptography import x509  # loaded lazily: few processes read certificates

            certificate = x509.load_pem_x509_certificate(answer.body)
            key = certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            raise SNSError("the certificate cannot be read", 503) from None
        if not isinstance(key, RSAPublicKey) or certificate.not_valid_before_utc > utc_now():
            raise SNSError("the certificate cannot be used", 403)
        return _Key(key, certificate.not_valid_after_utc)

    @contextmanager
    def _free_call(self) -> Iterator[None]:
        """Wait for a free slot for a call to SNS: forged messages must not occupy every thread of this process."""
        if not self._fetches.acquire(timeout=WAIT_SECONDS):
            raise SNSError("too many calls to SNS at a time", 503)
        try:
            yield
        finally:
            self._fetches.release()

    def _fetch(self, address: str) -> Answer:
        from notify.infra.outbound import OutboundError

        outbound = self._get_outbound()
        try:
            return outbound.run(outbound.request("GET", address, timeout=FETCH_SECONDS)).result()
        except OutboundError:
            raise SNSError("SNS did not answer", 503) from None
