"""The tables, figures and page of a cross-HPO, and its answer in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from rich.table import Table
from rich.text import Text

from comparator.evidence.tuning_cost import Cost
from comparator.experiment.host import Host
from comparator.formats.names import as_file_name
from comparator.formats.text import write_text_whole
from comparator.report.figures.figure import Figure
from comparator.report.figures.heat import Scale
from comparator.strategies.tuning import AS_GIVEN
from comparator.studies import cross_study, figures, page, sweep, tables
from comparator.studies.figures import Matrix, MatrixCell
from comparator.studies.next_step import on_more_splits
from comparator.studies.sweep import StudiesSession
from comparator.studies.tuned import GIVEN, Outcome, Place
from comparator.studies.tuned_words import MARK, CostWords, answer_of, in_short, listed

#: The tuned settings as DeepHyper's users of IMPROVE keep them: by model and data set.
SETTINGS_FILE = "hyperparameters.json"


@dataclass(frozen=True)
class Tested:
    """A model's tests with its tuned settings: scores, predictions that are missing, and the rows of each."""

    tests: Sequence[tables.CrossTest]
    missing: Sequence[str]
    rows: pd.DataFrame


def write(host: Host, opened: StudiesSession, found: Outcome, tested: Mapping[str, Tested]) -> Path:
    """Write all of it into the experiment's folder and say the answer; returns the folder."""
    words = CostWords(found)
    written = _write_tables(opened.folder / "tables", found)
    drawn: list[Figure] = []
    for model, each in tested.items():
        drawn.append(_cost_figure(words, model))
        scores = tables.cross_study_scores(each.tests, model)
        if scores.empty:
            host.say(f"{model}: no test ended well, so there is no table of a cross-study")
            continue
        place = as_file_name(model)
        names = tables.write_cross_study(
            opened.folder / "tables" / place, scores, found.tuning.studies, each.missing, each.rows
        )
        written += [f"{place}/{name}" for name in names]
        metric = cross_study.metrics_in_order(scores)[0]
        drawn.append(_cross_study_figure(found, model, scores, metric, each.rows))
    answer = answer_of(words)
    with host.console.status("writing the report"):
        pictures = figures.write(opened.folder / "figures", drawn)
        settings = [_tuned_settings(found, model) for model in found.tuning.models]
        sections = [*settings, _costs(words), *_failures(found)]
        splits = [*found.tuning.choose_on, *found.tuning.report_on]
        more = "To see smaller costs, report on more splits; what is trained already is found"
        step = on_more_splits(opened.frozen, "cross_hpo", splits, more)
        page.write(opened.folder, opened.frozen, answer, in_short(words), pictures, sections, written, step)
    _show(host, words)
    for sentence in answer:
        host.say(sentence)
    return sweep.conclude(host, opened.folder, written)


# Figures


def _cost_figure(words: CostWords, model: str) -> Figure:
    """Return the matrix of a model: settings tuned on the row's study, used on the column's."""
    found = words.found
    studies = found.tuning.studies
    cells = {
        (study, study): MatrixCell(0.0, "tuned here", "") for study in studies if found.tuned[model, study] is not None
    }
    for place, cost in found.costs.items():
        if place.model == model and cost.mean is not None:
            cells[place.tuned_on, place.used_on] = _cost_cell(words, cost)
    sizes = [abs(cell.value) for cell in cells.values()]
    reach = max(sizes, default=0.0) or 1.0
    unit = "%" if found.is_relative else words.metric
    several = len(found.tuning.models) > 1
    return figures.matrix(
        f"cost-{as_file_name(model)}",
        f"{f'{model}: w' if several else 'W'}hat settings cost that were tuned elsewhere",
        Matrix(
            cells,
            [GIVEN, *studies],
            [(study, "") for study in studies],
            ("tuned on", "used on"),
            f"cost in {words.metric}, {unit}" if found.is_relative else f"cost in {unit}",
        ),
        Scale(-reach, reach, 0.0),
        f"How much worse {words.metric} is than with the settings that were tuned on the column's study, with intervals"
        f" that hold for all numbers at once; {MARK}: zero is left out. Red: worse; blue: better.",
    )


def _cost_cell(words: CostWords, cost: Cost) -> MatrixCell:
    if cost.same:
        return MatrixCell(0.0, "same", "settings")
    mean = cost.mean or 0.0
    value = words.number(mean)
    return MatrixCell(value, words.text(mean) + (f" {MARK}" if cost.is_shown else ""), words.interval(cost))


def _cross_study_figure(found: Outcome, model: str, scores: pd.DataFrame, metric: str, rows: pd.DataFrame) -> Figure:
    drawn = figures.cross_study(scores, metric, found.tuning.studies, rows)
    of_model = f"{model}: " if len(found.tuning.models) > 1 else ""
    return replace(
        drawn,
        name=f"{drawn.name}-{as_file_name(model)}",
        title=f"{of_model}{drawn.title}, with the settings tuned on the training study",
    )


# Sections


def _tuned_settings(found: Outcome, model: str) -> page.Section:
    names = list(found.hyperparameters(model, 1))
    rows = []
    for row in (GIVEN, *found.tuning.studies):
        setting = found.setting(model, row)
        if setting is None:
            rows.append([row, "none", *("" for _ in names), ""])
            continue
        has = found.hyperparameters(model, setting)
        values = [_value(has[name]) if name in has else "the model's own" for name in names]
        mean = None if row == GIVEN else found.mean_when_chosen(model, row, setting)
        rows.append([row, str(setting), *values, "" if mean is None else f"{mean:.4g}"])
    of_model = f" of {model}" if len(found.tuning.models) > 1 else ""
    count, metric = len(found.tuning.models[model].settings), found.frozen.metric
    return page.Section(
        f"Tuned settings{of_model}",
        f"The best of {count} settings on each study, by the mean {metric} over the splits"
        f" {listed(found.tuning.choose_on)}; setting {AS_GIVEN} is as given. {SETTINGS_FILE} has them by model and"
        " study.",
        ["tuned on", "setting", *names, f"{metric}, when chosen"],
        rows,
    )


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _costs(words: CostWords) -> page.Section:
    several = len(words.found.tuning.models) > 1
    rows = [
        [*([place.model] if several else []), place.tuned_on, place.used_on, *_cost_words(words, cost)]
        for place, cost in words.found.costs.items()
    ]
    columns = ["tuned on", "used on", f"cost {words.of_metric()}", "interval", "splits", "zero left out"]
    return page.Section("Costs", words.intervals(), [*(["model"] if several else []), *columns], rows)


def _cost_words(words: CostWords, cost: Cost) -> list[str]:
    if cost.same:
        return ["0", "the same settings", "", ""]
    mean = "unknown" if cost.mean is None else words.text(cost.mean)
    return [mean, words.interval(cost), str(cost.pairs), "yes" if cost.is_shown else "no"]


def _failures(found: Outcome) -> list[page.Section]:
    """The trainings that failed: a setting that failed on a split that chooses is never the best there."""
    if not found.failed:
        return []
    rows = [
        [
            trial.model,
            trial.study,
            str(trial.split),
            str(trial.setting),
            _purpose(found, trial.split),
            found.reasons[trial],
        ]
        for trial in found.failed
    ]
    note = (
        "A setting that failed on a split that chooses is not chosen for that study; where a reported training failed,"
        " its split is left out of what it would be part of."
    )
    return [page.Section("Failed trainings", note, ["model", "study", "split", "setting", "for", "reason"], rows)]


def _purpose(found: Outcome, split: int) -> str:
    return "choosing" if split in found.tuning.choose_on else "reporting"


# Tables


def _write_tables(folder: Path, found: Outcome) -> list[str]:
    """Write the tables of all models, and the tuned settings; returns their names."""
    names = tables.write_all(
        folder,
        {
            "costs.csv": _costs_table(found).to_csv(index=False),
            "settings.csv": _settings_table(found).to_csv(index=False),
            "trainings.csv": _trainings_table(found).to_csv(index=False),
        },
    )
    best = {
        model: {
            study: found.hyperparameters(model, setting)
            for study in found.tuning.studies
            if (setting := found.tuned[model, study]) is not None
        }
        for model in found.tuning.models
    }
    write_text_whole(folder / SETTINGS_FILE, json.dumps(best, indent=1) + "\n")
    return [*names, SETTINGS_FILE]


def _costs_table(found: Outcome) -> pd.DataFrame:
    rows = []
    for place, cost in found.costs.items():
        low, high = cost.interval or (None, None)
        rows.append(
            {
                "model": place.model,
                "tuned_on": place.tuned_on,
                "used_on": place.used_on,
                "setting": found.setting(place.model, place.tuned_on),
                "setting_there": found.tuned[place.model, place.used_on],
                "cost": "log ratio" if found.is_relative else "difference",
                **{"mean": cost.mean, "low": low, "high": high, "splits": cost.pairs},
                "zero_left_out": cost.is_shown,
            }
        )
    return pd.DataFrame(rows).astype({"setting": "Int64", "setting_there": "Int64"})


def _settings_table(found: Outcome) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model": model,
                "setting": setting,
                **found.hyperparameters(model, setting),
                **{study: found.mean_when_chosen(model, study, setting) for study in found.tuning.studies},
                "tuned_on": " ".join(study for study in found.tuning.studies if found.tuned[model, study] == setting),
            }
            for model, tuned in found.tuning.models.items()
            for setting in range(len(tuned.settings))
        ],
        dtype=object,  # whole numbers stay whole beside models that have none of that name
    )


def _trainings_table(found: Outcome) -> pd.DataFrame:
    sign = -1 if found.frozen.objective.maximise else 1
    return pd.DataFrame(
        [
            {
                **trial._asdict(),
                "for": _purpose(found, trial.split),
                found.frozen.metric: None if value is None else sign * value,
                "failed": found.reasons.get(trial, ""),
            }
            for trial, value in found.values.items()
        ]
    )


# Terminal


def _show(host: Host, words: CostWords) -> None:
    found = words.found
    for model in found.tuning.models:
        shown = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        shown.title = f"{model}: cost {words.of_metric()} of settings tuned on (row), used on (column)"
        shown.add_column("")
        for study in found.tuning.studies:
            shown.add_column(Text(study), justify="right")
        for row in (GIVEN, *found.tuning.studies):
            cells = [_terminal_cell(words, Place(model, row, study)) for study in found.tuning.studies]
            shown.add_row(row, *map(Text, cells))
        host.console.print(shown)


def _terminal_cell(words: CostWords, place: Place) -> str:
    if place.tuned_on == place.used_on:
        return "tuned here"
    cost = words.found.costs[place]
    if cost.same:
        return "same settings"
    if cost.mean is None:
        return "unknown"
    return f"{words.text(cost.mean)}{MARK if cost.is_shown else ''} {words.interval(cost)}".rstrip()
