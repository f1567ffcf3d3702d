"""Messages of SNS, genuine and forged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notify.infra import sns as sns_module
from notify.infra.outbound import Outbound
from notify.infra.sns import SNSError, SNSMessage, SNSVerifier
from tests.servers.http import Trouble
from tests.servers.ses import REGION, TOPIC, SNSServer


@pytest.fixture(scope="module")
def sns() -> Iterator[SNSServer]:
    with SNSServer() as server:
        yield server


@pytest.fixture(scope="module")
def outbound() -> Iterator[Outbound]:
    outbound = Outbound()
    yield outbound
    outbound.close()


@pytest.fixture
def verifier(sns: SNSServer, outbound: Outbound) -> Iterator[SNSVerifier]:
    yield SNSVerifier(lambda: outbound, [TOPIC], sns.url)
    sns.fail(None)


def read(message: dict[str, Any]) -> SNSMessage:
    return SNSMessage.read(json.dumps(message).encode())


def refusal(verifier: SNSVerifier, message: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(SNSError) as caught:
        verifier.verify(read(message))
    return caught.value.status, str(caught.value)


@pytest.mark.parametrize("version", ["1", "2"])
def test_genuine_messages(verifier: SNSVerifier, sns: SNSServer, version: str) -> None:
    verifier.verify(read(sns.notification("hello\nthere\\", version=version)))
    verifier.verify(read(sns.notification("hello", version=version, Subject=None)))
    verifier.verify(read(sns.subscription(version=version)))
    verifier.verify(read(sns.subscription(version=version, Type="UnsubscribeConfirmation")))


def test_a_certificate_is_fetched_once(verifier: SNSVerifier, sns: SNSServer) -> None:
    before = sns.received
    for _ in range(5):
        verifier.verify(read(sns.notification("hello")))
    assert sns.received == before + 1


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "goodbye"},
        {"Subject": "other"},
        {"MessageId": "other"},
        {"Timestamp": "2030-01-01T00:00:00.000Z"},
        {"SignatureVersion": "2"},
        {"Signature": "AAAA"},
        {"Signature": "not base64!"},
        {"Signature": ""},
        {"Type": "UnsubscribeConfirmation"},
    ],
)
def test_whatever_is_changed_the_signature_tells(verifier: SNSVerifier, sns: SNSServer, change: dict[str, str]) -> None:
    assert refusal(verifier, {**sns.notification("hello"), **change}) == (403, "wrong signature")


def test_a_token_cannot_be_swapped(verifier: SNSVerifier, sns: SNSServer) -> None:
    message = sns.subscription()
    assert refusal(verifier, {**message, "Token": "other"}) == (403, "wrong signature")
    assert refusal(verifier, {**message, "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?x"})[0] == 403


def test_anybody_has_topics(verifier: SNSVerifier, sns: SNSServer) -> None:
    message = sns.notification("hello", TopicArn=TOPIC.replace("123456789012", "666666666666"))
    assert refusal(verifier, message) == (403, "unknown topic")


def test_without_topics_nothing_is_expected(outbound: Outbound) -> None:
    assert not SNSVerifier(lambda: outbound, []).expects_messages


@pytest.mark.parametrize(
    "address",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-a1.pem",
        "https://evil.example/SimpleNotificationService-a1.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-a1.pem",
        "https://snsXeu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.evil.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem?x=https://evil.example/",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=ListTopics",
        "http://169.254.169.254/SimpleNotificationService-a1.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_forged_addresses_of_certificates_are_not_called(
    verifier: SNSVerifier, sns: SNSServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_fetch", lambda _address: pytest.fail("a call was made"))
    message = {**sns.notification("hello"), "SigningCertURL": address}
    assert refusal(verifier, message) == (403, "the address of the certificate is not one of SNS")


@pytest.mark.parametrize("host", [f"sns.{REGION}.amazonaws.com", f"sns.{REGION}.amazonaws.com.cn"])
def test_amazons_own_addresses_are_called(
    outbound: Outbound, sns: SNSServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = SNSVerifier(lambda: outbound, [TOPIC])
    fetch, called = verifier._fetch, []

    def from_here(address: str) -> Any:
        called.append(address)
        return fetch(sns.certificate_url())

    monkeypatch.setattr(verifier, "_fetch", from_here)
    address = f"https://{host}/SimpleNotificationService-a86cb10b4e1f29c941702d737128f7b6.pem"
    verifier.verify(read({**sns.notification("hello"), "SigningCertURL": address}))
    assert called == [address]


def test_a_stand_in_is_not_accepted_unasked(outbound: Outbound, sns: SNSServer) -> None:
    assert refusal(SNSVerifier(lambda: outbound, [TOPIC]), sns.notification("hello"))[0] == 403


def test_certificates_that_are_no_good(verifier: SNSVerifier, sns: SNSServer) -> None:
    message = sns.notification("hello")
    expired = sns.sign({name: value for name, value in message.items() if not name.startswith("Sign")}, name="expired")
    assert refusal(verifier, expired) == (403, "the certificate has expired")
    garbage = {**message, "SigningCertURL": sns.certificate_url("garbage")}
    assert refusal(verifier, garbage) == (503, "the certificate cannot be read")
    missing = {**message, "SigningCertURL": sns.certificate_url("missing")}
    assert refusal(verifier, missing) == (503, "the certificate could not be fetched")


@pytest.mark.parametrize("trouble", [Trouble(status=500), Trouble(drop=True), Trouble(status=302)])
def test_while_sns_is_in_trouble_its_messages_are_asked_for_again(
    verifier: SNSVerifier, sns: SNSServer, trouble: Trouble
) -> None:
    sns.fail(trouble)
    assert refusal(verifier, sns.notification("hello"))[0] == 503
    sns.fail(None)
    verifier.verify(read(sns.notification("hello")))


def test_forged_messages_cannot_hold_every_thread(
    verifier: SNSVerifier, sns: SNSServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns_module, "FETCH_SECONDS", 1.0)
    monkeypatch.setattr(sns_module, "WAIT_SECONDS", 0.1)
    sns.fail(Trouble(hang=True))
    messages = [{**sns.notification("x"), "SigningCertURL": sns.certificate_url(f"x{n}")} for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda message: refusal(verifier, message), messages))
    assert sorted(set(answers)) == [(503, "SNS did not answer"), (503, "too many calls to SNS at a time")]
    assert answers.count((503, "SNS did not answer")) < 20


def test_the_first_messages_come_together(verifier: SNSVerifier, sns: SNSServer) -> None:
    message, before = read(sns.notification("hello")), sns.received
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: verifier.verify(message), range(20)))
    assert sns.received - before <= sns_module.FETCHES_AT_A_TIME


def test_a_subscription_is_confirmed(verifier: SNSVerifier, sns: SNSServer) -> None:
    message = read(sns.subscription())
    verifier.verify(message)
    verifier.confirm(message)
    assert sns.confirmed == [TOPIC]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/?Action=ConfirmSubscription",
        "http://169.254.169.254/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/other",
        "",
    ],
)
def test_a_subscription_elsewhere_is_not(
    verifier: SNSVerifier, sns: SNSServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = read(sns.subscription(SubscribeURL=address))
    verifier.verify(message)
    monkeypatch.setattr(verifier, "_fetch", lambda _address: pytest.fail("a call was made"))
    with pytest.raises(SNSError) as caught:
        verifier.confirm(message)
    assert caught.value.status == 403


def test_a_subscription_that_sns_does_not_know(verifier: SNSVerifier, sns: SNSServer) -> None:
    address = f"{sns.url}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=other"
    with pytest.raises(SNSError) as caught:
        verifier.confirm(read(sns.subscription(SubscribeURL=address)))
    assert caught.value.status == 503


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"{}", b'{"Type": "Notification"}', b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(SNSError) as caught:
        SNSMessage.read(body)
    assert caught.value.status == 400


@pytest.mark.parametrize("change", [{"SignatureVersion": "3"}, {"Type": "Other"}, {"Message": 7}, {"Signature": None}])
def test_what_is_almost_one(sns: SNSServer, change: dict[str, Any]) -> None:
    with pytest.raises(SNSError) as caught:
        read({**sns.notification("hello"), **change})
    assert caught.value.status == 400
