"""How everything does next to fifty million messages: `python -m bench.scale load FOLDER`, then
`python -m bench.scale compare FOLDER [names]`. Remove the folder by hand: `python -m bench.scale remove FOLDER`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final

from bench.scale import fill, flows, nightly, reads
from bench.scale.databases import SIDES, Cluster, Days, running
from bench.scale.rows import LARGEST, PROBE
from bench.stack import remove_database

NAMES: Final = ("reads", "largest", "worn", "flows", "facts", "retention")


def load(cluster: Cluster, options: argparse.Namespace) -> None:
    """Fill the databases."""
    days, began = Days(cluster.folder), time.perf_counter()
    due, day = options.a_day, options.a_day
    spans = {kind: fill.live_spans(days, kind, options.a_day) for kind in ("due", "day", "probe")}
    rest = fill.live_spans(days, "rest", options.live - due - day)
    kinds = {
        "empty": spans["probe"],
        "day": [*spans["due"], *spans["day"]],
        "full": [*spans["due"], *rest, *spans["day"], *spans["probe"]],
    }
    urls = {side: fill.prepare(cluster, side) for side in kinds}
    with ThreadPoolExecutor(1) as beside:  # both wait for the server most of the time
        live = [beside.submit(fill.fill_live, urls[side], chosen) for side, chosen in kinds.items()]
        number = fill.fill_history(cluster, urls["full"], options.history, options.years)
        print(f"{number:,} messages of history after {time.perf_counter() - began:.0f} s", flush=True)
        fill.fill_facts(urls["full"], days, options.years)
        for filling in live:
            filling.result()
    print(f"filled in {time.perf_counter() - began:.0f} s")
    for side, url in urls.items():
        print(f"{side}:\n{fill.describe(url)}", flush=True)


def compare(cluster: Cluster, options: argparse.Namespace) -> None:
    """Measure the sides in turns; what was measured so far is printed after each."""
    days = Days(cluster.folder)
    urls = {side: cluster.url(side) for side in SIDES}
    figures: dict[str, dict[str, list[float]]] = {}

    def note(side: str, measured: Mapping[str, float]) -> None:
        for name, value in measured.items():
            sides = figures.setdefault(name, {"small": [], "full": []})
            sides["full" if side == "full" else "small"].append(value)

    for turn in range(options.turns):
        print(f"turn {turn + 1}, load of the machine {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
        for what in options.names or NAMES:
            small = "day" if what in ("facts", "retention") else "empty"
            for side in (small, "full") if turn % 2 == 0 else ("full", small):
                note(side, _measure(cluster, what, urls[side], days, options, turn))
                print(f"  {what} of {side}: done", file=sys.stderr, flush=True)
        print_figures(figures)


def _measure(
    cluster: Cluster, what: str, url: str, days: Days, options: argparse.Namespace, turn: int
) -> Mapping[str, float]:
    if what == "flows":
        return flows.measure(cluster, url, options.seconds)
    if what == "reads":
        return reads.measure(url, PROBE, days.now)
    if what == "worn":
        reads.wear(url, days.midnight(0))
        worn = reads.measure(url, PROBE, days.now, only="dashboard")
        return {f"after changes, {name}": value for name, value in worn.items()}
    if what == "largest":
        largest = reads.measure(url, LARGEST, days.now)
        return {f"largest service, {name}": value for name, value in largest.items()}
    if what == "facts":
        return nightly.in_child(cluster, "facts", url, str(days.yesterday))
    due = nightly.in_child(cluster, "retention", url, days.now.isoformat())
    sizes = nightly.index_sizes(url)
    nightly.refill(cluster, url, options.a_day, turn + int(time.time()))
    return {**due, **{f"after retention, MiB: {name}": size for name, size in sizes.items()}}


def print_figures(figures: Mapping[str, Mapping[str, list[float]]]) -> None:
    """A table: medians, their ratio, and every turn."""
    print("| what | empty | full | ratio | turns |\n|---|---|---|---|---|")
    for name, sides in figures.items():
        small, full = (median(sides[side]) if sides[side] else 0.0 for side in ("small", "full"))
        ratio = f"{full / small:.2f}" if small else "-"
        turns = " / ".join(" ".join(f"{value:.4g}" for value in sides[side]) for side in ("small", "full"))
        print(f"| {name} | {small:.4g} | {full:.4g} | {ratio} | {turns} |")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("load", help="fill the databases")
    command.add_argument("folder", type=Path)
    command.add_argument("--history", type=int, default=45_000_000)
    command.add_argument("--live", type=int, default=5_000_000)
    command.add_argument(
        "--a-day", type=int, default=2_000_000, help="messages of yesterday, and of the day that is due"
    )
    command.add_argument("--years", type=int, default=2)
    command = commands.add_parser("compare", help="measure a database with nothing else in it and the full one")
    command.add_argument("folder", type=Path)
    command.add_argument("names", nargs="*", choices=[[], *NAMES], help="what to measure; nothing: all")
    command.add_argument("--turns", type=int, default=3)
    command.add_argument("--seconds", type=float, default=8)
    command.add_argument("--a-day", type=int, default=2_000_000, help="as for load")
    command = commands.add_parser("remove", help="remove the databases")
    command.add_argument("folder", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops the server
    if options.command == "remove":
        remove_database(options.folder)
        shutil.rmtree(options.folder, ignore_errors=True)
        return
    with running(options.folder) as cluster:
        (compare if options.command == "compare" else load)(cluster, options)


if __name__ == "__main__":
    main()
