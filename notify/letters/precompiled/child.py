"""The child process that reads PDFs: `python -m notify.letters.precompiled.child`. `workers` starts it.

It reads jobs from its input and writes answers to its output (`frames`), until the input ends.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import psutil

from notify.letters.precompiled import frames
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError

MEMORY_BYTES: Final = 480 * 1024 * 1024
CPU_SECONDS: Final = 8
RESTING_BYTES: Final = 200 * 1024 * 1024
"""A child that still holds more than this is replaced after its job."""

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    """Answer jobs until there are no more."""
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries must not mix with the messages
    _set_limits()
    jobs = _jobs()
    while start := source.read(frames.LENGTHS_SIZE):
        text, size = frames.lengths(start)
        about = frames.parsed(source.read(text))
        _allow_cpu()
        answer, content = _answer(jobs, about, _exactly(source, size))
        if answer.get("error") == "memory" or _memory() > RESTING_BYTES:
            answer["last"] = True
        target.write(frames.packed(answer, content))
        target.flush()


def _answer(jobs: dict[str, Callable[..., Answer]], about: dict[str, Any], content: bytes) -> Answer:
    job = jobs[about.pop("job")]
    try:
        return job(content, **about)
    except PageMissingError:
        return {"error": "page-missing"}, b""
    except UnreadablePdfError as error:
        return {"error": error.reason}, b""
    except MemoryError:
        return {"error": "memory"}, b""
    except Exception as error:  # a faulty PDF can raise anything in the libraries
        return {"error": type(error).__name__}, b""


def _jobs() -> dict[str, Callable[..., Answer]]:
    from notify.letters.precompiled import engine

    return {
        "sanitise": engine.sanitise,
        "overlay": engine.overlay,
        "page-count": engine.page_count,
        "page-pdf": engine.page_pdf,
        "page-png": engine.page_png,
    }


def _exactly(source: BinaryIO, size: int) -> bytes:
    content = source.read(size)
    if len(content) < size:
        raise SystemExit(0)
    return content


def _set_limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + CPU_SECONDS, hard))


def _memory() -> int:
    """Resident memory in bytes. (The system's peak value would include the parent's.)"""
    size: int = psutil.Process().memory_info().rss
    return size


if __name__ == "__main__":
    main()
