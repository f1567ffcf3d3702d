"""A search for texts that parsers trip over: `python -m tests.fuzz [--seconds N] [--seed N] [--only WORD] [--no-long]`.

Targets are the functions in `TARGETS` of each module `tests.fuzz.targets_*`. First each of them reads a megabyte of
everything in `tests.fuzz.inputs` (of lines, a quarter). Of the marks that people lean on (`inputs.BARE`) that must take less than
a second of processor time; of the rest it may take longer if a quarter of the text takes about a quarter of the time.
That takes ten minutes or so. Then, for so many seconds, they read texts by chance. An error that the module does not allow
(`ALLOWED`) is a finding. The exit code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import sys
import time
import traceback
from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import tests.fuzz
from tests.fuzz import inputs

LONGEST_SECONDS = 1.0
LONGEST_LINEAR_SECONDS = 15.0
"""Of a text whose every few characters are a separate element: many of them are a large document."""
STRETCHED = 0.01
"""Of the texts by chance, so many are long."""
SHORT = 4000
SLOW = 0.05
"""What is quicker than this is not looked at again."""
LINES_LENGTH = inputs.MEGABYTE // 4
MOST_GROWTH = 7.0
"""How much longer than a quarter of it a text may take: four times is linear, sixteen times quadratic."""
MOST_KEPT = 2000


class Target(NamedTuple):
    """A function that must take any text, but for errors that say that a text is no good."""

    name: str
    read: Callable[[str], object]
    allowed: tuple[type[Exception], ...]


def find_targets(word: str = "") -> list[Target]:
    """The targets of all modules whose names have `word` in them."""
    modules = [
        importlib.import_module(f"tests.fuzz.{module.name}")
        for module in pkgutil.iter_modules(tests.fuzz.__path__)
        if module.name.startswith("targets_")
    ]
    targets = [
        Target(name, read, getattr(module, "ALLOWED", ()))
        for module in modules
        for name, read in module.TARGETS.items()
    ]
    return [target for target in targets if word.lower() in target.name.lower()]


class Search:
    """Tries texts, and counts and prints what it finds."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.findings = 0
        self.tried = 0
        self._seen: set[tuple[str, str]] = set()

    def read(self, target: Target, text: str, name: str = "") -> float:
        """The seconds of processor time that a target takes for a text."""
        self.tried += 1
        began = time.process_time()
        try:
            target.read(text)
        except target.allowed:
            pass
        except Exception:
            lines = traceback.format_exc().strip().splitlines()
            place = next((line for line in reversed(lines) if line.startswith("  File")), "")
            if (target.name, place) not in self._seen:
                self._seen.add((target.name, place))
                self._found(target, name or repr(text[:300]), lines[-1][:300] + place)
        return time.process_time() - began

    def megabytes(self, targets: list[Target]) -> None:
        """Everything that is long. What takes too long is tried again, as something else may have had the processor."""
        slowest = dict.fromkeys((target.name for target in targets), (0.0, ""))
        bare = {name for name, _ in inputs.repeated(inputs.BARE)}
        for name, text in chain(inputs.nested(), inputs.repeated(), inputs.repeated(inputs.LINES, LINES_LENGTH)):
            began = time.process_time()
            for target in targets:
                seconds = self.read(target, text, name)
                if seconds > LONGEST_SECONDS:
                    seconds = min(seconds, self.read(target, text, name))
                quarter = text[: len(text) // 4]
                if seconds > LONGEST_SECONDS and (name in bare or self._is_super_linear(target, quarter, seconds)):
                    self._found(target, name, f"{seconds:.2f} s for {len(text):,} characters")
                slowest[target.name] = max(slowest[target.name], (seconds, name))
            print(f"  {name}: {time.process_time() - began:.1f} s", flush=True)
        for target_name, (seconds, name) in slowest.items():
            print(f"  {target_name}: {seconds:.2f} s at most, for {name}", flush=True)

    def _is_super_linear(self, target: Target, quarter: str, seconds: float) -> bool:
        shortest = min(self.read(target, quarter), self.read(target, quarter))
        return seconds > LONGEST_LINEAR_SECONDS or seconds > MOST_GROWTH * shortest

    def by_chance(self, targets: list[Target], until: float) -> None:
        """Texts by chance; some are made of those before, a few are long."""
        kept = [""]
        while time.monotonic() < until:
            kind = self.chance.random()
            if kind < STRETCHED:
                self._stretch(targets, inputs.stretched(self.chance))
                continue
            if kind < 0.4:
                text = inputs.structured(self.chance)
            elif kind < 0.6:
                text = inputs.characters(self.chance)
            else:
                text = inputs.mutated(self.chance.choice(kept), self.chance)[:2000]
            if len(kept) < MOST_KEPT:
                kept.append(text)
            else:
                kept[self.chance.randrange(MOST_KEPT)] = text
            for target in targets:
                seconds = self.read(target, text)
                if seconds > LONGEST_SECONDS:
                    self._found(target, repr(text[:300]), f"{seconds:.2f} s for {len(text):,} characters")

    def _stretch(self, targets: list[Target], text: Callable[[int], str]) -> None:
        for target in targets:
            seconds = self.read(target, text(4 * SHORT))
            if seconds > SLOW and self._is_super_linear(target, text(SHORT), seconds):
                # so short a text may have been disturbed
                seconds = self.read(target, text(16 * SHORT))
                if self._is_super_linear(target, text(4 * SHORT), seconds):
                    self._found(target, repr(text(40)), f"{seconds:.2f} s for {len(text(16 * SHORT)):,} characters")

    def _found(self, target: Target, name: str, what: str) -> None:
        self.findings += 1
        print(f"FOUND {target.name}, {name}: {what}", flush=True)


def main() -> None:
    """Search, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long to read texts by chance")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="repeats a run's texts")
    parser.add_argument("--only", default="", metavar="WORD", help="targets with this in their names")
    parser.add_argument("--no-long", action="store_true", help="leave out the long texts")
    options = parser.parse_args()
    targets = find_targets(options.only)
    print(f"Seed {options.seed}, {len(targets)} targets: {', '.join(target.name for target in targets)}")
    search = Search(options.seed)
    if not options.no_long:
        search.megabytes(targets)
    search.by_chance(targets, time.monotonic() + options.seconds)
    print(f"{search.tried:,} texts read, {search.findings} findings")
    sys.exit(1 if search.findings else 0)


if __name__ == "__main__":
    main()
