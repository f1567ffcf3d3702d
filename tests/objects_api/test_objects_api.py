"""The object store as the admin app uses it: with boto3, over HTTP."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from notify.app import EXTENSION, create_app
from notify.infra.container import Container
from notify.infra.parts import Parts, build_parts
from notify.infra.times import utc_now
from notify.objects_api.access import credentials_of
from notify.objects_api.bodies import crc32
from tests.conftest import fresh_parts
from tests.production import PRODUCTION

BUCKET = "development-notifications-csv-upload"
CONTENT = b"phone number\r\n07700900123\r\n"
KEY = "service-6ce466d0-fd6a-11e5-82f5-e0accb9d11a6-notify/a b+c%2F'é.csv"


class _Handler(WSGIRequestHandler):
    """As our server does, it passes headers on that have `_` in their names."""

    def make_environ(self) -> Any:
        environ = super().make_environ()
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items() if "_" in name}
        return environ | named


@pytest.fixture(scope="module")
def app(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("objects")
    with fresh_parts(postgres_url, valkey_url, folder, notify_log_level="WARNING") as parts:
        app = create_app(parts.settings)
        yield app
        app.extensions[EXTENSION].close()


@pytest.fixture(scope="module")
def parts(app: Flask) -> Parts:
    container: Container = app.extensions[EXTENSION]
    return container.parts


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/objects"
    server.shutdown()
    thread.join()


def _client(address: str, parts: Parts, **options: Any) -> Any:
    key, secret = credentials_of(parts.settings)
    given = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "eu-west-1"} | options
    return boto3.client("s3", endpoint_url=address, config=Config(retries={"total_max_attempts": 1}), **given)


@pytest.fixture(scope="module")
def s3(address: str, parts: Parts) -> Any:
    return _client(address, parts)


def test_an_upload_is_read_as_it_was_put(s3: Any, parts: Parts) -> None:
    put = s3.put_object(
        Bucket=BUCKET,
        Key=KEY,
        Body=CONTENT,
        Metadata={"original_file_name": "spring.csv"},
        ServerSideEncryption="AES256",
        ContentType="text/csv",
    )
    found = s3.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")
    assert found["Body"].read() == CONTENT
    assert found["Metadata"] == {"original_file_name": "spring.csv"}
    assert found["ContentType"] == "text/csv"
    assert found["ETag"] == put["ETag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
    head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert head["ContentLength"] == 27
    assert head["Metadata"] == {"original_file_name": "spring.csv"}
    assert abs(utc_now() - head["LastModified"]) < timedelta(minutes=5)
    # what the product reads, in another process
    other = build_parts(parts.settings)
    assert other.objects.bucket(BUCKET).get(KEY) == CONTENT
    assert other.objects.bucket(BUCKET).info(KEY).details.metadata == {"original_file_name": "spring.csv"}
    other.close()


def test_a_copy_onto_itself_replaces_the_metadata(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a.csv", Body=b"x", Metadata={"original_file_name": "a.csv"})
    copied = s3.copy_object(
        Bucket=BUCKET,
        Key="a.csv",
        CopySource=f"{BUCKET}/a.csv",
        Metadata={"valid": "True", "notification_count": "1"},
        MetadataDirective="REPLACE",
        ServerSideEncryption="AES256",
    )
    found = s3.get_object(Bucket=BUCKET, Key="a.csv")
    assert found["Metadata"] == {"valid": "True", "notification_count": "1"}
    assert found["Body"].read() == b"x"
    assert copied["CopyObjectResult"]["ETag"] == found["ETag"]
    with pytest.raises(ClientError, match="InvalidRequest"):
        s3.copy_object(Bucket=BUCKET, Key="a.csv", CopySource=f"{BUCKET}/a.csv")


def test_a_logo_is_copied_to_its_name_without_its_tags(s3: Any) -> None:
    bucket = "public-logos.tools"
    s3.put_object(
        Bucket=bucket, Key="temp-1.png", Body=b"png", Tagging="delete-after-7-days=True", ContentType="image/png"
    )
    assert s3.get_object(Bucket=bucket, Key="temp-1.png")["TagCount"] == 1
    s3.copy_object(
        Bucket=bucket, Key="1-oak.png", CopySource=f"{bucket}/temp-1.png", TaggingDirective="REPLACE", Tagging=""
    )
    found = s3.get_object(Bucket=bucket, Key="1-oak.png")
    assert "TagCount" not in found
    assert found["ContentType"] == "image/png"
    assert found["Body"].read() == b"png"


def test_a_large_upload_in_unsigned_chunks(address: str, parts: Parts) -> None:
    content = bytes(range(256)) * 8192
    chunks = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n"
    whole = chunks % (len(content), content, crc32(content).encode())
    headers = {"x-amz-trailer": "x-amz-checksum-crc32"}
    url = f"{address}/{BUCKET}/chunks"
    assert (
        requests.put(url, whole, headers=_signed(parts, "PUT", url, headers, chunks=True), timeout=30).status_code
        == 200
    )
    assert parts.objects.bucket(BUCKET).get("chunks") == content
    signed = _signed(parts, "PUT", url, headers, chunks=True)
    damaged = requests.put(url, whole.replace(b"abc", b"xyz", 1), headers=signed, timeout=30)
    assert damaged.status_code == 400
    assert "<Code>BadDigest</Code>" in damaged.text
    assert requests.put(url, whole[:-60], headers=signed, timeout=30).status_code == 400


def test_what_is_not_there(s3: Any) -> None:
    with pytest.raises(ClientError) as got:
        s3.get_object(Bucket=BUCKET, Key="none.csv")
    assert got.value.response["Error"]["Code"] == "NoSuchKey"
    with pytest.raises(ClientError) as headed:
        s3.head_object(Bucket="never-used", Key="none.csv")
    assert headed.value.response["Error"]["Code"] == "404"
    with pytest.raises(ClientError) as copied:
        s3.copy_object(Bucket=BUCKET, Key="b.csv", CopySource=f"{BUCKET}/none.csv")
    assert copied.value.response["Error"]["Code"] == "NoSuchKey"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"aws_secret_access_key": "another"}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "another"}, "SignatureDoesNotMatch"),
    ],
)
def test_who_has_not_the_secret_is_refused(address: str, parts: Parts, options: dict[str, str], code: str) -> None:
    stranger = _client(address, parts, **options)
    with pytest.raises(ClientError) as refused:
        stranger.put_object(Bucket=BUCKET, Key="mine.csv", Body=io.BytesIO(b"x"))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_unsigned_and_changed_requests_are_refused(address: str, parts: Parts) -> None:
    url = f"{address}/{BUCKET}/changed.csv"
    assert requests.get(url, timeout=30).status_code == 403
    assert requests.put(url, b"x", headers={"Authorization": "Bearer x"}, timeout=30).status_code == 400
    signed = _signed(parts, "PUT", url, {"x-amz-meta-valid": "False"}, body=b"one")
    assert requests.put(url, b"one", headers=signed, timeout=30).status_code == 200
    assert requests.put(url, b"two", headers=signed, timeout=30).status_code == 400
    assert requests.put(url, b"one", headers=signed | {"x-amz-meta-valid": "True"}, timeout=30).status_code == 403
    assert requests.put(url, b"one", headers=signed | {"x-amz-meta-more": "True"}, timeout=30).status_code == 403
    assert requests.get(url, headers=signed, timeout=30).status_code == 403
    assert requests.put(f"{url}?x=1", b"one", headers=signed, timeout=30).status_code == 403
    assert parts.objects.bucket(BUCKET).info("changed.csv").details.metadata == {"valid": "False"}


@pytest.mark.parametrize("path", ["UPPER/x", "a..b/x", "abc/%2e%2e/x", f"abc/{'x' * 300}"])
def test_names_that_cannot_be(address: str, parts: Parts, path: str) -> None:
    url = f"{address}/{path}"
    answer = requests.Session().put(url, b"x", headers=_signed(parts, "PUT", url, {}, body=b"x"), timeout=30)
    assert 400 <= answer.status_code < 500


def test_it_is_for_development_only(parts: Parts, tmp_path: Any) -> None:
    app = create_app(parts.settings.changed(**PRODUCTION))
    try:
        assert app.test_client().get("/objects/abc/x").status_code == 404
    finally:
        app.extensions[EXTENSION].close()


def _signed(
    parts: Parts, method: str, url: str, headers: dict[str, str], *, body: bytes = b"", chunks: bool = False
) -> dict[str, str]:
    """The headers of a request that the admin app signed now."""
    asked = AWSRequest(method=method, url=url, data=body, headers=headers)
    if chunks:
        asked.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(*credentials_of(parts.settings)), "s3", "eu-west-1").add_auth(asked)
    return dict(asked.headers.items())
