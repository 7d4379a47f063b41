"""What runs each model, as the flags of `comparator init` say it, and as an experiment file does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.names import home_written_out
from comparator.formats.text import shortened
from comparator.model.python_environment import PythonChoice


def pythons_of(python: Sequence[str], requirements: Sequence[str]) -> list[PythonChoice]:
    """What runs each of two models, as the flags say: those of one model alone, and those of both."""
    pairs = zip(_of_each(python, "--python"), _of_each(requirements, "--requirements"), strict=True)
    return [PythonChoice(own, file, Path.cwd(), "init") for own, file in pairs]


def _of_each(given: Sequence[str], flag: str) -> list[str | None]:
    """What a flag says for submodel 0 and submodel 1: `cmp.0=VALUE` of one, VALUE of both."""
    both: list[str] = []
    own: tuple[list[str], list[str]] = ([], [])
    for each in given:
        found = re.fullmatch(r"cmp\.([01])=(.*)", each)
        if found is None and re.match(r"cmp\.\w+=", each):
            raise InputError(
                f"{flag} {shortened(each)}: cmp.0=... and cmp.1=... are of one model, and there are no more"
            )
        (own[int(found[1])] if found else both).append(found[2] if found else each)
    for values in (both, *own):
        if len(values) > 1 or "" in values:
            wrong = "is given twice" if len(values) > 1 else "is empty"
            raise InputError(f"{flag} {shortened(' '.join(given))}: {wrong}; cmp.0=... and cmp.1=... are of one model")
    return [next(iter([*values, *both]), None) for values in own]


def check_pythons(pythons: Sequence[PythonChoice], models: int) -> None:
    """Raise `InputError` where something is said of one of two models, and there is one."""
    first, second = pythons
    if models == 1 and (first.python, first.requirements) != (second.python, second.requirements):
        raise InputError("cmp.0 and cmp.1 are of two models; --python PATH, --requirements FILE are of one alone")


def python_keys(choice: PythonChoice, folder: Path) -> dict[str, str]:
    """The keys of a choice as a file in `folder` has them: relative paths from there on, all else as it is."""
    given = {"python": choice.python, "requirements": choice.requirements}
    paths = {key: (value, home_written_out(value)) for key, value in given.items() if value is not None}
    return {
        key: os.path.relpath(path.absolute(), folder) if path.exists() and not path.is_absolute() else value
        for key, (value, path) in paths.items()
    }
