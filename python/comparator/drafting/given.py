"""What is set beside what is varied: whether the models have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparator.drafting.definitions import Definition
from comparator.errors import InputError
from comparator.formats.hyperparameters import split_for_submodels
from comparator.formats.slips import misspelt_for_all
from comparator.formats.spelling import spelling
from comparator.formats.text import shortened

#: Tables of an experiment file whose keys a search takes by `--set TABLE.KEY=VALUE`.
TABLES = ("search", "cmp", "confirm")
HYPERPARAMETERS = "hyperparameters"


def check_set(settings: Mapping[str, Any], of_each: Sequence[Mapping[str, Definition]]) -> None:
    """Refuse what is no hyperparameter: a slip of one that the models have, or a key of the experiment file.

    `settings` have prefixes that say which model they are of, `of_each` what is known of each; of a model of which
    nothing is known no name is doubted. Raises `InputError`.
    """
    given: Sequence[Mapping[str, Any]] = split_for_submodels(settings) if len(of_each) == 2 else [settings]
    for name in dict.fromkeys(name for names in given for name in names):
        if any(spelling(name, known) in known for known, names in zip(of_each, given, strict=True) if name in names):
            continue
        said = f"--set {shortened(name)}=...: no such hyperparameter"
        table, dot, key = name.partition(".")
        if dot and table in TABLES:
            raise InputError(f"{said}; it is a key of the file, '{shortened(key)}' in [{table}]: set it there")
        if dot and table == HYPERPARAMETERS:
            raise InputError(f"{said}; here it is called by its name alone: --set {shortened(key)}=...")
        if (meant := misspelt_for_all(name, given, of_each)) is not None:
            raise InputError(f"{said} (did you mean '{meant}'?)")
