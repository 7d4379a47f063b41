"""Spaces as they are written in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import comparator as cmp
from comparator.space import ParameterSpace

ROOT = Path(__file__).parents[3]


def test_each_parameter_is_an_entry_of_a_parameter_space_file() -> None:
    space = cmp.Space(
        noise=cmp.Float(0, 50),
        layer_force=cmp.Int(25, 200, log=True),
        activation=cmp.Choice("elu", "tanh"),
        batch_size=cmp.Ordered([16, 32, 64]),
        residual=cmp.Flag(),
        epochs=cmp.Constant(5),
    )
    assert space.names == ["noise", "layer_force", "activation", "batch_size", "residual", "epochs"]
    kinds = {entry["name"]: (entry["type"], entry.get("element_type")) for entry in space.entries()}
    assert kinds == {
        "noise": ("float", None),
        "layer_force": ("int", None),
        "activation": ("categorical", "string"),
        "batch_size": ("ordered", "int"),
        "residual": ("logical", None),
        "epochs": ("constant", None),
    }
    assert space.entries()[1]["use_log_scale"]


def test_a_space_is_read_from_a_file_and_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "space.json").write_text(json.dumps([{"name": "noise", "type": "float", "lower": 0, "upper": 50}]))
    space = cmp.Space.read(tmp_path / "space.json")
    assert space.names == ["noise"] and "noise: type=float, lower=0.0, upper=50.0" in repr(space)


def test_a_name_that_is_no_name_of_python_goes_in_a_dict() -> None:
    assert cmp.Space({"dense-1": cmp.Int(8, 64)}, noise=cmp.Float(0, 1)).names == ["dense-1", "noise"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: cmp.Space(noise=(0, 50)), r"^Space: 'noise': .*0, 50.* is no parameter; write Float"),
        (lambda: cmp.Space(noise=cmp.Float(50, 0)), r"^Space: 'noise': 'lower' = 50.0 is above 'upper' = 0.0$"),
        (lambda: cmp.Space(rate=cmp.Float(0, 1, log=True)), r"'use_log_scale' needs a 'lower' above zero"),
        (lambda: cmp.Space(activation=cmp.Choice()), r"Space: 'activation': 'values' must not be empty"),
        (lambda: cmp.Space(), r"^Space: no hyperparameter is given"),
    ],
)
def test_a_mistake_is_one_line(made: Any, words: str) -> None:
    with pytest.raises(cmp.InputError, match=words):
        made()


@given(st.lists(st.one_of(st.integers(-5, 5), st.booleans(), st.text("abc", max_size=3), st.floats(0, 1)), min_size=1))
def test_values_of_any_kind_are_a_list_that_a_space_takes_or_refuses_in_one_line(values: list[Any]) -> None:
    try:
        space = cmp.Space(x=cmp.Choice(values))
    except cmp.InputError as error:
        assert "\n" not in str(error)
        return
    assert ParameterSpace.from_entries(space.entries(), "again").entries() == space.entries()


@pytest.mark.long
def test_the_page_of_the_interface_is_what_its_docstrings_say() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "render-api.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "api.md").read_text()
    assert all(f"## `{name}`" in page and getattr(cmp, name).__doc__ for name in [*cmp.__all__, *cmp.BY_NAME])
