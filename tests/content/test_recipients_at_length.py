"""Long texts of one kind that a parser might trip over, or go through again and again. A few of those in `tests/fuzz`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fuzz.targets_recipients import ALLOWED, TARGETS

MEGABYTE = 1_000_000
UNITS = [",", '"', "\n", "7", "UK\n"]


@pytest.mark.parametrize("read", [pytest.param(read, id=name) for name, read in TARGETS.items()])
def test_a_megabyte_is_read_or_refused(read: Callable[[str], object]) -> None:
    # nothing is timed: what takes more than a line's length for each line would take minutes here
    for unit in UNITS:
        try:
            read(unit * (MEGABYTE // len(unit)))
        except ALLOWED:
            continue
