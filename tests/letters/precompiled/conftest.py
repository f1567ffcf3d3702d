"""One sanitiser for all tests, with real child processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.letters.precompiled.sanitiser import PdfSanitiser
from notify.letters.precompiled.workers import PdfWorkers


@pytest.fixture(scope="session")
def children() -> Iterator[PdfWorkers]:
    children = PdfWorkers(1)
    yield children
    children.close()


@pytest.fixture(scope="session")
def sanitiser(children: PdfWorkers) -> PdfSanitiser:
    return PdfSanitiser(children)
