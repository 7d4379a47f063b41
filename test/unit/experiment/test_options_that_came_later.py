"""An option that a strategy did not always have: new searches have it, those frozen before go on without."""

from __future__ import annotations

import json
from typing import Any

import pytest
from desk import EXPERIMENT, Desk

from comparator.experiment.strategy import make_strategy_of
from comparator.results.frozen import FrozenStrategy
from comparator.space import ParameterSpace
from comparator.strategies import Proposal, make_strategy

SPACE = ParameterSpace.from_entries(
    [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in ("x", "y", "z")], "space"
)


def search(desk: Desk, identifier: str, **keys: object) -> dict[str, Any]:
    """Carry a search with these keys out; the options of its strategy as they are frozen."""
    head, _ = EXPERIMENT.split("[search]")
    table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    desk.write("quick.toml", f'{head}[search]\n{table}[cmp]\nmetric = "val_loss"\n')
    done = desk.search("quick.toml", "--workers", "1", "--id", identifier)
    assert done.returncode == 0, done.stderr
    return frozen(desk, identifier)["strategy"]["options"]


def frozen(desk: Desk, identifier: str) -> dict[str, Any]:
    return json.loads((desk.experiments / identifier / "experiment.json").read_text())


def searched(desk: Desk) -> list[dict[str, Any]]:
    return [line["point"] for line in desk.records("old") if line["stage"] == "search"]


@pytest.mark.long
@pytest.mark.parametrize("find", ["maximum", "both"])
def test_a_search_that_was_frozen_before_an_option_was_there_is_resumed(desk: Desk, find: str) -> None:
    search(desk, "old", find=find, evaluations=20, main_effects=False)
    whole = searched(desk)
    folder, said = desk.experiments / "old", frozen(desk, "old")
    del said["strategy"]["options"]["main_effects"]
    (folder / "experiment.json").write_text(json.dumps(said))
    lines = (folder / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (folder / "evaluations.jsonl").write_text("".join(lines[:15]))
    resumed = desk.search("--resume", "old")
    assert resumed.returncode == 0, resumed.stderr
    assert searched(desk) == whole


@pytest.mark.long
def test_a_new_search_says_which_options_it_has_and_how_long_it_is(desk: Desk) -> None:
    assert search(desk, "one", evaluations=4) == {"main_effects": True}
    assert search(desk, "two", strategy="bayesian", generations=1, population=4) == {"main_effects": True}
    assert search(desk, "three", find="both", evaluations=8) == {"main_effects": True, "total": 8}


def test_what_a_frozen_search_does_not_say_is_what_it_was_before() -> None:
    def points(options: dict[str, Any], *, is_frozen: bool) -> list[Proposal]:
        if is_frozen:
            strategy = make_strategy_of(FrozenStrategy(name="bayesian", options=options), None, SPACE)
        else:
            strategy = make_strategy("bayesian", SPACE, seed=1, in_flight=1, options=options)
        waiting = strategy.start()
        for number in range(14):
            waiting += strategy.tell(number, sum(waiting[number].point.values()))
        return waiting

    assert points({}, is_frozen=True) == points({"main_effects": False}, is_frozen=False)
    assert points({"main_effects": True}, is_frozen=True) == points({}, is_frozen=False)
    assert points({}, is_frozen=True) != points({}, is_frozen=False)
