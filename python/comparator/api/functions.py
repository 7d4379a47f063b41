"""A function as a model: written to a file, from which workers on any host load it.

It is given the hyperparameters as a dict, among them `rng_seed`, and `split_seed` where it asks for that: the seeds of
the training and of its data split, which differ from replicate to replicate.

Functions of a notebook are in no file that a worker could import. So the function goes into one with all of the
notebook that it uses (by cloudpickle), and its source beside that for people. The file is named by a digest of what it
does (`contents`), so that the same function is the same model tomorrow, whose trainings are found again. Modules beside
the notebook are imported by the worker; what it reads of them is part of a run's identity like all that runs read.
"""

from __future__ import annotations

import base64
import inspect
import json
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.api.contents import Contents
from comparator.errors import InputError
from comparator.extensions.own_code import FAILURES
from comparator.formats.names import as_file_name
from comparator.formats.text import one_line, write_text_whole

Function = Callable[[dict[str, Any]], Any]
FOLDER = "functions"

_FILE = """# Model '{name}', a function that was given to comparator.compare or comparator.search:
#
{source}
import base64
import sys

sys.path += [folder for folder in {folders!r} if folder not in sys.path]

import cloudpickle  # noqa: E402

_function = cloudpickle.loads(
    base64.b64decode(
{payload}
    )
)


def run(params):
    return _function(params)
"""


def name_of(function: Function) -> str:
    """What people call a function; an object that can be called goes by its class."""
    return one_line(str(getattr(function, "__name__", type(function).__name__)))


@dataclass(frozen=True)
class FunctionFile:
    """The file of a function's model, in `functions/` of the folder of all experiments; and what it holds."""

    path: Path
    content: str
    description: str

    def write(self) -> None:
        """Make the file, and its description beside it, where it is missing."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text_whole(self.path.with_suffix(".toml"), self.description)
            write_text_whole(self.path, self.content)


def function_file(function: Function, experiments: Path, varied: Collection[str] = ()) -> FunctionFile:
    """The file of a function's model; nothing is written yet.

    Raises `InputError` where the function cannot be written down, an open file being part of it, say, or where it does
    not take one argument: one that has what is `varied` as an argument of its own does not.
    """
    name = name_of(function)
    _check_arguments(function, name, varied)
    try:
        contents = Contents.of(function)
    except FAILURES as error:
        raise _not_sent(name, error) from None
    path = experiments / FOLDER / f"{as_file_name(name).strip('_') or 'function'}-{contents.digest[:12]}.py"
    payload = textwrap.indent("\n".join(map(repr, textwrap.wrap(_pickled(function, name), 100))), " " * 8)
    source = textwrap.indent(_source(function), "# ", lambda line: True)
    split = 'split = "split_seed"\n' if contents.asks_for("split_seed") else ""
    called = json.dumps(name, ensure_ascii=False)
    return FunctionFile(
        path,
        content=_FILE.format(name=name, source=source, folders=contents.folders, payload=payload),
        description=f'name = {called}\nseed = "rng_seed"\n{split}',
    )


def _check_arguments(function: Function, name: str, varied: Collection[str]) -> None:
    takes = f"{name}: a model's function takes one argument, a dict of hyperparameters"
    try:
        signature = inspect.signature(function)
        signature.bind({})
    except TypeError:
        raise InputError(takes) from None
    except ValueError:  # no signature is known
        return
    own = next((each for each in signature.parameters if each in varied), None)
    if own is not None:
        raise InputError(f"{takes}, and no '{own}': write def {name}(params), and params['{own}'] in it")


def _pickled(function: Function, name: str) -> str:
    import cloudpickle

    try:
        return base64.b64encode(cloudpickle.dumps(function)).decode()
    except FAILURES as error:
        raise _not_sent(name, error) from None


def _not_sent(name: str, error: BaseException) -> InputError:
    return InputError(f"{name}: cannot be sent to workers: {type(error).__name__}: {one_line(str(error))}")


def _source(function: Function) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return "(its source is not known)"
