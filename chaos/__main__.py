"""Proof that nothing is lost: `make chaos`, or `python -m chaos [--only NAME ...] [--seconds N] [--seed N]`.

Runs the product under load and makes trouble; then every message that was answered with 201 must have been handed to a
provider and have the status that the provider reported. Exit code 1, with ids, where that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from chaos.run import HEADER, LEGEND, line, run_scenarios
from chaos.scenarios import SCENARIOS


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(SCENARIOS), help=", ".join(SCENARIOS))
    parser.add_argument("--seconds", type=float, default=20, help="length of a scenario (default 20)")
    parser.add_argument("--seed", type=int, help="makes the same choices again")
    parser.add_argument("--rate", type=float, default=40, help="messages a second (default 40)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    parser.add_argument("--keep", action="store_true", help="keep the logs, which are kept of a failed run anyway")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10_000)
    folder = Path(tempfile.mkdtemp(prefix="notify-chaos-"))
    print(f"seed {seed}, {options.rate:g} messages a second, {options.workers} workers; logs in {folder}/logs\n")
    print(HEADER, flush=True)
    scenarios = {name: SCENARIOS[name] for name in options.only or SCENARIOS}
    verdicts = asyncio.run(
        run_scenarios(
            folder,
            scenarios,
            seed=str(seed),
            seconds=options.seconds,
            rate=options.rate,
            workers=options.workers,
            each=lambda verdict: print(line(verdict), flush=True),
        )
    )
    print(f"\n{LEGEND}")
    violations = sum(len(verdict.violations) for verdict in verdicts)
    print(f"\n{violations} violations" if violations else "\nnothing was lost")
    if not (violations or options.keep):
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(bool(violations))


if __name__ == "__main__":
    main()
