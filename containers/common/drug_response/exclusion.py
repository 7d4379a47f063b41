"""Rows that are left out of training: those of named drugs, cell lines or tumour types, or as many random ones.

Only the training rows lose them. What validates and tests, and which rows of other studies are for a test, is as with
all of them, so that losses with and without can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparator.errors import nearest
from drug_response.errors import DataError
from drug_response.selection import ResponseRows, first_drug_of_structure
from drug_response.splits import Rows
from drug_response.tables import Source

#: What can be left out, each by the hyperparameter `exclude_` and its name.
KINDS = ("drugs", "cells", "cell_types")
AT_RANDOM = "exclude_at_random"
KEYS = (*(f"exclude_{kind}" for kind in KINDS), AT_RANDOM)


def leave_out(
    settings: Mapping[str, Any], source: Source, rows: ResponseRows, training: Rows
) -> tuple[Rows, list[str]]:
    """Return the training rows without those that are to be left out, and in words how many these are.

    With `exclude_at_random` as many random ones go in their place: the first of a shuffle by `split_seed`, so that
    fewer are a subset of more. Raises `DataError` for a name that the source does not have, and where no row is left.
    """
    left_out = np.zeros(len(training), dtype=bool)
    named = {kind: settings[f"exclude_{kind}"] for kind in KINDS if settings[f"exclude_{kind}"]}
    if not named:
        return training, []
    for kind, names in named.items():
        left_out |= np.isin(names_of_rows(source, rows, kind)[training], _known(source, kind, names))
    count = int(left_out.sum())
    if count == len(training):
        given = " and ".join(f"exclude_{kind}" for kind in named)
        raise DataError(f"{given}: all {count} training rows are left out, so that there is nothing to train on")
    words = f"left out of training: {count} of {len(training)} rows"
    if not settings[AT_RANDOM]:
        listed = "; ".join(f"{kind.replace('_', ' ')} {', '.join(names)}" for kind, names in named.items())
        return training[~left_out], [f"{words}, {listed}"]
    kept = np.random.default_rng([settings["split_seed"], 3]).permutation(training)[count:]
    return np.sort(kept), [f"{words}, at random"]


def check_names(settings: Mapping[str, Any], source: Source) -> None:
    """Raise `DataError` for a name that is to be left out and that the source does not have."""
    for kind in KINDS:
        if names := settings[f"exclude_{kind}"]:
            _known(source, kind, names)


def rows_by_name(source: Source, rows: ResponseRows, kind: str, asked: Sequence[str] = ()) -> dict[str, int]:
    """Return how many of the rows each name has, by name; rows without one are not counted.

    Names are single words, as a command line needs them: an underscore stands for a blank. Those that are asked for
    are there as they were written too, other names of a structure among them, with 0 where these rows have none. Raises
    `DataError` for one that the source does not have.
    """
    names, counts = np.unique(names_of_rows(source, rows, kind), return_counts=True)
    by_name = dict(zip(names.tolist(), counts.tolist(), strict=True))
    found = {"_".join(name.split()): count for name, count in by_name.items() if name.strip()}
    for word in asked:
        found[word] = sum(by_name.get(name, 0) for name in set(_known(source, kind, [word])))
    return found


def names_of_rows(source: Source, rows: ResponseRows, kind: str) -> NDArray[np.str_]:
    """Return the name of each row's drug, cell line or tumour type; drugs of one structure are called by the first."""
    if kind == "drugs":
        return np.asarray(source.drugs[first_drug_of_structure(source.structures)[rows.drug]])
    return _names(source, kind)[rows.cell_line]


def _names(source: Source, kind: str) -> NDArray[np.str_]:
    if kind == "cell_types" and source.cell_types is None:
        raise DataError(f"exclude_cell_types: the '{source.name}' data tell no tumour types")
    names = {"drugs": source.drugs, "cells": source.cell_lines, "cell_types": source.cell_types}[kind]
    return np.asarray(names)


def _known(source: Source, kind: str, wanted: Sequence[str]) -> list[str]:
    """Return the source's own names for those that are wanted, drugs of one structure by the first of them.

    Case and marks do not matter where no name is written just so.
    """
    names = _names(source, kind)
    first = first_drug_of_structure(source.structures) if kind == "drugs" else np.arange(len(names))
    lower = np.char.lower(names)
    bare = np.array([_letters(name) for name in names.tolist()])
    found: list[str] = []
    for word in wanted:
        number = np.flatnonzero(lower == word.lower())
        if not len(number):
            number = np.flatnonzero(bare == _letters(word))
        if not len(number) or not _letters(word):
            there = sorted({name for name in names.tolist() if name})
            raise DataError(f"exclude_{kind} = '{word}': not in the '{source.name}' data{nearest(word, there)}")
        found += names[first[number]].tolist()
    return found


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())
