"""The recorded PDFs and responses of the reference service (tests/conformance/suite/letters)."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

SUITE = Path(__file__).parent.parent / "conformance" / "suite" / "letters"


@cache
def _program() -> Any:
    """The suite's own program, which is no module of ours."""
    spec = importlib.util.spec_from_file_location("letters_make_pdfs", SUITE / "make_pdfs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def recorded_pdf(name: str) -> bytes:
    """One of the PDFs by its name."""
    pdf: bytes = _program().CASES[name][1]()
    return pdf


def answers(file: str) -> list[dict[str, Any]]:
    """The recorded answers of a file."""
    found: list[dict[str, Any]] = json.loads((SUITE / file).read_text(encoding="utf-8"))
    return found
