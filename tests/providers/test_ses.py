"""Amazon SES, against a server on loopback that checks signatures and requests as AWS does, and against moto's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from typing import Any

import pytest
from aiohttp import web

from notify.infra import aws
from notify.infra.outbound import Outbound
from notify.providers.base import Accepted
from notify.providers.registry import configured
from notify.providers.ses import send as ses_module
from notify.providers.ses.send import SES
from notify.settings import SettingsError, load
from tests.providers.sending import EMAIL, failure, replace, send, send_many
from tests.servers.http import HTTPServer, Trouble
from tests.servers.ses import SECRET_KEY, SESError, SESServer, set_credentials

UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://api.example/unsubscribe/1>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


@pytest.fixture(autouse=True)
def _own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def server() -> Iterator[SESServer]:
    with SESServer() as server:
        yield server


def build(server: HTTPServer, outbound: Outbound, **settings: Any) -> SES:
    return SES(load(ses_enabled=True, ses_url=server.url, **settings), outbound)


@pytest.fixture
def ses(server: SESServer, outbound: Outbound) -> SES:
    return build(server, outbound)


def test_is_configured_by_a_switch() -> None:
    assert ("ses", "email") not in configured(load())
    assert ("ses", "email") in configured(load(ses_enabled=True))
    assert ("ses", "email") in configured(load(ses_stub_url="http://localhost:1/stub"))


def test_the_address_is_of_the_region() -> None:
    outbound = Outbound()
    assert SES(load(aws_region="eu-west-2", ses_url=""), outbound)._url.startswith(
        "https://email.eu-west-2.amazonaws.com/v2/"
    )
    with pytest.raises(SettingsError, match="AWS_REGION"):
        load(aws_region="eu-west-2.evil.example/")
    with pytest.raises(SettingsError, match="SES_URL"):
        load(ses_url="email.example")


def test_an_email_is_taken(ses: SES, server: SESServer) -> None:
    message = replace(EMAIL, subject="Diwrnod biniau – dŵr", plain_text="Dŵr\n", html="<p>Dŵr</p>", headers=UNSUBSCRIBE)
    accepted = send(ses, message)
    assert accepted == Accepted(reference=server.ids[0], outcome=None)
    assert server.messages == [
        {
            "FromEmailAddress": '"Council" <council@notify.tools>',
            "Destination": {"ToAddresses": ["person@example.com"]},
            "ReplyToAddresses": ["help@council.example"],
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Diwrnod biniau – dŵr", "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": "Dŵr\n", "Charset": "UTF-8"},
                        "Html": {"Data": "<p>Dŵr</p>", "Charset": "UTF-8"},
                    },
                    "Headers": [{"Name": name, "Value": value} for name, value in UNSUBSCRIBE.items()],
                }
            },
        }
    ]


def test_an_email_without_reply_to_or_headers(ses: SES, server: SESServer) -> None:
    send(ses, replace(EMAIL, reply_to=None))
    (message,) = server.messages
    assert "ReplyToAddresses" not in message
    assert "Headers" not in message["Content"]["Simple"]


def test_a_sender_with_accents_is_an_encoded_word(ses: SES, server: SESServer) -> None:
    name = 'Cyngor "Sir" Fôn, Cymru – gwasanaethau cymdeithasol a llawer o bethau eraill'
    send(ses, replace(EMAIL, from_name=name))
    sender = server.messages[0]["FromEmailAddress"]
    assert sender.isascii()
    assert "\n" not in sender
    assert str(make_header(decode_header(sender))) == f"{name} <council@notify.tools>"


def test_international_domains_travel_in_ascii(ses: SES, server: SESServer) -> None:
    send(ses, replace(EMAIL, to="person@bücher.example", reply_to="hilfe@bücher.example"))
    (message,) = server.messages
    assert message["Destination"]["ToAddresses"] == ["person@xn--bcher-kva.example"]
    assert message["ReplyToAddresses"] == ["hilfe@xn--bcher-kva.example"]


def test_a_line_break_in_the_subject_cannot_add_a_header(ses: SES, server: SESServer) -> None:
    send(ses, replace(EMAIL, subject="Hello\r\nBcc: other@example.com"))
    assert server.messages[0]["Content"]["Simple"]["Subject"]["Data"] == "Hello Bcc: other@example.com"


@pytest.mark.parametrize("address", ["<https://api.example/" + "x" * 1000 + ">", "<https://api.example/dŵr>"])
def test_a_header_that_the_api_refuses_is_sent_in_a_raw_message(ses: SES, server: SESServer, address: str) -> None:
    send(ses, replace(EMAIL, subject="Dŵr", headers={**UNSUBSCRIBE, "List-Unsubscribe": address}))
    (request,) = server.messages
    assert request["FromEmailAddress"] == '"Council" <council@notify.tools>'
    assert request["Destination"] == {"ToAddresses": ["person@example.com"]}
    message = server.raw_message
    assert message["Subject"] == "Dŵr"
    assert message["Reply-To"] == "help@council.example"
    assert message["List-Unsubscribe"].replace(" ", "") == address.replace("ŵ", "%C5%B5")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_configuration_set(server: SESServer, outbound: Outbound) -> None:
    send(build(server, outbound, ses_configuration_set="notify"), EMAIL)
    assert server.messages[0]["ConfigurationSetName"] == "notify"
    error = failure(build(server, outbound, ses_configuration_set="unheard-of"), EMAIL)
    assert (error.kind, error.code, error.retryable) == ("not_found", 404, True)


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("BadRequestException", 400, ("bad_request", False)),
        ("ValidationException", 400, ("bad_request", False)),
        ("InvalidParameterValue", 400, ("bad_request", False)),
        ("TooManyRequestsException", 429, ("too_many_requests", True)),
        ("ThrottlingException", 400, ("throttling", True)),
        ("LimitExceededException", 400, ("limit_exceeded", True)),
        ("MessageRejected", 400, ("message_rejected", True)),
        ("SendingPausedException", 400, ("sending_paused", True)),
        ("AccountSuspendedException", 400, ("account_suspended", True)),
        ("ExpiredTokenException", 403, ("authentication", True)),
        ("AccessDeniedException", 403, ("authentication", True)),
        ("InternalFailure", 500, ("internal_failure", True)),
        ("ServiceUnavailable", 503, ("service_unavailable", True)),
    ],
)
def test_errors(ses: SES, server: SESServer, kind: str, status: int, expected: tuple[str, bool]) -> None:
    server.error = SESError(kind, "Illegal address person@example.com", status)
    error = failure(ses, EMAIL)
    assert (error.kind, error.retryable) == expected
    assert error.code == status
    assert error.outcome == "technical-failure"


def test_an_address_that_ses_will_never_take_is_not_tried_again(ses: SES) -> None:
    error = failure(ses, replace(EMAIL, to="bad@example.com"))
    assert (error.kind, error.retryable, error.outcome) == ("bad_request", False, "technical-failure")


def test_an_address_that_cannot_be_written_is_not_sent(ses: SES, server: SESServer) -> None:
    error = failure(ses, replace(EMAIL, to="person@exa mple.com"))
    assert (error.kind, error.retryable) == ("address", False)
    assert server.received == 0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble(status=500), "http_5xx"),
        (Trouble(status=400), "http_4xx"),
        (Trouble(status=302), "http_3xx"),
        (Trouble(status=400, body=b'{"__type": "com.amazonaws.ses#BadRequestException"}'), "bad_request"),
        (Trouble(status=200), "invalid_answer"),
        (Trouble(status=200, body=b"{}"), "invalid_answer"),
        (Trouble(status=200, body=b'{"MessageId": 7}'), "invalid_answer"),
        (Trouble(drop=True), "disconnected"),
        (Trouble(half=True), "disconnected"),
    ],
)
def test_troubles(ses: SES, server: SESServer, trouble: Trouble, kind: str) -> None:
    server.fail(trouble)
    assert failure(ses, EMAIL).kind == kind


def test_a_server_that_hangs(ses: SES, server: SESServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ses_module, "TIMEOUT_SECONDS", 0.2)
    server.fail(Trouble(hang=True))
    assert failure(ses, EMAIL).kind == "timeout"


def test_nobody_there(outbound: Outbound, unused_port: int) -> None:
    ses = SES(load(ses_enabled=True, ses_url=f"http://127.0.0.1:{unused_port}"), outbound)
    assert failure(ses, EMAIL).kind == "connection"


def test_connections_are_kept(ses: SES, server: SESServer) -> None:
    send_many(ses, EMAIL, 30)
    before = server.connections
    for _ in range(5):
        send(ses, EMAIL)
    assert server.connections == before
    assert len(set(server.ids)) == 35


# -- credentials


def test_another_secret_is_refused(ses: SES, server: SESServer) -> None:
    server.secret_key = "another"
    assert failure(ses, EMAIL).kind == "authentication"


def test_another_region_is_refused(server: SESServer, outbound: Outbound) -> None:
    assert failure(build(server, outbound, aws_region="us-east-1"), EMAIL).kind == "authentication"


def test_temporary_credentials(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    with SESServer(token="session") as server:
        assert failure(build(server, outbound), EMAIL).kind == "authentication"
        monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
        send(build(server, outbound), EMAIL)


def test_without_credentials_the_messages_wait(
    server: SESServer, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    error = failure(build(server, outbound), EMAIL)
    assert (error.kind, error.retryable) == ("credentials", True)
    assert server.received == 0


class ContainerServer(HTTPServer):
    """The metadata service of a container, which gives credentials that soon end."""

    def __init__(self, ses: SESServer) -> None:
        self.ses = ses
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.ses.access_key, self.ses.token = f"AKID{self.received}", f"token-{self.received}"
        return web.json_response(
            {
                "AccessKeyId": self.ses.access_key,
                "SecretAccessKey": SECRET_KEY,
                "Token": self.ses.token,
                # within the time before the end in which they must be renewed
                "Expiration": (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )


def test_a_role_of_the_container_is_renewed(
    server: SESServer, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with ContainerServer(server) as container:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url)
        ses = build(server, outbound)
        send_many(ses, EMAIL, 20)
        asked = container.received
        assert asked <= 2  # together, not one by one
        monkeypatch.setattr(aws, "KEPT_SECONDS", 0.0)
        ses = build(server, outbound)
        send(ses, EMAIL)
        send(ses, EMAIL)
        assert container.received > asked + 1
    assert len(server.messages) == 22


# -- the stand-in, and moto


def test_the_stub_gets_no_calls(server: SESServer, outbound: Outbound) -> None:
    ses = SES(load(ses_stub_url=f"{server.url}/stub"), outbound)
    assert send(ses, EMAIL).reference == server.ids[0]


def test_moto_takes_both_kinds(outbound: Outbound) -> None:
    from urllib.request import urlopen

    import boto3
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client("sesv2", region_name="eu-west-1", endpoint_url=url)
        client.create_email_identity(EmailIdentity="notify.tools")
        ses = SES(load(ses_enabled=True, ses_url=url), outbound)
        simple = send(ses, replace(EMAIL, headers=UNSUBSCRIBE))
        raw = send(ses, replace(EMAIL, headers={"List-Unsubscribe": "<https://api.example/dŵr>"}))
        assert simple.reference
        assert raw.reference
        with urlopen(f"{url}/moto-api/data.json") as answer:
            assert answer.status == 200
    finally:
        moto.stop()
