"""Cross-study analysis: a model is trained on each study, once a split, and tested on all of them by `infer.sh`.

    [cross_study]
    studies = ["CCLE", "GDSC1", "GDSC2"]
    splits = [1, 2, 3]                     # values of split_seed
    # source = "train_sources", target = "test_sources", split = "split_seed": what the model calls them
    # beside = "published.csv"             # a table of others, see studies/beside.py
    # beside_models = ["lgbm"]             # of its models these; all where it is not given

k studies cost k trainings a split, and give all k * k tests and all k (k - 1) / 2 differences. Which rows a test is
made on is the model's affair; `tables/rows.csv` says it in the model's words.
"""

from __future__ import annotations

import itertools
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import Field, model_validator
from rich.table import Table
from rich.text import Text

from comparator.errors import ComparatorError, InputError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.terminal import note
from comparator.objective.comparison import failure_words
from comparator.results.form import of_form
from comparator.results.record import Evaluation
from comparator.results.whole import whole_evaluations
from comparator.studies import beside, figures, page, sweep, tables
from comparator.studies.inference import PREDICTIONS, Inference
from comparator.studies.next_step import on_more_splits
from comparator.studies.study import Planned, Study, begin, reopen
from comparator.studies.sweep import Point, StudiesSession, StudiesTable, SweepFile, words

NAME = "cross_study"
#: What is shown first, where the model reports it: it does not depend on how much a study's labels vary.
SHOWN_FIRST = "r2"
#: What a relative difference suits.
ERRORS = ("mse", "rmse", "mae")


class TestedTable(StudiesTable):
    """Which studies are trained on, split by split, and tested on."""

    target: str = "test_sources"

    names: ClassVar[tuple[str, ...]] = (*StudiesTable.names, "target")


class CrossStudyTable(TestedTable):
    """`[cross_study]` of an experiment file."""

    # A table of others' scores, and which of its models are shown.
    beside: str | None = None
    beside_models: list[str] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _models_of_a_table(self) -> CrossStudyTable:
        if self.beside_models is not None and self.beside is None:
            raise ValueError("beside_models: there is no table that they are of; give beside")
        return self


def _plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> Planned:
    """Check everything; raises `InputError`."""
    file, table = sweep.read_file(path, overrides, NAME, CrossStudyTable, command)
    if table.beside is not None:
        for notice in _read_beside(table, path.parent / table.beside, f"{path}: [{NAME}]")[1]:
            note(host.console, notice)
    plan = sweep.plan_sweep(host, file, next(iter(points_of(table).values())))
    check_model(plan, file)
    table = sweep.spelt_by(plan.models[0], table)
    points = points_of(table)
    # All studies at once, so that data are asked for that have them all.
    together = [{**point, table.target: table.studies} for point in points.values()]
    sweep.count_rows(host, plan, together, f"{path}: [{NAME}] studies")
    tests = f"{len(points)} trainings, {len(points) * len(table.studies)} tests; those in the store are not done again"
    said = [f"studies: {', '.join(table.studies)}; splits {table.splits}", tests]
    kept = {} if table.beside is None else {beside.KEPT: path.parent / table.beside}
    return Planned(sweep.with_points(plan, file, NAME, table, points), said, kept)


def _read_beside(table: CrossStudyTable, file: Path, where: str) -> tuple[pd.DataFrame, list[str]]:
    return beside.read_for(file, table.studies, table.beside_models, where)


def points_of(table: TestedTable) -> dict[str, Point]:
    """The trainings by their ids: each study once a split."""
    return {
        point_id(study, split): {table.source: [study], table.split: split}
        for split in table.splits
        for study in table.studies
    }


def point_id(study: str, split: int) -> str:
    return f"{study}-split_{split}"


def check_model(plan: Plan, file: SweepFile) -> None:
    """Raise `InputError` where a model cannot be tested on other studies."""
    model = plan.models[0]
    if model.script("infer.sh") is None:
        raise InputError(f"{file.path}: {model.name} has no infer.sh, by which it could be tested on other studies")


def _finish(host: Host, opened: StudiesSession) -> Path:
    table = of_form(CrossStudyTable, opened.frozen.table(NAME), f"experiment.json of '{opened.frozen.id}': {NAME}")
    records = opened.train()
    trained = _trained(records)
    if not trained:
        raise ComparatorError(f"no training ended well; the last one: {failure_words(records[-1], host.experiments)}")
    inference = Inference(opened.model, host, table.target, opened.frozen.run_timeout)
    infer_all(host, opened, inference, trained, table)
    tests, missing = collect_tests(inference, trained, table)
    scores = tables.cross_study_scores(tests, opened.model.name)
    if scores.empty:
        raise ComparatorError(f"no test ended well; see {inference.folder(next(iter(trained.values())), 'failed.log')}")
    link_predictions(opened.folder / "infer", inference, trained, tests)
    rows = rows_of_tests(inference, trained, tests)
    compared = _compared(opened, table, scores)
    written = tables.write_cross_study(opened.folder / "tables", scores, table.studies, missing, rows, compared)
    _show(host, scores, table.studies, rows)
    return _report(host, opened, table, scores, rows, compared, written)


def _compared(opened: StudiesSession, table: CrossStudyTable, scores: pd.DataFrame) -> pd.DataFrame | None:
    """The published cells with ours, None where no table was given or none of its cells is among ours."""
    if table.beside is None:
        return None
    published, _ = _read_beside(table, opened.folder / beside.KEPT, f"experiment '{opened.frozen.id}': [{NAME}]")
    compared = beside.compare(published, scores)
    return None if compared.empty else compared


def _trained(records: Sequence[Evaluation]) -> dict[str, str]:
    """The identities of the runs that ended well, by the ids of their points."""
    well = [record for record in whole_evaluations(records) if record.status == "ok"]
    return {record.id or "": record.runs[-1].run or "" for record in well}


def infer_all(
    host: Host, opened: StudiesSession, inference: Inference, trained: Mapping[str, str], table: TestedTable
) -> None:
    """Test what was trained, by `point_id`, on all studies; what is tested already is not tested again."""
    wanted = {
        identity: missing for identity in trained.values() if (missing := inference.missing(identity, table.studies))
    }
    todo = sum(map(len, wanted.values()))
    host.say(f"tests: {len(trained) * len(table.studies)}, of which {todo} to do")
    try:
        with host.console.status("testing") as status:
            failed = inference.run_all(
                wanted, lambda done: status.update(f"testing: {done} of {len(wanted)} models done")
            )
    except KeyboardInterrupt:
        opened.say_how_to_go_on()
        raise
    for identifier, identity in trained.items():
        if identity in failed:
            host.say(f"{identifier}: not tested: {failed[identity]} ({inference.folder(identity, 'failed.log')})")


def collect_tests(
    inference: Inference, trained: Mapping[str, str], table: TestedTable
) -> tuple[list[tables.CrossTest], list[str]]:
    """All tests there are, and the predictions that are missing, by the names that IMPROVE gives them."""
    tests, missing = [], []
    for source in table.studies:
        for target in table.studies:
            for split in table.splits:
                identity = trained.get(point_id(source, split))
                scores = inference.scores(identity, target) if identity is not None else None
                if scores is not None:
                    tests.append(tables.CrossTest(source, target, split, scores))
                if identity is None or not (inference.folder(identity, target) / PREDICTIONS).is_file():
                    missing.append(f"infer/{source}-{target}/split_{split}/{PREDICTIONS}")
    return tests, missing


def link_predictions(
    folder: Path, inference: Inference, trained: Mapping[str, str], tests: Sequence[tables.CrossTest]
) -> None:
    """Lay out IMPROVE's tree, `infer/SRC-TRG/split_N/`, so that its own scripts read the predictions."""
    shutil.rmtree(folder, ignore_errors=True)
    for test in tests:
        pair = folder / f"{test.source}-{test.target}"
        pair.mkdir(parents=True, exist_ok=True)
        written = inference.folder(trained[point_id(test.source, test.split)], test.target)
        (pair / f"split_{test.split}").symlink_to(os.path.relpath(written, pair), target_is_directory=True)


def rows_of_tests(inference: Inference, trained: Mapping[str, str], tests: Sequence[tables.CrossTest]) -> pd.DataFrame:
    """How many rows each test has, as far as its predictions are there, and which, where `test_rows.txt` says it."""
    rows = []
    for test in tests:
        folder = inference.folder(trained[point_id(test.source, test.split)], test.target)
        note = folder / "test_rows.txt"
        said = note.read_text(encoding="utf-8", errors="replace") if note.is_file() else ""
        which = said.strip().partition(": ")[2]
        rows.append([test.source, test.target, test.split, _lines_below_header(folder / PREDICTIONS), which])
    return pd.DataFrame(rows, columns=["src", "trg", "split", "rows", "which"]).astype({"rows": "Int64"})


def _lines_below_header(path: Path) -> int | None:
    if not path.is_file():
        return None
    with path.open("rb") as table:
        return sum(1 for _ in table) - 1


def metrics_in_order(scores: pd.DataFrame) -> list[str]:
    """The metrics there are, the one that is shown first in front."""
    return sorted(dict.fromkeys(scores.met), key=lambda metric: metric != SHOWN_FIRST)


def _show(host: Host, scores: pd.DataFrame, studies: Sequence[str], rows: pd.DataFrame) -> None:
    metric = metrics_in_order(scores)[0]
    cells = tables.cells(scores, metric)
    digits = figures.decimals_of(list(cells.values()))
    shown = Table(
        box=None, pad_edge=False, header_style="bold", title=f"{metric}: trained on (row), tested on (column)"
    )
    shown.title_justify = "left"
    shown.add_column("")
    for target in studies:
        shown.add_column(Text(f"{target}\n{tables.row_words(rows, target)}"), justify="right")
    for source in studies:
        shown.add_row(
            source, *(words(*cells.get((source, target), (math.nan, math.nan)), digits) for target in studies)
        )
    host.console.print(shown)


def _report(
    host: Host,
    opened: StudiesSession,
    table: CrossStudyTable,
    scores: pd.DataFrame,
    rows: pd.DataFrame,
    compared: pd.DataFrame | None,
    files: Sequence[str],
) -> Path:
    metrics = metrics_in_order(scores)
    said, sections = answer(scores, metrics[0], table.studies), [_differences(scores, table), _which_rows(rows)]
    if compared is not None:
        metric, file = next(metric for metric in metrics if metric in set(compared.met)), Path(str(table.beside)).name
        said.append(beside.sentence(compared, metric, file))
        sections.insert(0, beside.section(compared, metric, file))
        host.say(said[-1])
    with host.console.status("writing the report"):
        drawn = [figures.cross_study(scores, metric, table.studies, rows) for metric in metrics]
        pictures = figures.write(opened.folder / "figures", drawn)
        short = in_short(scores, metrics[0])
        words = "To be surer of what separates the studies, train on more splits; what is trained already is found"
        step = on_more_splits(opened.frozen, NAME, table.splits, words)
        page.write(opened.folder, opened.frozen, said, short, pictures, sections, files, step)
    return sweep.conclude(host, opened.folder, files)


def answer(scores: pd.DataFrame, metric: str, studies: Sequence[str]) -> list[str]:
    """What the matrix of `metric` says: on the own study, on others, and each pair both ways."""
    cells = tables.cells(scores, metric)
    digits = figures.decimals_of(list(cells.values()))
    own, other = _own_and_others(cells)
    name = figures.NAMES.get(metric, metric)
    sentences = [f"On its own study a model reaches {name} {_range(own, digits)}"] if own else []
    if other:
        sentences.append(f"on another study {_range(other, digits)}.")
    for first, second in itertools.combinations(studies, 2):
        if (first, second) in cells and (second, first) in cells:
            there, back = (words(*cells[pair], digits) for pair in ((first, second), (second, first)))
            sentences.append(f"From {first} to {second} it is {there}, back {back}.")
    return [", ".join(sentences[:2]), *sentences[2:]]


def in_short(scores: pd.DataFrame, metric: str) -> str:
    """The same in a few words: on the own study, and on others."""
    cells = tables.cells(scores, metric)
    digits = figures.decimals_of(list(cells.values()))
    own, other = _own_and_others(cells)
    parts = [f"{_range(own, digits)} on its own study"] if own else []
    parts += [f"{_range(other, digits)} on others"] if other else []
    return f"{figures.NAMES.get(metric, metric)} {', '.join(parts)}"


def _own_and_others(cells: Mapping[tuple[str, str], tuple[float, float]]) -> tuple[list[float], list[float]]:
    own = [mean for (source, target), (mean, _) in cells.items() if source == target]
    return own, [mean for (source, target), (mean, _) in cells.items() if source != target]


def _range(values: Sequence[float], digits: int) -> str:
    low, high = (f"{end:.{digits}f}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _differences(scores: pd.DataFrame, table: CrossStudyTable) -> page.Section:
    """The differences of the models, each on its own study, by equation 1 where it is defined, else absolute."""
    found = tables.cross_study_differences(scores, table.studies)
    shown = [
        [
            *(row["study_0"], row["study_1"], figures.NAMES.get(row["metric"], row["metric"]), row["difference"]),
            words(row["mean"], row["std"]),
        ]
        for row in tables.rows_of(found)
        if row["difference"] == ("relative" if row["metric"] in ERRORS else "absolute")
    ]
    return page.Section(
        "How the studies' models differ",
        "Each model on its own study's held-out rows; relative is equation 1. All kinds are in differences.csv.",
        ["study", "and", "metric", "difference", "mean"],
        shown,
    )


def _which_rows(rows: pd.DataFrame) -> page.Section:
    """Which rows the models were tested on, as the model says it; a line for those that say the same."""
    shown = []
    for (source, target), part in itertools.groupby(tables.rows_of(rows), key=lambda row: (row["src"], row["trg"])):
        tests = list(part)
        which = "; ".join(dict.fromkeys(row["which"] for row in tests))
        shown.append([source, target, ", ".join(tables.count_words(row["rows"]) for row in tests), which])
    return page.Section("Rows of the tests", "By split.", ["trained on", "tested on", "rows", "which"], shown)


STUDY = Study(NAME, CrossStudyTable, _plan, begin, reopen, _finish)
