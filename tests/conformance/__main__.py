"""Replay recorded conversations against the product, started for it.

python -m tests.conformance services users         two areas (scenarios/<area>.yaml)
python -m tests.conformance "users / register"     the scenarios of an area whose names begin so
python -m tests.conformance --expected             all that must pass
python -m tests.conformance --all-steps services   every differing step, not only the first of a scenario
python -m tests.conformance --add services         put what passes on the list of what must pass
python -m tests.conformance --target FILE ...      against a product that runs already (suite/README.md)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.conformance import scenarios
from tests.conformance.fixtures import DirectFixtures
from tests.conformance.product import conformance_target
from tests.conformance.scenarios import Outcome, Scenario


def main() -> int:
    """Run the program; 0 when all that was asked for passed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", metavar="AREA")
    parser.add_argument("--expected", action="store_true", help="only scenarios that must pass")
    parser.add_argument("--all-steps", action="store_true", help="show every differing step of a scenario")
    parser.add_argument(
        "--direct", action="store_true", help="make users, services and templates through the rooms, not the API"
    )
    parser.add_argument("--add", action="store_true", help="put those that pass on the list of those that must")
    parser.add_argument("--verbose", action="store_true", help="show every request with its answer")
    parser.add_argument("--target", type=Path, help="a product that runs already")
    given = parser.parse_args()
    try:
        wanted = scenarios.chosen(given.areas)
    except KeyError as error:
        areas = ", ".join(dict.fromkeys(each.area for each in scenarios.all_scenarios()))
        parser.error(f"no area or scenario is called {error}; areas: {areas}")
    must_pass = set(scenarios.expected())
    wanted = [each for each in wanted if not given.expected or each.name in must_pass]
    with ExitStack() as stack:
        target = given.target
        if target is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
            folder.chmod(0o711)
            print("Starting the product …", flush=True)
            target = stack.enter_context(conformance_target(folder / "data"))
        direct = None
        if given.direct:
            os.environ.setdefault("NOTIFY_ENVIRONMENT", "test")
            direct = DirectFixtures(Path(json.loads(target.read_text())["folder"]))
            stack.callback(direct.close)
        outcomes = [_replay(each, target, given, direct) for each in wanted]
    if given.add:
        scenarios.add_expected([each.scenario.name for each in outcomes if each.passed])
    return _summary(outcomes, must_pass)


def _replay(scenario: Scenario, target: Path, given: argparse.Namespace, direct: DirectFixtures | None) -> Outcome:
    outcome = scenarios.run(scenario, target, verbose=given.verbose, direct=direct)
    good = outcome.steps - len(outcome.failures)
    print(f"{'pass' if outcome.passed else 'FAIL'}  {scenario.name}  ({good} of {outcome.steps} steps)", flush=True)
    for failure in outcome.failures if given.all_steps else outcome.failures[:1]:
        print("\n".join(f"      {line}" for line in failure.text().splitlines()), flush=True)
    return outcome


def _summary(outcomes: list[Outcome], must_pass: set[str]) -> int:
    passed, steps, good = Counter[str](), Counter[str](), Counter[str]()
    total = Counter(each.scenario.area for each in outcomes)
    for each in outcomes:
        area = each.scenario.area
        passed[area] += each.passed
        steps[area] += each.steps
        good[area] += each.steps - len(each.failures)
    print()
    for area in total:
        print(f"{area:24} {passed[area]:3} of {total[area]:3} scenarios, {good[area]:4} of {steps[area]:4} steps")
    broken = [each.scenario.name for each in outcomes if not each.passed and each.scenario.name in must_pass]
    for name in broken:
        print(f"MUST PASS, and does not: {name}")
    if len(total) > 1:
        print(
            f"{sum(passed.values())} of {len(outcomes)} scenarios, {sum(good.values())} of {sum(steps.values())} steps"
        )
    return 0 if all(each.passed for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
