from __future__ import annotations

import pytest

from notify.letters.render.renderer import LetterRenderer
from tests.letters.render.recorded import renderer


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> LetterRenderer:
    """A renderer with the recorded logos and no fonts but ours."""
    return renderer(tmp_path_factory.mktemp("logos"))
