"""The S3 settings of compose.yaml use its own store."""

from __future__ import annotations

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from notify.infra.objects import Details, Objects
from tests.deploy.product import DEPLOY, ROOT, variables


def test_files_and_buckets_are_at_the_endpoint_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = variables(DEPLOY / "notify.example.env")
    given = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["web"]["environment"]
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        for name in ("AWS_ALLOW_HTTP", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, given[name])
        assert given["AWS_ENDPOINT"].startswith("http://objects:")
        monkeypatch.setenv("AWS_ENDPOINT", address)
        monkeypatch.setenv("AWS_REGION", settings["AWS_REGION"])
        client = boto3.client("s3", endpoint_url=address)
        names = [settings["OBJECT_STORE_URL"].removeprefix("s3://"), settings["S3_BUCKET_CSV_UPLOAD"]]
        for name in names:
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": settings["AWS_REGION"]})
        objects = Objects(settings["OBJECT_STORE_URL"])
        objects.put("documents/one", b"hello")
        assert objects.get("documents/one") == b"hello"
        objects.bucket(names[1]).put("two", b"rows", Details())
        assert [entry["Key"] for entry in client.list_objects_v2(Bucket=names[1])["Contents"]] == ["two"]
    finally:
        server.stop()
