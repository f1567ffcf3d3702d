"""The print provider with a REST API: requests, errors, and the renewal of credentials."""

from __future__ import annotations

import ssl
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.outbound import Outbound, OutboundError
from notify.infra.parts import Parts
from notify.infra.secrets import Signer
from notify.letters.printing.base import (
    PrinterError,
    PrintJob,
    RetryablePrinterError,
    Taken,
    ThrottledError,
)
from notify.letters.printing.callback_tokens import CallbackTokens
from notify.letters.printing.credentials import (
    API_KEY,
    PASSWORD,
    USERNAME,
    PrinterCredentials,
    SystemsManager,
)
from notify.letters.printing.dvla import DvlaPrinter, new_password
from notify.letters.printing.renew import CredentialsRenewal
from tests.api import with_settings
from tests.servers import dvla as api
from tests.servers.certificate import write_certificate
from tests.servers.dvla import DvlaServer
from tests.servers.http import HTTPServer, Trouble


class Kept:
    """A store of credentials."""

    can_write = True

    def __init__(self, **values: str) -> None:
        self.values = values
        self.read_names: list[str] = []

    def read(self, name: str) -> str:
        self.read_names.append(name)
        return self.values[name]

    def write(self, name: str, value: str) -> None:
        self.values[name] = value


@pytest.fixture
def store(dvla: DvlaServer) -> Kept:
    return Kept(**{USERNAME: dvla.user, PASSWORD: dvla.password, API_KEY: dvla.key})


@pytest.fixture
def printer(dvla: DvlaServer, store: Kept) -> Iterator[DvlaPrinter]:
    printer = DvlaPrinter(
        Outbound(timeout=5),
        PrinterCredentials(store),
        CallbackTokens(Signer(["secret"], "salt")),
        base_url=dvla.url,
        callback_url="https://api.example/",
    )
    yield printer
    printer.close()


def job(to: str = "Ivy Green\n1 Oak Street\nNE1 1AA", postage: str = "second", **changes: Any) -> PrintJob:
    values = {
        "notification_id": new_id(),
        "reference": "ABCD1234EFGH5678",
        "to": to,
        "postage": postage,
        "service_id": new_id(),
        "organisation_id": new_id(),
        "sheets": 1,
        "pdf": b"%PDF-1.7 pages",
    }
    return PrintJob(**{**values, **changes})


def test_what_is_sent(printer: DvlaPrinter, dvla: DvlaServer) -> None:
    one = job(organisation_id=None)
    assert printer.print_letter(one) is Taken.NEW
    sent = dvla.jobs[str(one.notification_id)]
    token = Signer(["secret"], "salt").sign(str(one.notification_id))
    custom = {entry["key"]: entry["value"] for entry in sent.pop("customParams")}
    assert b64decode(custom.pop("pdfContent")) == one.pdf
    assert custom == {"organisationIdentifier": "None", "serviceIdentifier": str(one.service_id)}
    assert sent == {
        "id": str(one.notification_id),
        "standardParams": {
            "jobType": "NOTIFY",
            "templateReference": "NOTIFY",
            "businessIdentifier": "ABCD1234EFGH5678",
            "recipientName": "Ivy Green",
            "address": {"unstructuredAddress": {"line1": "1 Oak Street", "postcode": "NE1 1AA"}},
        },
        "callbackParams": {
            "target": f"https://api.example/notifications/letter/status?token={token}",
            "retryParams": {"enabled": True, "maxRetryWindow": 10800},
        },
    }


@pytest.mark.parametrize(
    ("postage", "method"),
    [
        ("first", "FIRST"),
        ("second", None),
        ("economy", "ECONOMY"),
        ("europe", "INTERNATIONAL_EU"),
        ("rest-of-world", "INTERNATIONAL_ROW"),
    ],
)
def test_how_it_is_posted(printer: DvlaPrinter, dvla: DvlaServer, postage: str, method: str | None) -> None:
    one = job(postage=postage)
    printer.print_letter(one)
    assert dvla.jobs[str(one.notification_id)]["standardParams"].get("despatchMethod") == method


def test_it_signs_in_once_and_again_before_its_token_expires(printer: DvlaPrinter, dvla: DvlaServer) -> None:
    printer.print_letter(job())
    printer.print_letter(job())
    assert dvla.requests == [api.SIGN_IN, api.PRINT, api.PRINT]
    dvla.requests.clear()
    printer._now = lambda: time.time() + 3600 - 59
    printer.print_letter(job())
    assert dvla.requests == [api.SIGN_IN, api.PRINT]


def test_the_same_letter_twice_is_a_duplicate(printer: DvlaPrinter, dvla: DvlaServer) -> None:
    one = job()
    assert [printer.print_letter(one), printer.print_letter(one)] == [Taken.NEW, Taken.DUPLICATE]
    assert len(dvla.jobs) == 1


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (400, PrinterError),
        (401, RetryablePrinterError),
        (403, RetryablePrinterError),
        (404, PrinterError),
        (422, PrinterError),
        (429, ThrottledError),
        (500, RetryablePrinterError),
        (503, RetryablePrinterError),
    ],
)
def test_refusals(printer: DvlaPrinter, dvla: DvlaServer, status: int, problem: type[PrinterError]) -> None:
    dvla.refusals = [status]
    with pytest.raises(PrinterError) as caught:
        printer.print_letter(job())
    assert type(caught.value) is problem
    expected = "refused" if status in (400, 401, 403) else f"Received {status} from {dvla.url}{api.PRINT}"
    assert str(caught.value) == expected


@pytest.mark.parametrize("trouble", [Trouble(drop=True), Trouble(half=True), Trouble(status=200, body=b"no json")])
def test_no_answer_may_be_tried_again(printer: DvlaPrinter, dvla: DvlaServer, trouble: Trouble) -> None:
    dvla.fail(trouble)
    with pytest.raises(RetryablePrinterError):
        printer.print_letter(job())


def test_a_refused_key_is_read_again(printer: DvlaPrinter, dvla: DvlaServer, store: Kept) -> None:
    printer.print_letter(job())
    dvla.key = store.values[API_KEY] = "key-of-another-process"
    with pytest.raises(RetryablePrinterError, match="Unauthorized"):
        printer.print_letter(job())
    assert printer.print_letter(job()) is Taken.NEW


def test_a_refused_password_is_read_again(printer: DvlaPrinter, dvla: DvlaServer, store: Kept) -> None:
    dvla.password = "new"
    with pytest.raises(RetryablePrinterError, match="Password wrong"):
        printer.print_letter(job())
    store.values[PASSWORD] = "new"
    assert printer.print_letter(job()) is Taken.NEW


def test_a_new_key(printer: DvlaPrinter, dvla: DvlaServer, store: Kept) -> None:
    printer.renew_api_key()
    assert store.values[API_KEY] == dvla.key != "key-1"
    assert printer.print_letter(job()) is Taken.NEW


def test_a_new_password(printer: DvlaPrinter, dvla: DvlaServer, store: Kept) -> None:
    printer.renew_password()
    assert store.values[PASSWORD] == dvla.password != "Pa55-word"
    printer._forget_token()
    assert printer.print_letter(job()) is Taken.NEW


def test_nothing_is_stored_when_renewing_fails(printer: DvlaPrinter, dvla: DvlaServer, store: Kept) -> None:
    before = dict(store.values)
    dvla.password = "other"
    with pytest.raises(PrinterError) as caught:
        printer.renew_password()
    assert type(caught.value) is PrinterError
    dvla.fail(Trouble(status=503))
    with pytest.raises(RetryablePrinterError):
        printer.renew_password()
    assert store.values == before


def test_passwords_have_every_class_of_character() -> None:
    passwords = {new_password() for _ in range(200)}
    assert len(passwords) == 200
    assert all(
        len(one) == 30
        and any(map(str.islower, one))
        and any(map(str.isupper, one))
        and any(map(str.isdigit, one))
        and not one.isalnum()
        for one in passwords
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, dvla: DvlaServer) -> Iterator[Any]:
    """A parameter store with the provider's credentials, as (address, client)."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("ssm", endpoint_url=url, region_name="eu-west-1")
    for name, value in {USERNAME: dvla.user, PASSWORD: dvla.password, API_KEY: dvla.key}.items():
        client.put_parameter(Name=f"/notify/api/{name}", Value=value, Type="SecureString", Overwrite=True)
    yield url, client
    server.stop()


def test_credentials_in_the_parameter_store(aws: Any) -> None:
    url, client = aws
    outbound = Outbound()
    store = SystemsManager(outbound, region="eu-west-1", url=url)
    assert store.read(USERNAME) == "notify"
    store.write(API_KEY, "key-2")
    assert store.read(API_KEY) == "key-2"
    stored = client.get_parameter(Name="/notify/api/dvla_api_key", WithDecryption=False)["Parameter"]
    assert stored["Type"] == "SecureString"
    assert "key-2" not in (stored["Value"], "")[1:]
    with pytest.raises(PrinterError, match="ParameterNotFound"):
        store.write("dvla_unknown", "x")
    outbound.close()


def test_renewing_through_the_tasks_and_their_lock(parts: Parts, aws: Any, dvla: DvlaServer) -> None:
    url, client = aws
    changed = with_settings(parts, letter_printer="dvla", dvla_api_base_url=dvla.url, ssm_url=url)
    one, other = Container(changed), Container(changed)
    changed.cache.delete("dvla-change-api-key-notify", "dvla-change-password-notify")
    assert one.get(CredentialsRenewal).renew_api_key()
    assert not other.get(CredentialsRenewal).renew_api_key()
    assert one.get(CredentialsRenewal).renew_password()
    stored = {
        name: client.get_parameter(Name=f"/notify/api/{name}", WithDecryption=True)["Parameter"]["Value"]
        for name in (API_KEY, PASSWORD)
    }
    assert stored == {API_KEY: dvla.key, PASSWORD: dvla.password}
    assert other.get(DvlaPrinter).print_letter(job()) is Taken.NEW
    one.close()
    other.close()


def test_credentials_of_the_settings_are_not_renewed(parts: Parts, dvla: DvlaServer) -> None:
    changed = with_settings(
        parts,
        letter_printer="dvla",
        dvla_api_base_url=dvla.url,
        dvla_username=dvla.user,
        dvla_password=dvla.password,
        dvla_api_key=dvla.key,
    )
    container = Container(changed)
    assert not container.get(CredentialsRenewal).renew_api_key()
    assert not container.get(CredentialsRenewal).renew_password()
    assert container.get(DvlaPrinter).print_letter(job()) is Taken.NEW
    container.close()


@pytest.mark.parametrize(
    ("ciphers", "is_taken"), [("ECDHE-ECDSA-AES128-GCM-SHA256", False), ("ECDHE-ECDSA-AES256-GCM-SHA384", True)]
)
def test_only_the_given_ciphers_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ciphers: str, is_taken: bool
) -> None:
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with HTTPServer(certificate) as server:
        assert server._tls is not None
        server._tls.maximum_version = ssl.TLSVersion.TLSv1_2
        server._tls.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        outbound = Outbound(tls_ciphers=ciphers)
        call = outbound.run(outbound.request("GET", server.url))
        if is_taken:
            assert call.result(10).status == 200
        else:
            with pytest.raises(OutboundError):
                call.result(10)
        outbound.close()
