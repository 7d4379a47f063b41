"""A function as a model: written to a file, from which workers on any host load it.

It is given the hyperparameters as a dict, among them `rng_seed`, and `split_seed` where it asks for that: the seeds of
the training and of its data split, which differ from replicate to replicate.

Functions of a notebook are in no file that a worker could import. So the function goes into one with all of the
notebook that it uses (by cloudpickle), and its source beside that. The file is named by a digest of the source and of
what the function uses, so that the same function is the same model tomorrow, whose trainings are found again.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from comparator.errors import InputError
from comparator.formats.names import as_file_name
from comparator.formats.text import write_text_whole

Function = Callable[[dict[str, Any]], Any]
FOLDER = "functions"

_FILE = '''"""Model '{name}', a function given to comparator.compare or comparator.search:

{source}
"""

import base64
import sys

sys.path += [folder for folder in {folders!r} if folder not in sys.path]

import cloudpickle  # noqa: E402

_function = cloudpickle.loads(base64.b64decode(
{payload}
))


def run(params):
    return _function(params)
'''


def function_file(function: Function, experiments: Path) -> Path:
    """The file of a function's model, in `functions/` of the folder of all experiments; made where it is missing.

    Raises `InputError` where the function cannot be written down, an open file being part of it, say, or where it does
    not take one argument.
    """
    name = getattr(function, "__name__", type(function).__name__)
    _check_arguments(function, name)
    folders = [str(Path.cwd())]
    parts = [*folders, *_parts(function, set())]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    path = experiments / FOLDER / f"{as_file_name(name).strip('_') or 'function'}-{digest[:12]}.py"
    if not path.exists():
        payload = textwrap.indent("\n".join(map(repr, textwrap.wrap(_pickled(function, name), 100))), "    ")
        source = _source(function).replace("\\", "\\\\").replace('"""', r"\"\"\"")
        path.parent.mkdir(parents=True, exist_ok=True)
        split = 'split = "split_seed"\n' if any("split_seed" in part for part in parts) else ""
        write_text_whole(path.with_suffix(".toml"), f'name = {json.dumps(name)}\nseed = "rng_seed"\n{split}')
        write_text_whole(path, _FILE.format(name=name, source=source, folders=folders, payload=payload))
    return path


def _check_arguments(function: Function, name: str) -> None:
    try:
        inspect.signature(function).bind({})
    except TypeError:
        raise InputError(f"{name}: a model's function takes one argument, a dict of hyperparameters") from None
    except ValueError:  # no signature is known
        return


def _pickled(function: Function, name: str) -> str:
    import cloudpickle

    # A module of the user's own is not on a worker's path: what is used of it travels too.
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    travels = module is not None and module.__name__ != "__main__" and _is_own(module)
    if travels:
        cloudpickle.register_pickle_by_value(module)
    try:
        return base64.b64encode(cloudpickle.dumps(function)).decode()
    except Exception as error:
        raise InputError(f"{name}: cannot be sent to workers: {type(error).__name__}: {error}") from None
    finally:
        if travels:
            cloudpickle.unregister_pickle_by_value(module)


def _is_own(module: ModuleType) -> bool:
    """Whether a module is none that is installed."""
    file = getattr(module, "__file__", None)
    return file is not None and "site-packages" not in file and not file.startswith(sys.base_prefix)


def _source(function: Function) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return "(its source is not known)"


def _parts(value: Any, seen: set[int]) -> Iterator[str]:
    """What tells a value from another: of a function its source, and all of the notebook that it uses."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, ModuleType):
        yield f"module {value.__name__} {getattr(value, '__version__', '')}"
    elif isinstance(value, FunctionType) and _is_own_code(value):
        yield _source_or_code(value)
        yield repr(value.__defaults__) + repr(value.__kwdefaults__)
        used = inspect.getclosurevars(value)
        for name, each in sorted({**used.globals, **used.nonlocals}.items()):
            yield name
            yield from _parts(each, seen)
    elif isinstance(value, type) and value.__module__ == "__main__":
        yield _source_or_code(value)
        for name, each in sorted(vars(value).items()):
            if isinstance(each, FunctionType):
                yield name
                yield from _parts(each, seen)
    else:
        yield from _parts_of_value(value)


def _parts_of_value(value: Any) -> Iterator[str]:
    import cloudpickle

    try:
        yield hashlib.sha256(cloudpickle.dumps(value)).hexdigest()
    except Exception as error:
        raise InputError(f"a {type(value).__name__} that the function uses: {type(error).__name__}: {error}") from None


def _is_own_code(function: FunctionType) -> bool:
    module = sys.modules.get(function.__module__ or "")
    return module is None or module.__name__ == "__main__" or _is_own(module)


def _source_or_code(value: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return _code_words(value.__code__) if isinstance(value, FunctionType) else repr(sorted(vars(value)))


def _code_words(code: CodeType) -> str:
    constants = [_code_words(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return " ".join([code.co_code.hex(), *code.co_names, *code.co_varnames, *constants])
