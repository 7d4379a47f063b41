"""What the runs of a submodel rest on, its code and its data, looked at again while an experiment goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparator.model.data import data_of, has_changed
from comparator.model.fingerprint import FEW_FILES, Recent
from comparator.model.model import Model
from comparator.results.frozen import PythonOfSubmodel, Submodel
from comparator.results.run_result import RunResult

BEGAN = "since the experiment began"


def inputs_of(model: Model, data_folder: Path) -> dict[str, Any]:
    """What a frozen submodel holds of code and data, so that a change of them is noticed later.

    `untold` says in a line why the data cannot be told, None where they can.
    """
    code = model.code() if model.image is None else None
    data = data_of(model, data_folder)
    return {
        "code": None if code is None else code.digest,
        "source": None if code is None else model.code(code.latest, source_alone=True).digest,
        "code_until": None if code is None else code.latest,
        "data": data.digest,
        "data_until": data.until,
        "untold": data.untold,
    }


def python_of_submodel(model: Model) -> PythonOfSubmodel | None:
    """What a frozen submodel holds of the model's own Python; None where it has none, or that is not made yet."""
    if model.python is None or not model.python.is_there:
        return None
    found = model.python.interpreter
    return PythonOfSubmodel(interpreter=str(model.python.python), version=found.version, packages=found.packages)


def python_change(model: Model, submodel: Submodel) -> str | None:
    """Say in a line that a model's own Python is not what was frozen; None where it is."""
    was, now = submodel.python, python_of_submodel(model)
    if was is None or now is None:
        return None if was is now else f"{model.path}: the Python that it runs in has changed"
    if was.version != now.version:
        return f"{now.interpreter}: its version (Python {was.version}, now {now.version}) has changed"
    for name in [*was.packages, *now.packages]:
        if was.packages.get(name) != now.packages.get(name):
            then, there = (_version(each.packages.get(name)) for each in (was, now))
            return f"{now.interpreter}: what is installed ({name} {then}, now {there}) has changed"
    return None


def _version(installed: str | None) -> str:
    return "not there" if installed is None else installed or "there"


def source_change(model: Model, submodel: Submodel) -> str | None:
    """Say in a line that a model is not the one that was frozen; None: it is, but for what may be written beside it."""
    if model.image is not None:
        if model.state is not None and model.state == submodel.state:
            return None
        return None if model.identity == submodel.identity else f"{model.path}: the model has changed"
    # A file that was written again with what it had, by a checkout say, is later than `code_until`, and the same.
    if any(model.code(until, source_alone=True).digest == submodel.source for until in (submodel.code_until, None)):
        return None
    last = model.last_changed()
    return f"{model.path}: the model has changed{f' (last: {last})' if last and last != str(model.path) else ''}"


class Inputs:
    """Code and data of a submodel, as they were frozen; looked at again no more often than can be afforded.

    `sees_reads` says whether the model's own process tells what it reads.
    """

    def __init__(self, model: Model, submodel: Submodel, data_folder: Path, *, sees_reads: bool) -> None:
        self._model, self._submodel, self._data_folder = model, submodel, data_folder
        self._until = submodel.data_until if sees_reads else None
        self._installed = None if model.python is None else model.python.state()
        self._code, self._data = Recent(self._look_at_code), Recent(self._look_at_data)

    def fault(self, since: float = math.inf) -> str | None:
        """Why no training may begin: the model, or the data that it names, are not those of the experiment.

        A look from `since` on serves, as `time.monotonic()` has it.
        """
        fault = self._code(since=since)[0]
        return self._data(since=since) if fault is None and self._is_strict else fault

    def doubt(self, ended: float = math.inf) -> str | None:
        """Why a training may have read something else than its identity says; a look from `ended` on serves."""
        fault, doubt = self._code(since=ended)
        return fault or doubt or self._data(since=ended)

    def looked_at(self) -> float:
        """When they were last looked at whole, as `time.monotonic()` has it."""
        return min(self._code.began, self._data.began)

    def look_again(self) -> str | None:
        """Look at them now, whatever it costs; gives what `doubt` does."""
        fault, doubt = self._code(anew=True)
        return fault or doubt or self._data(anew=True)

    def _look_at_code(self) -> tuple[str | None, str | None]:
        """Why the code is another, and why it, or the Python that it runs in, may be."""
        submodel, model = self._submodel, self._model
        code = None if submodel.code is None else model.code(submodel.code_until)
        if code is not None and code.digest == submodel.code and code.files <= FEW_FILES:
            return None, self._change_of_python()  # the same by contents, and so is the source
        is_known = model.image is not None or submodel.source is not None
        change = source_change(model, submodel) if is_known else None
        if code is None or code.digest == submodel.code:
            doubt = self._change_of_python()
        else:
            doubt = f"files of {model.path} have changed (last: {model.last_changed()}) {BEGAN}"
        return change and f"{change} {BEGAN}", doubt

    def _look_at_data(self) -> str | None:
        until = None if self._is_strict else self._until
        change = has_changed(self._model, self._data_folder, self._submodel.data, until)
        return change and f"{change} {BEGAN}"

    def _change_of_python(self) -> str | None:
        python = self._model.python
        if python is None or python.state() == self._installed:
            return None
        change = python.change()
        if change is None:  # as where a module was compiled
            self._installed = python.state()
        return change and f"{change} {BEGAN}"

    @property
    def _is_strict(self) -> bool:
        """Whether the model's author says what of the data counts."""
        return self._submodel.data_until is None


class Pending:
    """Results that wait for a look, begun after them, at what they rest on; `settle` is told of each that may serve."""

    def __init__(self, settle: Callable[[str, RunResult], None]) -> None:
        self._settle = settle
        self._waiting: list[tuple[float, Inputs, str, RunResult]] = []

    def add(self, inputs: Inputs, run: str, result: RunResult) -> None:
        self._waiting.append((time.monotonic(), inputs, run, result))

    def look(self, *, again: bool = False) -> None:
        """Settle those that can be; `again`: look at everything once more for it."""
        if again:
            for inputs in {id(each): each for _, each, _, _ in self._waiting}.values():
                inputs.look_again()
        waiting, self._waiting = self._waiting, []
        for ended, inputs, run, result in waiting:
            if inputs.looked_at() < ended:
                self._waiting.append((ended, inputs, run, result))
            elif inputs.doubt(ended) is None:
                self._settle(run, result)
