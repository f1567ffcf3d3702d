"""The short form of `make chaos`: four processes are killed under light load, while the providers fail sometimes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chaos.run import line, run_scenarios
from chaos.scenarios import short


def test_nothing_is_lost(tmp_path: Path) -> None:
    (verdict,) = asyncio.run(
        run_scenarios(
            tmp_path, {"short": short}, seed="1", seconds=10, rate=15, workers=1, web_processes=1, write_seconds=10
        )
    )
    told = line(verdict)
    assert verdict.violations == [], told
    assert verdict.duplicates <= verdict.bound, told
    assert len(verdict.record.accepted) > 10, told
    assert verdict.handed_over >= len(verdict.record.accepted), told
