"""The database of tests of migrations."""

from __future__ import annotations

import pytest

from notify.infra.parts import Parts


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Migrations change tables, and commit."""
    return own_parts
