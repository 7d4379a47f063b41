"""A published table beside a cross-study: how far ours is from each of its cells, and whether beyond its deviation.

The file is CSV (tabs and semicolons do too), in one of two forms:

| columns | holds |
|---|---|
| `met split value src trg model` | a score of each split, as IMPROVE's `all_scores.csv` has it |
| `met src trg model mean std` | a row a cell, as papers print it; `std` may be empty |

`src` trained, `trg` tested. Deviations are over splits, with n - 1 below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from comparator.errors import InputError, nearest
from comparator.formats.text import shown
from comparator.model.reported import IMPROVE_SCORES
from comparator.studies import page, tables
from comparator.studies.figures import NAMES, decimals_for
from comparator.studies.sweep import words
from comparator.tables.reading import Table, TableError, numbers, read_header, read_table

#: The copy in an experiment's folder, so that a resumed one reads what was given.
KEPT = "beside.csv"
CELL = ["met", "model", "src", "trg"]
LARGEST = 1e100  # of what is told; sums of squares of larger numbers may be infinite


def read(path: Path) -> pd.DataFrame:
    """The cells of a file: `met model src trg mean std splits`; `std` and `splits` are missing where they are not told.

    Raises `TableError` that names the file, and the line, at fault.
    """
    by_split = "value" in read_header(path)
    keys = [*CELL, "split"] if by_split else CELL
    table = read_table(path, [*keys, *(["value"] if by_split else ["mean", "std"])])
    rows = pd.DataFrame({name: table.columns[name] for name in keys})
    _check_rows(table, rows)
    if by_split:
        grouped = rows.assign(value=numbers(table, "value")).groupby(CELL, sort=False)["value"]
        return grouped.agg(mean="mean", std="std", splits="count").reset_index()
    for row, deviation in enumerate(numbers(table, "std")):
        if not (math.isnan(deviation) or 0 <= deviation <= LARGEST):
            raise table.error(row, f"std '{table.columns['std'][row]}': no deviation")
    return rows.assign(mean=numbers(table, "mean"), std=numbers(table, "std"), splits=None)


def _check_rows(table: Table, rows: pd.DataFrame) -> None:
    column = "value" if "value" in table.columns else "mean"
    for row, value in enumerate(numbers(table, column)):
        if not abs(value) <= LARGEST:
            what = "too large for a score" if math.isfinite(value) else "no number"
            raise table.error(row, f"{column} '{table.columns[column][row]}': {what}")
    for row in rows.index[rows.duplicated()]:
        raise table.error(row, f"{', '.join(rows.loc[row])}: stands twice")


def read_for(
    path: Path, studies: Sequence[str], models: Sequence[str] | None, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """The cells between `studies`, of the `models` or of all, and notices of what the file does not have.

    Raises `InputError`, one line that begins with `where`, where the file cannot be read, or has nothing that could
    stand beside tests of these studies.
    """
    try:
        cells = read(path)
    except TableError as error:
        raise InputError(f"{where} beside: {error}") from None
    for model in models or ():
        if model not in set(cells.model):
            raise InputError(f"{where} beside_models: {path} has no model {_unknown(model, cells.model)}")
    if models is not None:
        cells = cells[cells.model.isin(models)]
    there = [*cells.src, *cells.trg]
    strangers = [f"{path} has no study {_unknown(study, there)}" for study in studies if study not in there]
    unknown = [metric for metric in dict.fromkeys(cells.met) if metric not in IMPROVE_SCORES]
    unread = [f"{path}: tests have no metric {_unknown(metric, IMPROVE_SCORES)}" for metric in unknown]
    if len(unknown) == cells.met.nunique():
        raise InputError(f"{where} beside: {unread[0]}")
    between = cells[cells.src.isin(studies) & cells.trg.isin(studies)]
    if between.empty:
        nothing = f"{path} has nothing between {', '.join(studies)}"
        raise InputError(f"{where} beside: {[*strangers, nothing][0]}")
    return between.reset_index(drop=True), [f"beside: {words}" for words in (*strangers, *unread)]


def _unknown(name: str, known: Iterable[str]) -> str:
    there = list(dict.fromkeys(known))
    return f"{shown(name)}{nearest(name, there)}; there are {', '.join(there)}"


def compare(published: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The published cells with ours: `our_mean our_std our_splits difference beyond`.

    `difference` is ours less theirs; `beyond` whether it is larger than their deviation over splits, missing where
    they tell none. Cells that ours lack are left out.
    """
    grouped = scores.groupby(["met", "src", "trg"])["value"]
    ours = grouped.agg(our_mean="mean", our_std="std", our_splits="count").reset_index()
    both = published.merge(ours, on=["met", "src", "trg"])
    difference = both.our_mean - both["mean"]
    beyond = (difference.abs() > both["std"]).astype(object).where(both["std"].notna(), None)
    return both.assign(difference=difference, beyond=beyond)


def sentence(compared: pd.DataFrame, metric: str, file: str) -> str:
    """How many cells of `metric` lie beyond the published deviation."""
    told = compared[(compared.met == metric) & compared.beyond.notna()]
    if told.empty:
        return f"{file} tells no deviation of {NAMES.get(metric, metric)}."
    beyond = int(told.beyond.sum())
    return (
        f"Beside {file}, {beyond} of {len(told)} cells of {NAMES.get(metric, metric)} "
        "differ by more than its deviation over splits."
    )


def section(compared: pd.DataFrame, metric: str, file: str) -> page.Section:
    """The cells of one metric, a line each."""
    chosen = compared[compared.met == metric].sort_values(["model", "src", "trg"], key=lambda names: names.str.lower())
    digits = decimals_for([*chosen["mean"], *chosen.our_mean])
    return page.Section(
        f"Beside {file}",
        f"{NAMES.get(metric, metric)}, mean ± deviation over splits. The difference is ours less theirs, and in "
        "brackets how many of their deviations that is; all metrics are in beside.csv.",
        ["their model", "trained on", "tested on", "theirs", "ours", "difference", "beyond their deviation"],
        [_line(row, digits) for row in tables.rows_of(chosen)],
    )


def _line(row: dict[str, object], digits: int) -> list[str]:
    theirs, deviation, ours, our_deviation, difference = (
        float(str(row[name])) for name in ("mean", "std", "our_mean", "our_std", "difference")
    )
    times = f" ({abs(difference) / deviation:.1f})" if deviation > 0 else ""
    is_beyond = {None: "not told", True: "yes", False: "no"}[row["beyond"]]  # type: ignore[index]
    return [
        *(str(row[name]) for name in ("model", "src", "trg")),
        words(theirs, deviation, digits),
        words(ours, our_deviation, digits),
        f"{difference:+.{digits}f}{times}",
        is_beyond,
    ]
