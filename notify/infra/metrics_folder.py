"""The folder in which the processes of a host share their metrics. Call `settle` before `metrics` is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that the library reads: only from the environment."""


def share(folder: str | Path) -> None:
    """Keep metrics in `folder` from now on, in child processes too. Other processes of this host may share it.

    Raises `OSError` where it cannot be made.
    """
    # other accounts have no access
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.pop(VARIABLE.lower(), None)  # the older spelling, which the library would use as well
    os.environ[VARIABLE] = str(folder)


def share_for_now() -> None:
    """Keep metrics in a temporary folder of this process and its children. It is deleted when this process ends."""
    folder = tempfile.mkdtemp(prefix="notify-metrics-")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and not when a forked child ends
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    share(folder)


def settle() -> None:
    """Keep metrics in the folder of the environment; in memory if there is none, or it cannot be used."""
    folder = os.environ.get(VARIABLE) or os.environ.get(VARIABLE.lower())
    # the library would take an empty value for a folder, too
    for name in (VARIABLE, VARIABLE.lower()):
        os.environ.pop(name, None)
    if folder:
        with suppress(OSError):
            share(folder)
