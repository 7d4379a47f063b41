"""Strategies that are not the Comparator's: in a file of the user's own, or brought by an installed package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.space import ParameterSpace
from comparator.strategies import STRATEGIES, AlgorithmError, Strategy, make_strategy, strategy_code
from comparator.strategies.options import file_options
from comparator.strategies.own import find_file

SPACE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")

STEPS = '''
from typing import Literal
from pydantic import Field
from comparator.strategies.options import FilePath, StrategyOptions
from comparator.strategies.strategy import Strategy

class Steps(Strategy):
    """Evenly spaced points, one after the other."""

    class Options(StrategyOptions):
        step: float = Field(0.25, gt=0, lt=1, description="from a point to the next")
        way: Literal["up", "down"] = Field("up", description="where it goes")
        table: FilePath | None = Field(None, description="nothing")

    def __init__(self, space, seed, in_flight, options):
        self.step, self.at = options.step, 0.0

    def start(self):
        return [self._propose({"x": self.at})]

    def tell(self, number, value):
        self.at += self.step
        return [self._propose({"x": self.at})] if self.at <= 1 else []
'''


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file for a strategy; what is imported of it is forgotten."""
    yield tmp_path / "own_search.py"
    sys.modules.pop("own_search", None)


def made(file: Path, text: str, **options: object) -> Strategy:
    file.write_text(text)
    return make_strategy(str(file), SPACE, seed=2**40, in_flight=2, options=options)


def points(strategy: Strategy) -> list[float]:
    waiting, seen = strategy.start(), []
    while waiting:
        proposal = waiting.pop(0)
        seen.append(proposal.point["x"])
        waiting += strategy.tell(proposal.number, proposal.point["x"])
    strategy.close()
    return seen


def test_a_subclass_in_a_file_is_a_strategy(file: Path) -> None:
    assert points(made(file, STEPS)) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert points(made(file, STEPS, step=0.5)) == [0.0, 0.5, 1.0]
    assert file_options(find_file(str(file)).Options) == ["table"]


def test_what_a_file_imports_does_not_count(file: Path) -> None:
    text = "from comparator.strategies.sampling import SamplingStrategy, RandomPoints\n" + STEPS
    assert points(made(file, text)) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_subclass_of_another_one_in_the_file_is_the_one_that_counts(file: Path) -> None:
    text = STEPS + "\nclass Twice(Steps):\n    def start(self):\n        return super().start() + super().start()\n"
    assert points(made(file, text))[:2] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stap": 1}, "unknown option 'stap' (did you mean 'step'?); options: step, way"),
        ({"step": 2}, "'step' = 2 is not a number above 0 below 1"),
        ({"way": "left"}, "'way' = 'left' is not one of up, down"),
        ({"table": 3}, "'table' = 3 is not the path of a file"),
    ],
)
def test_its_options_are_checked_by_its_model(file: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        made(file, STEPS, **options)
    assert words in str(refusal.value)


ALGORITHM = """
import eqpy

def run():
    eqpy.OUT_put("Params")
    eqpy.OUT_put('{"x": %s}' % eqpy.IN_get())
    eqpy.IN_get()
    eqpy.OUT_put("DONE")
"""


def test_an_eqpy_module_gets_its_parameters_as_a_text(file: Path) -> None:
    assert points(made(file, ALGORITHM, parameters=0.5)) == [0.5]


@pytest.mark.parametrize(
    "text",
    [
        "import optuna\n\ndef sampler(seed):\n    return optuna.samplers.RandomSampler(seed=seed)\n",
        "from optuna.samplers import RandomSampler as sampler\n",
    ],
)
def test_a_function_or_class_that_gives_an_optuna_sampler_is_one(file: Path, text: str) -> None:
    strategy = made(file, text)
    assert len(strategy.start()) == 2
    again = made(file, text)
    assert [each.point for each in strategy.tell(0, 1.0)] == [each.point for each in again.start() and again.tell(0, 1)]


BROKEN = {
    "x = 1\n": "has no subclass of Strategy, no function 'run' and no function 'sampler'",
    "import no_such_module\n": "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
    "def f(:\n": "cannot be imported: SyntaxError",
    "def sampler(seed):\n    return 3\n": "'sampler' gives a int, not an Optuna sampler",
    "def sampler():\n    return 3\n": "cannot be made: TypeError: sampler() got an unexpected keyword argument 'seed'",
    STEPS + STEPS.replace("Steps", "Other"): "has 2 subclasses of Strategy, Steps and Other; a file has one",
    STEPS.replace("def tell", "def told"): "Steps has no 'tell'",
    STEPS.replace("in_flight, options", "options"): "cannot be made: TypeError",
    STEPS.replace("Options(StrategyOptions)", "Options"): "Steps.Options is no subclass of StrategyOptions",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_without_a_strategy_is_one_line(file: Path, text: str) -> None:
    with pytest.raises(InputError) as refusal:
        made(file, text)
    assert BROKEN[text] in str(refusal.value) and "\n" not in str(refusal.value)
    assert str(file) in str(refusal.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("None", "answered with something else than a list"),
        ("[{'x': 0.5}]", "answered with something else than a list"),
        ("[self._propose({'x': 0.5})] * 2", "answered with something else than a list"),
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
    ],
)
def test_what_it_does_wrong_is_one_line_with_its_name(file: Path, answer: str, words: str) -> None:
    strategy = made(file, STEPS.replace('[self._propose({"x": self.at})] if self.at <= 1 else []', answer))
    strategy.start()
    with pytest.raises(AlgorithmError, match="own_search.py' " + words):
        strategy.tell(0, 1.0)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"strategy: .*none.py: no such file"):
        make_strategy(str(tmp_path / "none.py"), SPACE, seed=1, in_flight=1, options={})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that brings strategies, as pip leaves it."""
    (tmp_path / "stepping.py").write_text(STEPS)
    (tmp_path / "asking.py").write_text(ALGORITHM)
    told = tmp_path / "stepping-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: stepping\nVersion: 1.0\n")
    lines = ["steps = stepping:Steps", "asks = asking", "gone = no_such_module", "wrong = stepping:Field"]
    (told / "entry_points.txt").write_text("\n".join(["[comparator.strategies]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("stepping", "asking"):
        sys.modules.pop(name, None)


def test_an_installed_package_brings_strategies_by_name(package: Path) -> None:
    assert {"steps", "asks"} <= set(STRATEGIES)
    assert points(make_strategy("steps", SPACE, seed=1, in_flight=1, options={"step": 0.5})) == [0.0, 0.5, 1.0]
    assert points(make_strategy("asks", SPACE, seed=1, in_flight=1, options={"parameters": "1"})) == [1]
    before = strategy_code("steps")
    (package / "stepping.py").write_text(STEPS + "\n")
    assert before is not None and strategy_code("steps") not in (None, before)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("stips", r"unknown strategy 'stips' \(did you mean 'steps'\?\); known: bayesian, .*steps.*, or a file"),
        (
            "gone",
            r"stepping: its entry point gone = 'no_such_module' of comparator.strategies cannot be imported",
        ),
        ("wrong", r"strategy wrong: Field is neither a subclass of Strategy nor a module"),
    ],
)
def test_what_a_package_does_not_bring_is_one_line(package: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_strategy(name, SPACE, seed=1, in_flight=1, options={})


def test_what_is_the_comparators_own_has_no_code_of_its_own(tmp_path: Path) -> None:
    assert strategy_code("bayesian") is None and strategy_code(str(tmp_path / "none.py")) is None
