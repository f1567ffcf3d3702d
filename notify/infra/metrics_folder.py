"""The folder in which the processes of a host count together. To be settled before `metrics` is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the library looks, in the environment and nowhere else."""


def share(folder: str | Path) -> None:
    """Count in `folder` from now on, and so do child processes. Others may count there too, if they run on this host.

    Raises `OSError` where it cannot be made.
    """
    # processes of other accounts have no business there
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.pop(VARIABLE.lower(), None)  # the older spelling, which the library would use as well
    os.environ[VARIABLE] = str(folder)


def share_for_now() -> None:
    """Count in a folder of this process's own and its children's, that goes when this process ends."""
    folder = tempfile.mkdtemp(prefix="notify-metrics-")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and not at a forked child's end
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    share(folder)


def settle() -> None:
    """Count where the environment says; in the memory of each process, where that is nowhere, or cannot be used."""
    folder = os.environ.get(VARIABLE) or os.environ.get(VARIABLE.lower())
    # the library takes an empty one for a folder, too
    for name in (VARIABLE, VARIABLE.lower()):
        os.environ.pop(name, None)
    if folder:
        with suppress(OSError):
            share(folder)
