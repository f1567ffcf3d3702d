"""SMTP, against a real mail server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from notify.infra.outbound import Outbound
from notify.providers.base import Accepted
from notify.providers.registry import configured
from notify.providers.smtp import send as smtp_module
from notify.providers.smtp.send import SMTP
from notify.settings import load
from tests.production import PRODUCTION
from tests.providers.sending import EMAIL, ID, close, failure, replace, send, send_many
from tests.servers.certificate import write_certificate
from tests.servers.smtp import SMTPServer

Build = Callable[..., SMTP]


@pytest.fixture
def build(outbound: Outbound) -> Iterator[Build]:
    """Builds providers and closes them."""
    with ExitStack() as stack:

        def build(url: str, **settings: Any) -> SMTP:
            provider = SMTP(load(smtp_url=url, **settings), outbound)
            stack.callback(close, provider, outbound)
            return provider

        yield build


@pytest.fixture
def server() -> Iterator[SMTPServer]:
    with SMTPServer() as server:
        yield server


@pytest.fixture
def smtp(server: SMTPServer, build: Build) -> SMTP:
    return build(server.url(), smtp_connections=4)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    return certificate


def test_is_configured_by_its_address() -> None:
    assert configured(load(smtp_url="smtp://localhost")) == {("smtp", "email")}
    assert configured(load(smtp_url="")) == set()


def test_an_email_arrives(smtp: SMTP, server: SMTPServer) -> None:
    headers = {
        "List-Unsubscribe": "<https://api.example/unsubscribe/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    accepted = send(
        smtp, replace(EMAIL, subject="Diwrnod biniau – dŵr", from_name="Cyngor Sir Fôn, Cymru", headers=headers)
    )
    assert accepted == Accepted(reference=f"{ID}@notify.tools", outcome="delivered")
    (received,) = server.received
    assert (received.mail_from, received.recipients) == ("council@notify.tools", ["person@example.com"])
    message = received.message
    assert message["Message-ID"] == f"<{accepted.reference}>"
    assert message["From"].addresses[0].display_name == "Cyngor Sir Fôn, Cymru"
    assert message["Reply-To"] == "help@council.example"
    assert message["Subject"] == "Diwrnod biniau – dŵr"
    assert message["List-Unsubscribe"] == headers["List-Unsubscribe"]
    assert message["List-Unsubscribe-Post"] == headers["List-Unsubscribe-Post"]
    bodies = {part.get_content_type(): part.get_payload(decode=True) for part in message.iter_parts()}
    assert bodies == {
        "text/plain": b"Dear person,\r\n\r\nTuesday.\r\n",
        "text/html": b"<p>Dear person,</p>\r\n<p>Tuesday.</p>",
    }


def test_lines_that_begin_with_a_dot_arrive(smtp: SMTP, server: SMTPServer) -> None:
    send(smtp, replace(EMAIL, plain_text="a\n.\n..b\nQUIT"))
    text = next(iter(server.received[0].message.iter_parts()))
    assert text.get_payload(decode=True) == b"a\r\n.\r\n..b\r\nQUIT"


def test_an_international_domain_travels_in_ascii(smtp: SMTP, server: SMTPServer) -> None:
    send(smtp, replace(EMAIL, to="person@bücher.example"))
    assert server.received[0].recipients == ["person@xn--bcher-kva.example"]


def test_a_second_try_has_the_same_message_id(smtp: SMTP, server: SMTPServer) -> None:
    send(smtp, EMAIL)
    send(smtp, EMAIL)
    first, second = server.received
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_connections_are_kept_and_bounded(smtp: SMTP, server: SMTPServer) -> None:
    server.delay = 0.01
    assert len(send_many(smtp, EMAIL, 40)) == 40
    assert len(server.received) == 40
    assert server.connections == server.most_at_once == 4
    send(smtp, EMAIL)
    assert server.connections == 4


def test_leaving_closes_the_connections(smtp: SMTP, server: SMTPServer, outbound: Outbound) -> None:
    send(smtp, EMAIL)
    assert server.open_connections == 1
    close(smtp, outbound)
    server.wait_until_empty()


def test_a_restart_of_the_server_costs_nothing(smtp: SMTP, server: SMTPServer) -> None:
    send_many(smtp, EMAIL, 4)
    server.restart()
    send_many(smtp, EMAIL, 4)
    assert len(server.received) == 8


def test_a_server_that_has_had_enough_of_a_connection_gets_another(smtp: SMTP, server: SMTPServer) -> None:
    server.messages_per_connection = 2
    for _ in range(6):
        send(smtp, EMAIL)
    assert (len(server.received), server.connections) == (6, 3)


@pytest.mark.parametrize(
    ("command", "reply", "expected", "outcome"),
    [
        ("RCPT", "550 5.1.1 no such person", ("recipient_refused", 550, False), "permanent-failure"),
        ("RCPT", "552 5.2.2 mailbox full", ("recipient_refused", 552, False), "permanent-failure"),
        ("RCPT", "554 5.7.1 relaying denied", ("refused", 554, False), "technical-failure"),
        ("RCPT", "450 4.2.0 greylisted", ("refused", 450, True), "technical-failure"),
        ("RCPT", "530 5.7.0 authentication required", ("authentication", 530, True), "technical-failure"),
        ("MAIL", "550 5.1.0 sender refused", ("refused", 550, False), "technical-failure"),
        ("MAIL", "452 4.3.1 disk full", ("refused", 452, True), "technical-failure"),
        ("DATA", "554 5.6.0 content refused", ("refused", 554, False), "technical-failure"),
        ("DATA", "451 4.3.0 later", ("refused", 451, True), "technical-failure"),
        ("MAIL", "421 4.3.2 shutting down", ("refused", 421, True), "technical-failure"),
        # Amazon's servers, which once counted as a wrong password
        (
            "DATA",
            "454 Throttling failure: Maximum sending rate exceeded.",
            ("throttled", 454, True),
            "technical-failure",
        ),
        ("DATA", "554 5.1.1 user unknown", ("recipient_refused", 554, False), "permanent-failure"),
        ("DATA", "550 No such user here", ("recipient_refused", 550, False), "permanent-failure"),
    ],
)
def test_refusals(
    smtp: SMTP, server: SMTPServer, command: str, reply: str, expected: tuple[str, int, bool], *, outcome: str
) -> None:
    server.replies = {command: reply}
    error = failure(smtp, EMAIL)
    assert (error.kind, error.code, error.retryable) == expected
    assert error.outcome == outcome
    assert server.received == []
    server.replies = {}
    send(smtp, EMAIL)
    assert len(server.received) == 1
    assert server.connections == (2 if reply.startswith("421") else 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("reply", "kind"), [("close", "disconnected"), ("hang", "timeout")])
def test_a_server_that_goes_silent(
    server: SMTPServer, build: Build, monkeypatch: pytest.MonkeyPatch, command: str, *, reply: str, kind: str
) -> None:
    monkeypatch.setattr(smtp_module, "COMMAND_SECONDS", 0.3)
    smtp = build(server.url())
    server.replies = {command: reply}
    error = failure(smtp, EMAIL)
    assert (error.provider, error.kind, error.retryable) == ("smtp", kind, True)
    server.replies = {}
    send(smtp, EMAIL)
    assert len(server.received) == 1


def test_an_email_has_a_time_limit_in_all(server: SMTPServer, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "SEND_SECONDS", 0.3)
    server.replies = {"DATA": "hang"}
    error = failure(build(server.url()), EMAIL)
    assert (error.kind, error.retryable) == ("timeout", True)


def test_nobody_listens(build: Build) -> None:
    error = failure(build("smtp://127.0.0.1:9"), EMAIL)
    assert (error.kind, error.retryable) == ("connection", True)


@pytest.mark.parametrize(
    "change",
    [
        {"to": "nobody"},
        {"to": "a@example.com>\r\nRCPT TO:<victim@example.com"},
        {"from_address": "council"},
        {"reply_to": "help@exa mple.com"},
    ],
)
def test_bad_addresses_are_refused_before_the_server_sees_them(
    smtp: SMTP, server: SMTPServer, change: dict[str, Any]
) -> None:
    error = failure(smtp, replace(EMAIL, **change))
    assert (error.kind, error.retryable, error.outcome) == ("address", False, "technical-failure")
    assert server.connections == 0


def test_a_bad_header_is_refused(smtp: SMTP) -> None:
    error = failure(smtp, replace(EMAIL, headers={"Bcc": "victim@example.com"}))
    assert (error.kind, error.retryable) == ("header", False)


def test_no_encryption_where_none_is_offered(smtp: SMTP, server: SMTPServer) -> None:
    send(smtp, EMAIL)
    assert not server.received[0].encrypted


def test_encryption_is_taken_when_offered_also_with_an_unknown_certificate(
    certificate: tuple[Path, Path], build: Build
) -> None:
    with SMTPServer(certificate=certificate) as server:
        send(build(server.url()), EMAIL)
        assert server.received[0].encrypted


def test_a_password_goes_only_to_a_server_with_a_known_certificate(
    certificate: tuple[Path, Path], build: Build
) -> None:
    with SMTPServer(certificate=certificate, accounts={"user": "password"}) as server:
        error = failure(build(server.url("user:password")), EMAIL)
        assert (error.kind, error.retryable) == ("tls", True)
        assert server.received == []


def test_implicit_encryption_needs_a_known_certificate(certificate: tuple[Path, Path], build: Build) -> None:
    with SMTPServer(certificate=certificate, implicit_tls=True) as server:
        assert failure(build(server.url()), EMAIL).kind == "tls"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("implicit_tls", [False, True])
def test_user_and_password(trusted: tuple[Path, Path], build: Build, implicit_tls: bool) -> None:
    password = "p@ss:w/rd%"
    accounts = {"us@er": password}
    with SMTPServer(certificate=trusted, implicit_tls=implicit_tls, accounts=accounts) as server:
        smtp = build(server.url(f"us%40er:{quote(password, safe='')}"))
        send(smtp, EMAIL)
        send(smtp, EMAIL)
        assert [(email.user, email.encrypted) for email in server.received] == [("us@er", True)] * 2
        assert server.connections == 1


def test_a_wrong_password_waits_for_an_operator(trusted: tuple[Path, Path], build: Build) -> None:
    with SMTPServer(certificate=trusted, accounts={"user": "password"}) as server:
        error = failure(build(server.url("user:wrong")), EMAIL)
        assert (error.kind, error.code, error.retryable) == ("authentication", 535, True)
        error = failure(build(server.url()), EMAIL)
        assert (error.kind, error.retryable) == ("authentication", True)


def test_a_server_without_passwords(server: SMTPServer, build: Build) -> None:
    error = failure(build(server.url("user:password")), EMAIL)
    assert (error.kind, error.retryable) == ("authentication", True)


def test_outside_development_nothing_is_sent_in_the_clear(
    server: SMTPServer, build: Build, trusted: tuple[Path, Path]
) -> None:
    for credentials in ("", "user:password"):
        error = failure(build(server.url(credentials), **PRODUCTION), EMAIL)
        assert (error.kind, error.retryable) == ("unencrypted", True)
    assert server.received == []
    server.wait_until_empty()
    with SMTPServer(certificate=trusted) as safe:
        send(build(safe.url(), **PRODUCTION), EMAIL)
        assert [email.encrypted for email in safe.received] == [True]


def test_in_a_private_network_all_but_passwords_may_go_in_the_clear(server: SMTPServer, build: Build) -> None:
    private = PRODUCTION | {"allow_plaintext_internal": True}
    assert failure(build(server.url("user:password"), **private), EMAIL).kind == "unencrypted"
    send(build(server.url(), **private), EMAIL)
    assert [email.encrypted for email in server.received] == [False]


def test_outside_development_the_certificate_must_be_known(certificate: tuple[Path, Path], build: Build) -> None:
    with SMTPServer(certificate=certificate) as server:
        assert failure(build(server.url(), **PRODUCTION), EMAIL).kind == "tls"
        assert server.received == []
