"""Amazon SES's v2 API and the parts of SNS that an endpoint meets, as far as a client can tell."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.servers.http import HTTPServer

ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:ses-events"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_HEADER_NAME = re.compile(r"[!-9;-@A-~]{1,126}")
_HEADER_VALUE = re.compile(r"[ -~]{1,995}")


def set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that the server knows, and nothing of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


class SESError(Exception):
    """An error as AWS answers it."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status

    def answer(self) -> web.Response:
        return web.json_response(
            {"message": self.message},
            status=self.status,
            headers={"x-amzn-ErrorType": f"{self.kind}:http://internal.amazon.com/coral/com.amazonaws.services.ses/"},
        )


class SESServer(HTTPServer):
    """Takes what SES would take. `messages` are the requests that it took, `ids` what it called them. `error` is said
    to what is right otherwise. With a `token`, requests must be signed with temporary credentials.
    """

    def __init__(self, *, token: str | None = None) -> None:
        self.access_key, self.secret_key, self.token = ACCESS_KEY, SECRET_KEY, token
        self.configuration_sets = {"notify"}
        self.error: SESError | None = None
        self.messages: list[dict[str, Any]] = []
        self.ids: list[str] = []
        model = Loader().load_service_model("sesv2", "service-2")
        self._shape = ServiceModel(model, "sesv2").operation_model("SendEmail").input_shape
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/stub":
            return self._stub(request, body)
        try:
            self._authenticate(request, body)
            if (request.method, request.path) != ("POST", "/v2/email/outbound-emails"):
                raise SESError("UnknownOperationException", "no such operation", 404)
            message = self._validate(body)
            if self.error is not None:
                raise self.error
        except SESError as error:
            return error.answer()
        self.messages.append(message)
        self.ids.append(f"0102{uuid4().hex[:12]}-{uuid4()}-000000")
        return web.json_response({"MessageId": self.ids[-1]})

    def _stub(self, request: web.BaseRequest, body: bytes) -> web.Response:
        assert request.content_type == "application/x-www-form-urlencoded"
        assert body == b"id=dummy-data"
        self.ids.append(str(uuid4()))
        return web.json_response({"MessageId": self.ids[-1]})

    def _authenticate(self, request: web.BaseRequest, body: bytes) -> None:
        """Recompute the signature, from what has arrived."""
        given = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if given is None:
            raise SESError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
        if given["key"] != self.access_key or request.headers.get("X-Amz-Security-Token") != self.token:
            raise SESError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
        signed = given["signed"].split(";")
        needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if self.token else set())
        sent_at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not needed <= set(signed) or abs(datetime.now(UTC) - sent_at) > timedelta(minutes=5):
            raise SESError("InvalidSignatureException", "Signature expired or incomplete", 403)
        copy = AWSRequest(
            method=request.method,
            url=f"http://{request.headers['Host']}{request.path_qs}",
            data=body,
            headers={name: request.headers[name] for name in signed},
        )
        copy.context["timestamp"] = request.headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(self.access_key, self.secret_key, self.token), "ses", REGION)
        signature = signer.signature(signer.string_to_sign(copy, signer.canonical_request(copy)), copy)
        if (given["region"], given["service"], given["signature"]) != (REGION, "ses", signature):
            raise SESError(
                "SignatureDoesNotMatchException",
                "The request signature we calculated does not match the signature you provided.",
                403,
            )

    def _validate(self, body: bytes) -> dict[str, Any]:
        try:
            message: dict[str, Any] = json.loads(body)
        except ValueError:
            raise SESError("SerializationException", "malformed") from None
        if raw := message.get("Content", {}).get("Raw"):
            raw["Data"] = b64decode(raw["Data"], validate=True)
        report = ParamValidator().validate(message, self._shape)
        if report.has_errors():
            raise SESError("ValidationException", report.generate_report())
        if message.get("ConfigurationSetName", "notify") not in self.configuration_sets:
            raise SESError("NotFoundException", "Configuration set does not exist", 404)
        kinds = message["Content"].keys()
        if len(kinds) != 1 or not kinds <= {"Simple", "Raw"}:
            raise SESError("BadRequestException", "one kind of content, please")
        addresses = [*message["Destination"]["ToAddresses"], message["FromEmailAddress"]]
        if not all(address.isascii() and address.isprintable() for address in addresses):
            raise SESError("BadRequestException", "Domain contains illegal character")
        if "bad@" in addresses[0]:
            raise SESError("BadRequestException", "Illegal address")
        self._validate_headers(message["Content"].get("Simple", {}).get("Headers", []))
        return message

    @staticmethod
    def _validate_headers(headers: list[dict[str, str]]) -> None:
        for header in headers:
            is_right = _HEADER_NAME.fullmatch(header["Name"]) and _HEADER_VALUE.fullmatch(header["Value"])
            if not is_right or len(header["Name"]) + len(header["Value"]) > 996:
                raise SESError("BadRequestException", "Invalid header")

    @property
    def raw_message(self) -> EmailMessage:
        """The last email, which was a raw one."""
        parsed = message_from_bytes(self.messages[-1]["Content"]["Raw"]["Data"], policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass(frozen=True)
class _Identity:
    key: rsa.RSAPrivateKey
    certificate: bytes


def _identity(valid_days: int = 1) -> _Identity:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    ends = datetime.now(UTC) + timedelta(days=valid_days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=10))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return _Identity(key, certificate.public_bytes(serialization.Encoding.PEM))


class SNSServer(HTTPServer):
    """Serves its certificates, confirms subscriptions, and signs messages as SNS does."""

    def __init__(self) -> None:
        self.identities = {"a1b2c3": _identity(), "expired": _identity(valid_days=-1), "garbage": None}
        self.tokens = {"2336412f37f": TOPIC}
        self.confirmed: list[str] = []
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = re.fullmatch(r"/SimpleNotificationService-(\w+)\.pem", request.path)
        if asked and asked[1] in self.identities:
            identity = self.identities[asked[1]]
            return web.Response(body=identity.certificate if identity else b"-----BEGIN", content_type="text/plain")
        query = {name: values[0] for name, values in parse_qs(request.query_string).items()}
        if query.get("Action") != "ConfirmSubscription" or request.path != "/":
            return web.Response(status=404, text="<ErrorResponse/>", content_type="text/xml")
        if self.tokens.get(query.get("Token", "")) != query.get("TopicArn"):
            return web.Response(status=400, text="<ErrorResponse/>", content_type="text/xml")
        self.confirmed.append(query["TopicArn"])
        return web.Response(text="<ConfirmSubscriptionResponse/>", content_type="text/xml")

    def certificate_url(self, name: str = "a1b2c3") -> str:
        return f"{self.url}/SimpleNotificationService-{name}.pem"

    def sign(self, message: dict[str, Any], *, version: str = "1", name: str = "a1b2c3") -> dict[str, Any]:
        """The message with its signature (`Signature`, `SignatureVersion`, `SigningCertURL`)."""
        is_notification = message["Type"] == "Notification"
        names = ["Message", "MessageId", *(["Subject"] if is_notification else ["SubscribeURL"]), "Timestamp"]
        names += [*([] if is_notification else ["Token"]), "TopicArn", "Type"]
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        identity = self.identities[name] or self.identities["a1b2c3"]
        assert identity is not None
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
        signature = identity.key.sign(text.encode(), padding.PKCS1v15(), digest)
        return {
            **message,
            "SignatureVersion": version,
            "Signature": b64encode(signature).decode(),
            "SigningCertURL": self.certificate_url(name),
        }

    def notification(self, event: dict[str, Any] | str, *, version: str = "1", **changes: Any) -> dict[str, Any]:
        """What SNS posts to bring this event of SES."""
        message = {
            "Type": "Notification",
            "MessageId": str(uuid4()),
            "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Event Notification",
            "Message": event if isinstance(event, str) else json.dumps(event),
            "Timestamp": "2026-03-01T12:00:00.000Z",
            "UnsubscribeURL": f"{self.url}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1",
            **changes,
        }
        return self.sign({name: value for name, value in message.items() if value is not None}, version=version)

    def subscription(self, *, version: str = "1", **changes: Any) -> dict[str, Any]:
        """What SNS posts to ask whether it may."""
        token = next(iter(self.tokens))
        message = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid4()),
            "Token": token,
            "TopicArn": TOPIC,
            "Message": f"You have chosen to subscribe to the topic {TOPIC}.",
            "SubscribeURL": f"{self.url}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}",
            "Timestamp": "2026-03-01T12:00:00.000Z",
            **changes,
        }
        return self.sign(message, version=version)


def event(kind: str, reference: str, **fields: Any) -> dict[str, Any]:
    """What SES says of an email: `Delivery`, `Bounce` (`bounce_type`), `Complaint` (`feedback`), as its documentation
    has it. `field` is the name of the field with the type, `sent_at` when SES took the email.
    """
    recipient, now = "amala@example.com", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    details: dict[str, Any] = {
        "Delivery": {
            "delivery": {
                "timestamp": now,
                "recipients": [recipient],
                "processingTimeMillis": 546,
                "smtpResponse": "250 ok",
            }
        },
        "Bounce": {
            "bounce": {
                "bounceType": fields.get("bounce_type", "Permanent"),
                "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": recipient, "status": "5.1.1", "diagnosticCode": "smtp; 550"}],
                "timestamp": now,
                "feedbackId": str(uuid4()),
            }
        },
        "Complaint": {
            "complaint": {
                "complainedRecipients": [{"emailAddress": recipient}],
                "timestamp": "2026-03-01T12:00:05.000Z",
                "feedbackId": "0102-feedback",
                "complaintFeedbackType": "abuse",
                "userAgent": "AnyCompany Feedback Loop",
                **fields.get("feedback", {}),
            }
        },
    }.get(kind, {})
    return {
        fields.get("field", "notificationType"): kind,
        "mail": {
            "timestamp": fields.get("sent_at", "2026-03-01T12:00:00.000Z"),
            "source": "council@notify.tools",
            "messageId": reference,
            "destination": [recipient],
            "headersTruncated": False,
            "headers": [{"name": "To", "value": recipient}, {"name": "Subject", "value": "Your bin day"}],
            "commonHeaders": {"to": [recipient], "subject": "Your bin day"},
        },
        **details,
    }
