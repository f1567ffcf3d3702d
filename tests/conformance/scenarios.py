"""Runs recorded scenarios with the suite's runner, and reports the differences."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import yaml

from tests.conformance.fixtures import DirectFixtures

HERE: Final = Path(__file__).parent
SUITE: Final = HERE / "suite"
EXPECTED: Final = HERE / "expected.txt"
LONGEST: Final = 1200


@dataclass(frozen=True)
class Scenario:
    """A recorded conversation. `name` is `area / scenario`, as `expected.txt` lists it."""

    area: str
    name: str
    content: dict[str, Any]


@dataclass
class Outcome:
    """How a scenario went: how many of its steps were answered as recorded, and which were not."""

    scenario: Scenario
    steps: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every step was answered as recorded."""
        return not self.failures


@dataclass(frozen=True)
class Failure:
    """A step that was answered otherwise. `asked` and `answered` are empty where nothing was asked."""

    step: str
    differences: list[str]
    asked: str = ""
    answered: str = ""

    def text(self) -> str:
        """For people: what was asked, what was answered, where that differs."""
        lines = [f"step: {self.step}"]
        lines += [f"asked: {self.asked}"] if self.asked else []
        lines += [f"answered: {self.answered}"] if self.answered else []
        return "\n".join(lines + [f"  {line}" for line in self.differences])


@cache
def _runner() -> ModuleType:
    """The suite's own program, which is not a module of ours."""
    spec = importlib.util.spec_from_file_location("conformance_runner", SUITE / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def all_scenarios() -> list[Scenario]:
    """Every scenario of the suite, by area."""
    return list(_read())


def _read() -> Iterator[Scenario]:
    for folder in ("scenarios", "scenarios_2020"):
        for path in sorted((SUITE / folder).glob("*.yaml")):
            content = yaml.safe_load(path.read_text())
            for scenario in content["scenarios"]:
                yield Scenario(path.stem, f"{path.stem} / {scenario['scenario']}", scenario)


def chosen(words: Sequence[str]) -> list[Scenario]:
    """The scenarios of the areas with these names; a word with a slash names one scenario by its beginning; no words
    stand for all. Raises `KeyError` for a word that names nothing.
    """
    if not words:
        return all_scenarios()
    found: list[Scenario] = []
    for word in words:
        exact = [each for each in all_scenarios() if each.area == word]
        named = [each for each in all_scenarios() if "/" in word and each.name.startswith(word)]
        near = [each for each in all_scenarios() if word in each.area]
        matches = exact or named or near
        if not matches:
            raise KeyError(word)
        found += matches
    return list({each.name: each for each in found}.values())


def expected() -> list[str]:
    """The names of the scenarios that must pass."""
    lines = EXPECTED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def add_expected(names: Sequence[str]) -> None:
    """Put more names on the list, in the suite's order."""
    known = {*expected(), *names}
    order = [each.name for each in all_scenarios() if each.name in known]
    head = [line for line in EXPECTED.read_text().splitlines() if line.startswith("#")]
    EXPECTED.write_text("\n".join([*head, *order]) + "\n")


def run(scenario: Scenario, target: Path, *, verbose: bool = False, direct: DirectFixtures | None = None) -> Outcome:
    """Replay a scenario against the product that `target` describes; `direct` makes its fixtures without the API."""
    runner = _runner()
    fixtures = yaml.safe_load((SUITE / "fixtures.yaml").read_text())
    outcome = Outcome(scenario)
    last: list[tuple[str, str]] = []

    class Watched(runner.Run):  # type: ignore[name-defined,misc]
        """Remembers the last request of a step."""

        def _use(self, name: str) -> None:
            if direct is None or not direct.can_make(name):
                super()._use(name)
            elif name not in self.done:
                for needed in self.fixtures[name].get("use", []):
                    self._use(needed)
                self._save(direct.make(name, self.values))
                self.done.add(name)

        def _act(self, step: dict[str, Any], compare: bool) -> list[str]:
            last.clear()
            return super()._act(step, compare)  # type: ignore[no-any-return]

        def _ask(self, method: str, step: dict[str, Any]) -> Any:
            answer = super()._ask(method, step)
            sent = answer.request.body
            body = sent.decode(errors="replace") if isinstance(sent, bytes) else sent or ""
            last[:] = [(f"{method.upper()} {answer.request.path_url} {body}"[:LONGEST], _shown(answer))]
            return answer

        def _step(self, step: dict[str, Any]) -> list[str]:
            outcome.steps += 1
            differences: list[str] = super()._step(step)
            if differences:
                asked, answered = last[0] if last else ("", "")
                outcome.failures.append(Failure(step["do"], differences, asked, answered))
            return differences

    watched = Watched(runner.Target.load(target), fixtures, False, verbose)
    noted = {step: differences for step, differences in watched.scenario(scenario.content) if differences}
    known = {failure.step for failure in outcome.failures}
    for step, differences in noted.items():  # steps that ended in an exception, such as those after a broken fixture
        if step not in known:
            asked, answered = last[0] if last else ("", "")
            outcome.failures.append(Failure(_place(step, differences), differences, asked, answered))
    outcome.steps = max(outcome.steps, len(scenario.content["steps"]))
    return outcome


def _place(step: str, differences: list[str]) -> str:
    return "(before the first one)" if differences[0].startswith("not reached: fixture") else step


def _shown(answer: Any) -> str:
    try:
        body = json.dumps(answer.json(), ensure_ascii=False)
    except ValueError:
        body = answer.text
    return f"{answer.status_code} {body}"[:LONGEST]
