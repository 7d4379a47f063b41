"""Several trainings of a model by one call: which models offer that, and how a worker makes use of it."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from comparator.model.model import Model
from comparator.model.own_files.source import tree_of_source
from comparator.model.runners.runner import is_served
from comparator.model.runners.warm import NotTogether, OneByOne, WarmRunner
from comparator.model.training import Outcome, Runner, Training

FUNCTION = "run_many"


def outcomes_of(
    runner: Runner,
    trainings: Sequence[Training],
    *,
    at_once: bool,
    clear: Callable[[Path], None],
    say: Callable[[str], None],
) -> Iterator[Outcome]:
    """The outcome of each of several trainings: by one call, `at_once`, or one after the other, given as they come.

    Where that call comes to no results, because the model died at it, raised, or took longer than one training may,
    each is tried once by itself, so that those alone fail whose fault it was. `clear` rids a run's folder of what such
    a call, or one that declined, has left there, and `say` is told of either.
    """
    if len(trainings) == 1 or not at_once or not isinstance(runner, WarmRunner):
        yield from (_timed(runner, training) for training in trainings)
        return
    began, many = time.monotonic(), len(trainings)
    try:
        outcomes = runner.run_many(trainings)
    except OneByOne as declined:
        say(f"trainings that were to be carried out together are carried out one by one: {declined}")
        for training in trainings:
            clear(training.folder)  # a library may have declined in the midst of them
            yield _timed(runner, training)
        return
    except NotTogether as failure:
        share = (time.monotonic() - began) / many
        say(f"{many} trainings that were carried out together: {failure.reason}; each is tried by itself")
        for training in trainings:
            clear(training.folder)
            with training.log.open("a", encoding="utf-8") as log:
                log.write(
                    f"comparator: together with others: {failure.status}: {failure.reason}; it is tried by itself\n"
                )
            yield _timed(runner, training, share)
        return
    ended = time.monotonic()
    share = (ended - began) / many
    yield from (replace(outcome, seconds=share, ended=ended) for outcome in outcomes)


def _timed(runner: Runner, training: Training, before: float = 0.0) -> Outcome:
    """The outcome of one training, which has taken `before` seconds already."""
    began = time.monotonic()
    outcome = runner.run(training)
    ended = time.monotonic()
    return replace(outcome, seconds=before + ended - began, ended=ended)


def together_of(models: Iterable[Model], most: int, *, warm: bool) -> int:
    """How many evaluations a worker holds at once: `most` where a model takes trainings together, else 1."""
    if most == 1:
        return 1
    return most if any(is_served(model, warm=warm) and offers_many(model) for model in models) else 1


def offers_many(model: Model) -> bool:
    """Whether a model's module has `run_many(params_list)`: as its description says, else as its source does."""
    if model.module is None:
        return False
    said = model.description.run_many
    return _has_function(model) if said is None else said


def _has_function(model: Model) -> bool:
    file = _source_of(model)
    tree = None if file is None else tree_of_source(file)
    return tree is not None and FUNCTION in (name for statement in tree.body for name in _defined(statement))


def _source_of(model: Model) -> Path | None:
    """The file that is imported as a model's module; None where that cannot be seen."""
    if model.image is not None or model.module is None:
        return None
    if not model.is_folder:
        return model.path
    places = [folder.joinpath(*model.module.split(".")) for folder in model.python_path]
    files = (file for place in places for file in (place / "__init__.py", place.with_name(f"{place.name}.py")))
    return next((file for file in files if file.is_file()), None)


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [each.id for each in statement.targets if isinstance(each, ast.Name)]
    if isinstance(statement, ast.ImportFrom):
        return [each.asname or each.name for each in statement.names]
    return []
