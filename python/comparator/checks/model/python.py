"""Whether the Python that a model names for itself is there, and what it is."""

from __future__ import annotations

from collections.abc import Generator

from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS, Finding
from comparator.model.environment_making import make
from comparator.model.model import Model


def check_python(model: Model) -> Generator[Finding, None, bool]:
    """Have the model's environment ready; gives whether it can be gone on with."""
    if model.python is None:
        return True
    try:
        make(model.python, lambda words: None)
        model.python.check()
    except InputError as error:
        yield Finding("python", FAILS, str(error))
        return False
    made = f", made from {model.python.requirements}" if model.python.requirements is not None else ""
    yield Finding("python", HOLDS, f"{model.python.words()}{made}")
    return True
