"""The image's health check: what is asked depends on the type of process that the container runs.

A web process is asked for `/_status`, a worker for a connection to its port of metrics, where it has one. Beat keeps a
file in which it notes every three minutes when tasks ran last. Anything else is healthy while it runs. Nothing here
asks the database: a container that is started again does not bring one back (docs/running.md, "Liveness").
"""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 4
BEAT_SECONDS = 600
"""Beat writes its file every three minutes at the latest."""


def process_type(words: Sequence[str]) -> str:
    """The command of `notify` among the words of a command line; empty where there is none."""
    names = [Path(word).name for word in words]
    after = names[names.index("notify") + 1 :] if "notify" in names else []
    return next(iter(after), "")


def check(kind: str, environment: Mapping[str, str]) -> str | None:
    """Why a process of this type is not well; None if it is."""
    try:
        if kind == "web":
            port = environment.get("PORT") or "6011"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_status?simple=1", timeout=SECONDS) as answer:
                return None if answer.status == 200 else f"status {answer.status}"
        port = environment.get("WORKER_METRICS_PORT") or "0"
        if kind == "worker" and port != "0":
            with socket.create_connection(("127.0.0.1", int(port)), timeout=SECONDS):
                return None
        if kind == "beat":
            return _beat(Path(environment.get("NOTIFY_DATA_DIR") or ".notify") / "beat")
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _beat(folder: Path) -> str | None:
    age = min((time.time() - file.stat().st_mtime for file in folder.glob("schedule*")), default=None)
    if age is None:
        return f"there is no schedule in {folder}"
    return f"beat wrote nothing for {age:.0f} seconds" if age > BEAT_SECONDS else None


def main() -> None:
    """Check the process that the arguments name, or process 1."""
    words = sys.argv[1:] or Path("/proc/1/cmdline").read_text().split("\0")
    problem = check(words[0] if sys.argv[1:] else process_type(words), os.environ)
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
