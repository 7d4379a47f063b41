"""Functions as models: the file of one is the same as long as what it does is the same."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import comparator as cmp
from comparator.api.functions import Function, function_file
from comparator.model.description import read_description

FACTOR = 2.0


def doubled(params: dict[str, Any]) -> dict[str, float]:
    return {"val_loss": FACTOR * params["x"]}


def written(function: Function, folder: Path) -> Path:
    file = function_file(function, folder)
    file.write()
    return file.path


def of(file: Path) -> Callable[[dict[str, Any]], Any]:
    """What a worker finds in a function's file."""
    specification = importlib.util.spec_from_file_location("found", file)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.run  # type: ignore[no-any-return]


def test_a_function_is_run_from_its_file_with_all_that_it_uses(tmp_path: Path) -> None:
    shift = 1.0

    def shifted(params: dict[str, Any]) -> float:
        return doubled(params)["val_loss"] + shift

    assert of(written(shifted, tmp_path))({"x": 3}) == 7.0
    assert of(written(lambda params: params["x"], tmp_path))({"x": 3}) == 3


def test_the_same_function_is_the_same_model_and_another_is_another(tmp_path: Path) -> None:
    first = written(doubled, tmp_path)
    assert written(doubled, tmp_path) == first

    def made(shift: float) -> Callable[[dict[str, Any]], float]:
        return lambda params: params["x"] + shift

    assert written(made(1.0), tmp_path) == written(made(1.0), tmp_path)
    assert written(made(1.0), tmp_path) != written(made(2.0), tmp_path)


SCRIPT = """
    import sys
    from pathlib import Path
    from comparator.api.functions import function_file

    {more}
    CONSTANT = {constant}

    def helper(x):
        return x * CONSTANT

    def model(params):
        return helper(params["x"])

    file = function_file(model, Path({folder!r}))
    file.write()
    print(file.path.name)
"""


def name_in_another_process(folder: Path, constant: float, more: str = "") -> str:
    """The file of a function as another process, a notebook's kernel say, makes it."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).format(folder=str(folder), constant=constant, more=more))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout.strip()


@pytest.mark.long
def test_another_process_finds_it_again_unless_what_it_uses_is_otherwise(tmp_path: Path) -> None:
    first = name_in_another_process(tmp_path, 1.5)
    assert name_in_another_process(tmp_path, 1.5, "# the lines are further down now\nOTHER = 3") == first
    assert name_in_another_process(tmp_path, 1.6) != first
    assert of(tmp_path / "functions" / first)({"x": 2}) == 3.0


def test_its_description_names_the_seeds_that_it_takes(tmp_path: Path) -> None:
    def split(params: dict[str, Any]) -> float:
        return float(params["split_seed"])

    described = read_description(written(split, tmp_path).with_suffix(".toml"))
    assert (described.name, described.seed, described.split) == ("split", "rng_seed", "split_seed")
    assert read_description(written(doubled, tmp_path).with_suffix(".toml")).split is None


def test_what_cannot_be_a_model_is_said_in_one_line(tmp_path: Path) -> None:
    def two(one: Any, other: Any) -> None: ...

    with pytest.raises(
        cmp.InputError, match=r"^two: a model's function takes one argument, a dict of hyperparameters$"
    ):
        function_file(two, tmp_path)

    def by_name(noise: float, seed: int = 1) -> None: ...

    with pytest.raises(cmp.InputError, match=r"and no 'noise': write def by_name\(params\), and params"):
        function_file(by_name, tmp_path, ["noise"])
    stream = (tmp_path / "open").open("w")
    with pytest.raises(cmp.InputError, match="TextIOWrapper"):
        function_file(lambda params: stream.write(str(params)), tmp_path)
    stream.close()
