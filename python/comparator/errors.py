"""Errors that a person can mend, and the exit codes that scripts can rely on.

| code | meaning |
|---|---|
| 0 | done |
| 1 | no usable result (every evaluation failed, the disk is full, the algorithm raised), or one is found wrong |
| 2 | the input is wrong; nothing was started |
| 3 | a recheck that settles nothing |
| 130 | stopped by Ctrl-C or a signal; everything finished is kept |
"""

from __future__ import annotations

import contextlib
import difflib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

#: Of a folder so many names are looked through for one that is like another.
MOST_NAMES = 5000
#: The status of a leaf's result that is no outcome of a training: the search stops, and a resume asks for it again.
FAULT: Literal["fault"] = "fault"


class Fault(Exception):
    """Something that is no training's outcome, and lets none go on; the text says what, and what to do."""


class ComparatorError(Exception):
    """A failure with one line for people; `exit_code` is what the command returns."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: a person's mistake is one line there too."""
        return [f"{type(self).__name__}: {self}"]


class InputError(ComparatorError):
    """The user's input is wrong: which file, which key, what was given, what is allowed."""

    exit_code = 2


class WatchingEnded(ComparatorError):
    """Ctrl-C ended a command that only looks on; the experiment goes on."""

    exit_code = 130


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the known word nearest to `word` in any case, or an empty string."""
    names = nearest_names(word, known)
    return f" (did you mean '{names[0]}'?)" if names else ""


def nearest_names(word: str, known: Iterable[str], *, most: int = 1, alike: float = 0.6) -> list[str]:
    """The known words that are like `word` in any case, the nearest first; 1 is `alike` in every letter."""
    by_lower_case = {name.lower(): name for name in known}
    return [by_lower_case[each] for each in difflib.get_close_matches(word.lower(), list(by_lower_case), most, alike)]


def nearest_path(path: Path) -> str:
    """` (did you mean 'x'?)` for a path that is not there: what is like its first part that is missing, or nothing.

    Files of another kind, by the ends of their names, are like it only where nearly all letters are.
    """
    there = next((folder for folder in path.parents if folder.is_dir()), None)
    if there is None:
        return ""
    first, *further = path.relative_to(there).parts
    with contextlib.suppress(OSError):
        names = [each.name for each in itertools.islice(there.iterdir(), MOST_NAMES) if each.is_dir() or not further]
        stem, kind = Path(first).stem, Path(first).suffix
        by_stem = {Path(name).stem: name for name in names if not kind or Path(name).suffix == kind}
        found = [by_stem[each] for each in nearest_names(stem, by_stem)] or nearest_names(
            first, {*names} - {*by_stem.values()}, alike=0.8
        )
        return f" (did you mean '{found[0]}'?)" if found else ""
    return ""


@contextlib.contextmanager
def named_as_typed(file: Path, called: str | None = None) -> Iterator[None]:
    """Have an `InputError` that is raised within name a file as it was typed, or as it is `called`, and not in full.

    What a file names itself, and what the program looks for, stands in full.
    """
    try:
        yield
    except InputError as error:
        raise InputError(as_typed(str(error), file, called)) from None


def as_typed(words: str, file: Path, called: str | None = None) -> str:
    """Words in which a file goes by what was typed."""
    said = called or str(file)
    for form in dict.fromkeys((str(file.resolve()), str(file.absolute()), str(file))):
        words = words.replace(form, said)
    return words


class Submitted(Exception):
    """An experiment was handed to a scheduler: there is nothing more to do in this process, and that is well."""
