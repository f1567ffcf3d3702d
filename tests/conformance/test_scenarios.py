"""The recorded scenarios of `expected.txt` pass against the running product: listed ones must keep passing."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance import scenarios
from tests.conformance.fixtures import DirectFixtures
from tests.conformance.product import conformance_target


def test_the_scenarios_that_are_listed_pass(tmp_path: Path) -> None:
    known = {each.name: each for each in scenarios.all_scenarios()}
    broken = []
    with conformance_target(tmp_path / "data") as target:
        direct = DirectFixtures(Path(json.loads(target.read_text())["folder"]))
        for name in scenarios.expected():
            outcome = scenarios.run(known[name], target, direct=direct)
            broken += [f"{name}\n{failure.text()}" for failure in outcome.failures]
        direct.close()
    assert not broken, "\n\n".join(broken)


def test_the_list_names_scenarios_once_and_in_order() -> None:
    known = [each.name for each in scenarios.all_scenarios()]
    assert len(known) == len(set(known))
    assert scenarios.expected() == [name for name in known if name in set(scenarios.expected())]
