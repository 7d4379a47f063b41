"""The tables of a cross-study and of learning curves, in the form that users of IMPROVE know.

A cross-study, as `improvelib`'s `csa_postprocess` writes it (`src` trained, `trg` tested):

| file | columns |
|---|---|
| `all_scores.csv` | `met split value src trg model` |
| `MET_scores.csv` | the same of one metric, with the row's number in front |
| `MET_mean_csa_table.csv`, `MET_std_csa_table.csv` | a row a `src`, a column a `trg`; means to 4 decimals |
| `densed_csa_table.csv` | `met mean std summary model`; summary `within` or `cross`, over studies and splits |
| `missing_pred_files.txt` | predictions that should be there and are not; only where there are such |

A learning curve, as its learning-curve post-processing does:

| file | columns |
|---|---|
| `all_scores.csv` | `metric shard value split model dataset`; shard: the number of training rows |
| `runtimes.csv` | `dataset split shard hours minutes seconds` of each training |

Ours, beside them:

| file | columns |
|---|---|
| `differences.csv` | `study_0 study_1 [shard] metric difference mean std split_N ...`: on the models' own studies |
| `rows.csv` | `src trg split rows which`: how many rows, and which, a model was tested on |
| `beside.csv` | `met model src trg mean std splits our_mean our_std our_splits difference beyond`: others' and ours |
| `curves.csv` | `dataset metric shard mean std splits` |

Deviations are over splits, with n - 1 below; empty where there is one split only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from comparator.formats.names import as_file_name
from comparator.formats.text import write_text_whole
from comparator.objective.differences import DIFFERENCES, NoValue, distance

DECIMALS = 4
#: What is said where a model does not tell a number.
UNKNOWN = "?"
#: A table of scores tells of no deviation from seed to seed.
WITHOUT_UNIT = [name for name, difference in DIFFERENCES.items() if not difference.needs_unit]


@dataclass(frozen=True)
class CrossTest:
    """One model, trained on `source`, tested on `target`."""

    source: str
    target: str
    split: int
    scores: Mapping[str, float | None]


@dataclass(frozen=True)
class Trained:
    """One model of a learning curve, with the scores on its held-out rows."""

    study: str
    split: int
    size: int
    scores: Mapping[str, float | None]
    seconds: float


def cross_study_scores(tests: Iterable[CrossTest], model: str) -> pd.DataFrame:
    """`all_scores.csv`: pairs of studies by name, in each the metrics in their order, in each the splits."""
    blocks = []
    ordered = sorted(tests, key=lambda test: (f"{test.source}-{test.target}", test.split))
    for (source, target), group in itertools.groupby(ordered, key=lambda test: (test.source, test.target)):
        by_split = pd.DataFrame({test.split: test.scores for test in group}, dtype=float)
        block = by_split.stack().dropna().reset_index()
        block.columns = pd.Index(["met", "split", "value"])
        blocks.append(block.assign(src=source, trg=target, model=model))
    if not blocks:
        return pd.DataFrame(columns=["met", "split", "value", "src", "trg", "model"])
    return pd.concat(blocks)


def matrix(scores: pd.DataFrame, metric: str, statistic: str, studies: Sequence[str]) -> pd.DataFrame:
    """The `mean` or `std` over splits of one metric: a row a source, a column a target, NaN where there is none."""
    chosen = scores[scores.met == metric].groupby(["src", "trg"])["value"].agg(statistic).unstack()
    return chosen.reindex(index=pd.Index(studies, name="src"), columns=pd.Index(studies, name="trg"))


def cells(scores: pd.DataFrame, metric: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Mean and deviation over splits of one metric, by source and target."""
    grouped = scores[scores.met == metric].groupby(["src", "trg"])["value"]
    return {pair: (float(values.mean()), float(values.std())) for pair, values in grouped}


def row_words(rows: pd.DataFrame, target: str) -> str:
    """How many rows of a study the models are tested on, mean over splits: one number where it is so for all."""
    means = rows[rows.trg == target].groupby("src")["rows"].mean().dropna()
    if means.empty:
        return f"{UNKNOWN} rows"
    low, high = means.min(), means.max()
    return f"{low:,.0f} rows" if low == high else f"{low:,.0f} to {high:,.0f} rows"


def count_words(count: Any) -> str:
    """A number of rows for people."""
    return UNKNOWN if pd.isna(count) else f"{count:,}"


def write_cross_study(
    folder: Path,
    scores: pd.DataFrame,
    studies: Sequence[str],
    missing: Sequence[str],
    rows: pd.DataFrame,
    compared: pd.DataFrame | None = None,
) -> list[str]:
    """Write a cross-study's tables, and remove those of an earlier writing; returns their names.

    `compared` has others' scores beside these (`comparator.studies.beside`), None where there are none.
    """
    tables = {"all_scores.csv": scores.to_csv(index=False)}
    by_name = sorted(studies)
    for metric in dict.fromkeys(scores.met):
        stem = as_file_name(metric)
        tables[f"{stem}_scores.csv"] = scores[scores.met == metric].to_csv()
        tables[f"{stem}_mean_csa_table.csv"] = matrix(scores, metric, "mean", by_name).round(DECIMALS).to_csv()
        tables[f"{stem}_std_csa_table.csv"] = matrix(scores, metric, "std", by_name).to_csv()
    tables["densed_csa_table.csv"] = _densed(scores).to_csv(index=False)
    tables["differences.csv"] = cross_study_differences(scores, studies).to_csv(index=False)
    tables["rows.csv"] = rows.to_csv(index=False)
    if compared is not None:
        tables["beside.csv"] = compared.to_csv(index=False)
    if missing:
        tables["missing_pred_files.txt"] = "".join(f"{line}\n" for line in missing)
    return write_all(folder, tables)


def _densed(scores: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for summary, chosen in (("within", scores.src == scores.trg), ("cross", scores.src != scores.trg)):
        part = scores[chosen].groupby("met")["value"].agg(["mean", "std"]).reset_index()
        parts.append(part.assign(summary=summary))
    model = scores.model.iloc[0] if len(scores) else ""
    return pd.concat(parts).sort_values("met", kind="stable").assign(model=model)


def cross_study_differences(scores: pd.DataFrame, studies: Sequence[str]) -> pd.DataFrame:
    """The difference of each two studies' models, each on its own study's rows."""
    within = scores[scores.src == scores.trg]
    return _differences({(): _by_metric_study_split(within, "met", "src")}, studies, ())


def learning_curve_differences(scores: pd.DataFrame, studies: Sequence[str]) -> pd.DataFrame:
    """The difference of each two studies' models of one size, each on its own study's rows."""
    sizes = {(shard,): _by_metric_study_split(group, "metric", "dataset") for shard, group in scores.groupby("shard")}
    return _differences(sizes, studies, ("shard",))


def _by_metric_study_split(scores: pd.DataFrame, metric: str, study: str) -> dict[tuple[str, str, int], float]:
    keys = zip(scores[metric], scores[study], scores["split"], strict=True)
    return dict(zip(keys, scores["value"], strict=True))


def _differences(
    groups: Mapping[Any, Mapping[tuple[str, str, int], float]],
    studies: Sequence[str],
    keys: tuple[str, ...],
) -> pd.DataFrame:
    """A row for each pair of studies, group, metric and kind of difference; values are (metric, study, split)'s."""
    splits = sorted({split for values in groups.values() for _, _, split in values})
    rows = []
    for (first, second), (group, values) in itertools.product(itertools.combinations(studies, 2), groups.items()):
        for metric, name in itertools.product(dict.fromkeys(metric for metric, _, _ in values), WITHOUT_UNIT):
            found = [
                _difference(name, values.get((metric, first, split)), values.get((metric, second, split)))
                for split in splits
            ]
            if any(value is not None for value in found):
                both = pd.Series(found, dtype=float)
                rows.append([first, second, *group, metric, name, both.mean(), both.std(), *found])
    columns = ["study_0", "study_1", *keys, "metric", "difference", "mean", "std", *(f"split_{n}" for n in splits)]
    return pd.DataFrame(rows, columns=columns)


def _difference(name: str, first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return None
    try:
        return distance(DIFFERENCES[name], first, second)
    except NoValue:
        return None


def learning_curve_scores(trained: Iterable[Trained], model: str) -> pd.DataFrame:
    """`all_scores.csv` of learning curves: studies, in each the splits, the metrics and the sizes."""
    rows = [
        {"metric": metric, "shard": one.size, "value": value, "split": one.split, "model": model, "dataset": one.study}
        for one in trained
        for metric, value in one.scores.items()
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["metric", "shard", "value", "split", "model", "dataset"])


def curves(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and deviation over splits of each metric, by study and size."""
    grouped = scores.groupby(["dataset", "metric", "shard"], sort=False)["value"]
    return grouped.agg(["mean", "std", "count"]).rename(columns={"count": "splits"}).reset_index()


def write_learning_curve(
    folder: Path, scores: pd.DataFrame, trained: Sequence[Trained], studies: Sequence[str]
) -> list[str]:
    """Write a learning curve's tables, and remove those of an earlier writing; returns their names."""
    times = [
        {
            "dataset": one.study,
            "split": one.split,
            "shard": one.size,
            "hours": int(one.seconds // 3600),
            "minutes": int(one.seconds // 60 % 60),
            "seconds": round(one.seconds % 60, 3),
        }
        for one in trained
    ]
    tables = {
        "all_scores.csv": scores.to_csv(index=False),
        "curves.csv": curves(scores).to_csv(index=False),
        "differences.csv": learning_curve_differences(scores, studies).to_csv(index=False),
        "runtimes.csv": pd.DataFrame(times).to_csv(index=False),
    }
    return write_all(folder, tables)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each as a dict by its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def write_all(folder: Path, tables: Mapping[str, str]) -> list[str]:
    """Write each file whole, then rename it; other CSV and text files of the folder are removed."""
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        write_text_whole(folder / name, text)
    for path in [*folder.glob("*.csv"), *folder.glob("*.txt")]:
        if path.name not in tables:
            path.unlink()
    return list(tables)
