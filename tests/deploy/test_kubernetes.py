"""The manifests for Kubernetes, without a cluster."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from notify.app import create_app
from notify.public.metrics_page import SystemStateCollector
from notify.queues import QUEUES
from tests.api import Api
from tests.deploy.product import BUCKETS, DEPLOY, IMAGE, parse, queues_served, start, unknown, variables

FOLDER = DEPLOY / "kubernetes"


def documents(*names: str) -> list[dict[str, Any]]:
    """The objects of these files, or of all but the kustomizations."""
    files = [FOLDER / name for name in names] or [
        path for path in sorted(FOLDER.rglob("*.yaml")) if path.name != "kustomization.yaml"
    ]
    return [found for file in files for found in yaml.safe_load_all(file.read_text()) if found]


def workloads() -> list[dict[str, Any]]:
    return [one for one in documents() if one["kind"] in ("Deployment", "StatefulSet", "Job")]


def pods() -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in workloads()}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def environment(pod: dict[str, Any]) -> dict[str, str]:
    own = {one["name"]: one["value"] for one in container(pod).get("env", ())}
    example = variables(DEPLOY / "notify.example.env")
    return example | variables(FOLDER / "settings" / "notify.env") | own | IMAGE


def test_every_file_belongs_to_a_kustomization_and_every_name_of_one_is_a_file() -> None:
    for file in FOLDER.rglob("kustomization.yaml"):
        found = yaml.safe_load(file.read_text())
        named = {*found.get("resources", ()), *found.get("components", ())}
        assert all((file.parent / name).exists() for name in named), file
        assert {path.name for path in file.parent.glob("*.yaml")} == {
            "kustomization.yaml",
            *(name for name in named if name.endswith(".yaml")),
        }


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_their_form_is_that_of_kubernetes(version: str) -> None:
    """What KEDA and the Prometheus Operator add has no schema here."""
    others = set()
    for one in documents():
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            others.add(one["kind"])
    assert others == {"ScaledObject", "PodMonitor"}
    wrong = documents("base/web.yaml")[0]
    wrong["spec"]["template"]["spec"]["containers"][0]["comand"] = ["web"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("name", ["settings", "migrate", "base", "example"])
def test_kustomize_puts_them_together(name: str) -> None:
    done = subprocess.run(["kubectl", "kustomize", FOLDER / name], capture_output=True, text=True, check=True)
    made = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert {one["metadata"].get("namespace", "notify") for one in made} == {"notify"}
    for one in made:
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            first = one["spec"]["template"]["spec"]["containers"][0]
            assert first["image"] == "registry.example.org/notify:0.1.0"
            assert re.fullmatch(r"notify-settings-\w+", first["envFrom"][0]["configMapRef"]["name"])
    if name == "example":
        scaled = {one["spec"]["scaleTargetRef"]["name"] for one in made if one["kind"] == "ScaledObject"}
        counted = {one["metadata"]["name"] for one in made if one["kind"] == "Deployment" and "replicas" in one["spec"]}
        assert scaled
        assert not scaled & counted


def test_every_command_exists_and_every_queue_is_served() -> None:
    commands = {name: container(pod)["args"] for name, pod in pods().items()}
    kinds = {name: parse(words)[0] for name, words in commands.items()}
    assert (kinds["web"], kinds["internal"], kinds["migrate"], kinds["beat"]) == ("web", "web", "db upgrade", "beat")
    assert queues_served(commands.values()) == set(QUEUES)
    (beat,) = documents("base/beat.yaml")
    assert (beat["kind"], beat["spec"]["replicas"]) == ("StatefulSet", 1)


def test_every_process_starts_with_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not unknown(variables(FOLDER / "settings" / "notify.env"))
    for name, pod in pods().items():
        found = environment(pod)
        assert not unknown(found), name
        settings = start(monkeypatch, found)
        ports = {one["name"]: one["containerPort"] for one in container(pod).get("ports", ())}
        if container(pod)["args"] == ["web"]:
            assert ports == {"http": settings.port}
            assert settings.apis == (("internal", "template_preview") if name == "internal" else ("public",))
            assert pod["terminationGracePeriodSeconds"] > settings.web_request_seconds + 10
        elif container(pod)["args"][0] == "worker":
            assert ports == {"metrics": settings.worker_metrics_port}
            assert pod["terminationGracePeriodSeconds"] > settings.worker_stop_seconds


def test_every_probe_is_answered(api: Api) -> None:
    clients = {
        "web": create_app(api.parts.settings, apis=["public"]).test_client(),
        "internal": create_app(api.parts.settings, apis=["internal", "template_preview"]).test_client(),
    }
    for name, client in clients.items():
        running = container(pods()[name])
        probes = [running[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
        assert [client.get(probe["path"]).status_code for probe in probes] == [200, 200, 200]
        assert {probe["port"] for probe in probes} == {"http"}
        assert client.get("/metrics").status_code == 200


def test_nothing_runs_as_root_or_writes_beside_its_folders() -> None:
    for name, pod in pods().items():
        security, own = pod["securityContext"], container(pod)["securityContext"]
        assert security["runAsNonRoot"], name
        assert security["runAsUser"] == 10001
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert own["readOnlyRootFilesystem"]
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert own["allowPrivilegeEscalation"] is False
        assert pod["automountServiceAccountToken"] is False
        claims = next(one for one in workloads() if one["metadata"]["name"] == name)["spec"].get("volumeClaimTemplates")
        volumes = {one["name"] for one in pod["volumes"]} | {one["metadata"]["name"] for one in claims or ()}
        assert {one["name"] for one in container(pod)["volumeMounts"]} == volumes


def test_selectors_find_what_they_mean() -> None:
    pods_by_labels = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"].items() for one in workloads()
    }
    for one in documents():
        name, spec = one["metadata"]["name"], one.get("spec", {})
        if one["kind"] in ("Deployment", "StatefulSet"):
            assert spec["selector"]["matchLabels"].items() <= pods_by_labels[name]
        if one["kind"] == "Service":
            assert spec["selector"].items() <= pods_by_labels[name]
        if one["kind"] == "PodDisruptionBudget":
            assert spec["selector"]["matchLabels"].items() <= pods_by_labels[name]
        if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            assert spec["scaleTargetRef"]["name"] in pods_by_labels


def test_workers_grow_by_the_age_of_their_own_queues(api: Api) -> None:
    metrics = {family.name: family for family in SystemStateCollector(api.parts).collect()}
    assert {sample.labels["queue"] for sample in metrics["queue_oldest_age_seconds"].samples} == set(QUEUES)
    scaled = documents("queue-age/scaling.yaml")
    assert scaled
    for one in scaled:
        (trigger,) = one["spec"]["triggers"]
        found = re.fullmatch(r'max\((\w+)\{namespace="notify", queue=~"([^"]+)"\}\)', trigger["metadata"]["query"])
        assert found is not None
        assert found[1] in metrics
        served = queues_served([container(pods()[one["spec"]["scaleTargetRef"]["name"]])["args"]])
        assert set(found[2].split("|")) == served
        assert float(trigger["metadata"]["threshold"]) > 0


def test_every_bucket_is_named_and_no_secret_is_among_the_settings() -> None:
    names = variables(Path(FOLDER / "settings" / "notify.env"))
    assert set(names) >= BUCKETS
    assert [
        name for name in names if "SECRET" in name or name.endswith(("_KEY", "_KEYS", "_TOKEN", "_SALT", "_URI"))
    ] == []
