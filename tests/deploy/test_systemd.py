"""The units for systemd."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from notify.queues import ROLES
from tests.deploy.product import DEPLOY, parse, start, unknown, variables

FOLDER = DEPLOY / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_of_the_product_with_its_settings(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = directives(unit)
    (line,) = found["ExecStart"]
    program, *words = line.replace("%i", "sender").split()
    assert program == "/opt/notify/bin/notify"
    kind, _ = parse(words)
    own = dict(pair.split("=", 1) for line in found["Environment"] for pair in line.split())
    assert not unknown(own)
    settings = start(monkeypatch, variables(DEPLOY / "notify.example.env") | own)
    if kind == "worker":
        assert int(found["TimeoutStopSec"][0]) > settings.worker_stop_seconds
    assert found["User"] == ["notify"]
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] == [""]


def test_there_is_one_for_every_type_of_process_and_none_shares_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [
        parse(directives(unit)["ExecStart"][0].replace("%i", role).split()[1:]) for unit in UNITS for role in ROLES
    ]
    assert {kind for kind, _ in kinds} == {"web", "worker", "beat", "db upgrade"}
    ports = []
    for name in ("notify-web.service", "notify-internal.service"):
        own = dict(pair.split("=", 1) for line in directives(FOLDER / name)["Environment"] for pair in line.split())
        ports.append(start(monkeypatch, variables(DEPLOY / "notify.example.env") | own).port)
    assert len(set(ports)) == 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_them(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        # it looks whether the program is there
        text = file.read_text().replace("/opt/notify/bin/notify", "/bin/true")
        (tmp_path / file.name.replace("@.", "@sender.")).write_text(text)
    names = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in names)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to" in done.stderr and "manager" in done.stderr:
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.strip()}")
    assert [line for line in done.stderr.splitlines() if any(name in line for name in names)] == []
    assert done.returncode == 0
