"""The recorded scenarios of `expected.txt` pass against the running product: one that is listed never fails again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import scenarios
from tests.conformance.product import conformance_target


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with conformance_target(tmp_path_factory.mktemp("conformance") / "data") as target:
        yield target


@pytest.mark.parametrize("name", scenarios.expected())
def test_a_scenario_that_is_listed_passes(name: str, target: Path) -> None:
    (scenario,) = (each for each in scenarios.all_scenarios() if each.name == name)
    outcome = scenarios.run(scenario, target)
    assert outcome.passed, "\n".join(failure.text() for failure in outcome.failures)


def test_the_list_names_scenarios_once_and_in_order() -> None:
    known = [each.name for each in scenarios.all_scenarios()]
    assert len(known) == len(set(known))
    assert scenarios.expected() == [name for name in known if name in set(scenarios.expected())]
