"""compose.yaml: its form as far as it can be checked without an engine, and its names."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from notify.queues import QUEUES
from tests.deploy.product import BUCKETS, DEPLOY, IMAGE, ROOT, parse, queues_served, start, unknown, variables

CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
# of the Compose specification, what this file uses
KEYS = {
    "build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment", "healthcheck",
    "image", "init", "ports", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "user",
    "volumes",
}  # fmt: skip
SERVERS = ("postgres", "valkey", "objects", "buckets")


@pytest.fixture(scope="module")
def file() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def ours(file: Any) -> dict[str, Any]:
    return {name: service for name, service in file["services"].items() if name not in SERVERS}


def test_its_form_is_that_of_compose(file: Any) -> None:
    services = file["services"]
    used = set()
    for name, service in services.items():
        assert set(service) <= KEYS, name
        assert service.get("image") or service.get("build"), name
        for other, wanted in service.get("depends_on", {}).items():
            assert set(wanted) == {"condition"}
            assert wanted["condition"] in CONDITIONS
            if wanted["condition"] == "service_healthy":
                assert services[other]["healthcheck"]["test"]
            if wanted["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no"
        used |= {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert all(isinstance(value, str) for value in service.get("environment", {}).values()), name
    assert used == set(file["volumes"])


def test_every_command_exists_and_every_queue_is_served(ours: dict[str, Any]) -> None:
    kinds = {name: parse(service["command"])[0] for name, service in ours.items()}
    assert {"web", "worker", "beat", "db upgrade"} == set(kinds.values())
    assert list(kinds.values()).count("beat") == 1
    assert ours["beat"]["deploy"]["replicas"] == 1
    assert queues_served(service["command"] for service in ours.values()) == set(QUEUES)


def test_every_process_starts_with_the_example_of_settings(
    ours: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    common = variables(DEPLOY / "notify.example.env")
    assert not unknown(common)
    for name, service in ours.items():
        assert not unknown(service["environment"]), name
        settings = start(monkeypatch, common | service["environment"] | IMAGE)
        ports = [mapping.split(":")[-1] for mapping in service.get("ports", ())]
        if ports:
            assert ports == [str(settings.port)]
            assert settings.apis == (("internal", "template_preview") if name == "internal" else ("public",))
        if service["command"][0] == "worker":
            assert settings.worker_metrics_port
            assert int(service["stop_grace_period"].removesuffix("s")) > settings.worker_stop_seconds
    ports = [service["ports"] for service in ours.values() if "ports" in service]
    assert len(ports) == len({str(one) for one in ports}) == 2


def test_ours_run_without_root_and_after_the_migration(ours: dict[str, Any]) -> None:
    for name, service in ours.items():
        assert service["user"] == "10001:10001"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        if name != "migrate":
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_bucket_of_the_settings_is_made(file: Any) -> None:
    script = file["services"]["buckets"]["command"][0]
    assert BUCKETS
    assert [name for name in BUCKETS if f"$${name}" not in script] == []


def test_no_secret_is_in_it(file: Any) -> None:
    for service in file["services"].values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(("PASSWORD", "SECRET_ACCESS_KEY")) or ("://" in value and "@" in value):
                assert "${" in value, name
