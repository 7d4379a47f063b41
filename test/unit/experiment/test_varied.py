"""What is varied is what the models' descriptions allow, which is said before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from two_workers import host_in

from comparator.errors import InputError
from comparator.experiment.planning import plan_experiment
from comparator.model.described import HyperparameterDescription

DESCRIPTION = """
name = "Toy"
seed = "rng_seed"
[metrics.val_loss]
kind = "error"
[hyperparameters.noise]
type = "float"
minimum = 0
below = 100
[hyperparameters.kind]
type = "string"
choices = ["drug", "cell"]
[hyperparameters.called]
type = "list"
item_choices = ["a", "b"]
[hyperparameters.old]
effect = "none"
choices = [0]
"""
FILE = """
model = "{model}"
metric = "val_loss"
[search]
evaluations = 8
[space]
{space}
[set]
{given}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "train.sh").write_text("exit 1\n")
    (folder / "model.toml").write_text(DESCRIPTION)
    return folder


def planned(folder: Path, space: str, model: str = "toy", given: str = "") -> None:
    file = FILE.format(model=model, space=space, given=given)
    if model == "cmp":
        file = file.replace('metric = "val_loss"', "") + '[cmp]\nmetric = "val_loss"\nmodels = ["toy", "toy"]\n'
    (folder / "a.toml").write_text(file)
    plan_experiment(host_in(folder), folder / "a.toml", [], full=False, command="")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ('noise = { type = "float", lower = -1, upper = 5 }', "noise = -1.0: Toy says that it must be at least 0"),
        ('NOISE = { type = "float", lower = 0, upper = 100 }', "NOISE = 100.0: Toy says that it must be below 100"),
        (
            'kind = { type = "categorical", element_type = "string", values = ["cell", "drugs"] }',
            r"kind = 'drugs': Toy says that it must be drug or cell \(did you mean 'drug'\?\)",
        ),
    ],
)
def test_a_space_with_values_that_a_model_does_not_take_is_refused(
    tmp_path: Path, model: Path, space: str, said: str
) -> None:
    with pytest.raises(InputError, match=f"a.toml: space: {said}"):
        planned(tmp_path, space)


def test_what_a_model_takes_or_does_not_look_at_is_not_refused(tmp_path: Path, model: Path) -> None:
    planned(tmp_path, 'noise = { type = "float", lower = 0, upper = 99 }\nold = { type = "int", lower = 0, upper = 3 }')
    kinds = '{ type = "categorical", element_type = "string", values = ["cell", "other"] }'
    with pytest.raises(InputError, match="cmp_0_kind = 'other': Toy says"):
        planned(tmp_path, f"cmp_0_kind = {kinds}", "cmp", 'cmp_1_kind = "cell"')


def test_a_line_of_a_upf_is_looked_at_too(tmp_path: Path, model: Path) -> None:
    (tmp_path / "lines.txt").write_text('{"id": "1", "kind": "cell"}\n{"id": "2", "kind": "tissue"}\n')
    (tmp_path / "a.toml").write_text('model = "toy"\nmetric = "val_loss"\nupf = "lines.txt"\n')
    with pytest.raises(InputError, match=r"lines\.txt: kind = 'tissue': Toy says that it must be drug or cell"):
        plan_experiment(host_in(tmp_path), tmp_path / "a.toml", [], full=False, command="")


@pytest.mark.parametrize(
    ("description", "value", "is_taken"),
    [
        ({"choices": [1, 2]}, 2.0, True),
        ({"choices": [True]}, "True", True),
        ({"choices": [True]}, "yes", True),
        ({"choices": [True]}, False, False),
        ({"choices": ["a"]}, None, True),
        ({"choices": "a word"}, "b", True),
        ({"item_choices": ["a", "b"]}, ["a", "c"], False),
        ({"item_choices": ["a", "b"]}, "c", False),
        ({"item_choices": ["a", "b"]}, "a,b", True),
        ({"type": "list", "item_choices": ["a", "b"]}, "['a', 'b']", True),
        ({"choices": ["a", "b"]}, "a b", False),
        ({"item_minimum": 1}, [1, 0], False),
        ({"minimum": 1}, "0", True),
        ({"above": 0}, 0, False),
        ({}, 3, True),
    ],
)
def test_values_are_compared_as_far_as_that_is_certain(description: dict[str, Any], value: Any, is_taken: bool) -> None:
    assert (HyperparameterDescription(**description).fault(value) is None) == is_taken


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ("", "strategy 'grid' takes 4 of the 6 values of 'a'; points = N, which is of each number, takes all"),
        ("evaluations = 8", "strategy 'grid' takes 2 of the 6 values of 'a'; points = N"),
        ("points = 3", ""),
        ("total = 216", ""),
    ],
)
def test_a_grid_that_leaves_out_values_of_a_list_beside_numbers_is_told(
    tmp_path: Path, model: Path, search: str, told: str
) -> None:
    text = f'model = "toy"\nmetric = "val_loss"\n[search]\nstrategy = "grid"\n{search}\n[space]\n'
    text += "".join(f'{name} = {{type = "float", lower = 0, upper = 1}}\n' for name in ("b", "c"))
    text += 'a = {type = "ordered", element_type = "int", values = [1, 2, 3, 4, 5, 6]}\n'
    (tmp_path / "a.toml").write_text(text)
    plan = plan_experiment(host_in(tmp_path), tmp_path / "a.toml", [], full=False, command="")
    said = [notice for notice in plan.frozen.notices if "strategy 'grid' takes" in notice]
    assert [each[: len(told)] for each in said] == ([told] if told else [])


@pytest.mark.parametrize(
    ("search", "points", "is_told"),
    [("", 54, True), ("evaluations = 20", 20, False), ("points = 1", 81, False), ("total = 81", 81, False)],
)
def test_a_grid_that_leaves_out_values_of_lists_is_told(
    tmp_path: Path, model: Path, search: str, points: int, is_told: bool
) -> None:
    lists = ", ".join(f'"{name}": [1, 2, 3]' for name in ("a", "b", "c", "d"))
    (tmp_path / "settings.json").write_text(f'{{"parameters": {{{lists}}}}}')
    text = f'model = "toy"\nmetric = "val_loss"\nspace = "settings.json"\n[search]\nstrategy = "grid"\n{search}\n'
    (tmp_path / "a.toml").write_text(text)
    plan = plan_experiment(host_in(tmp_path), tmp_path / "a.toml", [], full=False, command="")
    assert plan.budget == points
    words = f"strategy 'grid' takes {points} of the 81 combinations of the lists; points = 1 takes all"
    assert (words in plan.frozen.notices) is is_told
