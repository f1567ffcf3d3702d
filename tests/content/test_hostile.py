"""A megabyte of what parsers trip over is read in no time; `python -m tests.fuzz` reads much more. The limit is far above what it
takes, and far below what it would take if that grew with the square.
"""

import time

import pytest

from tests.fuzz.inputs import MEGABYTE, nested
from tests.fuzz.targets_text import TARGETS

LIMIT = 30


def in_time(name: str, text: str) -> None:
    began = time.process_time()
    TARGETS[name](text)
    assert time.process_time() - began < LIMIT


@pytest.mark.parametrize(
    "piece", ["((", "))", "((a??", "[", "[a](b)", "](", "*", ">", "^ ", "_", "`", "#", " ", "\n", "\\", "'"]
)
def test_a_megabyte_of_marks(piece: str) -> None:
    in_time("email", piece * (MEGABYTE // len(piece)))


@pytest.mark.parametrize(("name", "text"), [pytest.param(*made, id=made[0]) for made in nested()])
def test_a_megabyte_that_goes_deeper(name: str, text: str) -> None:
    in_time("letter" if "code" in name else "email as text", text)
