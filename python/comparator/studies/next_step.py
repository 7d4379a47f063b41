"""What to do after a study, on its page and at a terminal: the step that says most more, as a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from comparator.report.commands import typed_command, where_options, with_settings, without_option
from comparator.report.next_step import Step
from comparator.results.frozen import FrozenExperiment


def asked_again(frozen: FrozenExperiment, words: str, setting: str) -> Step:
    """The study again with another setting; what it has trained already is found in the store."""
    typed = without_option(typed_command(frozen), "--id")
    is_known = len(typed) > 1 and "--resume" not in typed
    return Step(words, shlex.join(with_settings(typed, setting)) if is_known else "")


def on_more_splits(frozen: FrozenExperiment, table: str, splits: Sequence[int], words: str) -> Step:
    """The study again on twice as many splits."""
    first = max(splits) + 1
    return asked_again(frozen, words, f"{table}.splits={[*splits, *range(first, first + len(splits))]}")


def look_at(frozen: FrozenExperiment, identifier: str, words: str) -> Step:
    """Another experiment of the same store, in a browser."""
    where = where_options(typed_command(frozen), "--experiments")
    return Step(words, shlex.join(["comparator", "open", identifier, *where]))
