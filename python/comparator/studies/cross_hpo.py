"""Cross-HPO: models are tuned on each of several studies, and what is tuned on one is used on the others.

    [cross_hpo]
    studies = ["CCLE", "GDSC1", "GDSC2"]
    splits = [1, 2, 3, 4, 5, 6]            # values of split_seed
    choosing = 2                           # the first so many choose settings; the others are reported on
    settings = 8                           # of each model: as given, and a Sobol sequence of its space
    # source = "train_sources", target = "test_sources", split = "split_seed": what the models call them

    [cross_hpo.models.Uno]                 # one for each model; of a single one these keys stand at the top
    model = "../containers/uno"
    space = "uno-space.json"

Every setting is trained on each study and choosing split. The best of a study, and the settings as given, are then
trained on all studies on the other splits, of which alone the report speaks (`comparator.strategies.tuning`).
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from comparator.errors import ComparatorError, InputError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.settings import entries_of
from comparator.formats.hyperparameters import parse_override
from comparator.formats.names import check_name
from comparator.formats.spelling import CONFIG_FILE, is_same, merged
from comparator.formats.text import shortened
from comparator.objective.comparison import failure_words
from comparator.results.experiments import experiment_names, read_experiment
from comparator.results.form import of_form
from comparator.results.frozen import MODEL, Budget, FrozenStrategy
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.whole import whole_evaluations
from comparator.space import ParameterSpace, Point
from comparator.strategies.sampling import sobol_points
from comparator.strategies.tuning import TUNING, TunedModel, Tuning
from comparator.studies import cross_study, sweep, tuned_report
from comparator.studies.cross_study import TestedTable
from comparator.studies.inference import Inference
from comparator.studies.study import Planned, Study, begin, reopen
from comparator.studies.sweep import StudiesSession, SweepFile
from comparator.studies.tuned import Outcome, outcome_of

NAME = "cross_hpo"
#: What is a model's own: at the top of the file, or in its table.
OF_A_MODEL = ("model", "hyperparameters", "space", "python", "requirements")
#: Tables and keys of other experiment files.
OF_OTHERS = {
    "search": "the budget is [cross_hpo] settings",
    "confirm": "what is tuned is tried on splits of its own anyway",
    "cmp": "models are tuned, not compared",
    "upf": "the points follow from [cross_hpo]",
}
FEWEST_REPORTED = 2  # of which an interval can be made
DRAWS = 100  # points of a sequence for each setting, before a space is said to have no more of them


class ModelTable(BaseModel):
    """`[cross_hpo.models.NAME]`: a model with what is its own. Paths are relative to the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    space: str | list[dict[str, Any]]
    hyperparameters: str | list[str] = Field(default_factory=list)
    set: dict[str, Any] = Field(default_factory=dict)
    python: str | None = None
    requirements: str | None = None

    @field_validator("space", mode="before")
    @classmethod
    def _entries_of_a_table(cls, given: Any) -> Any:
        return entries_of(given)


class CrossHPOTable(TestedTable):
    """`[cross_hpo]` of an experiment file."""

    studies: list[str] = Field(min_length=2)
    splits: list[int] = Field(default_factory=lambda: [1, 2, 3, 4, 5, 6])
    choosing: int = Field(default=2, ge=1)
    settings: int = Field(default=8, ge=2)
    seed: int = Field(default=1, ge=0)
    models: dict[str, ModelTable] = Field(default_factory=dict)

    @field_validator("models")
    @classmethod
    def _labels(cls, given: dict[str, ModelTable]) -> dict[str, ModelTable]:
        for label in given:
            try:
                check_name(label, "model")
            except InputError as error:
                raise ValueError(str(error)) from None
        return given

    @model_validator(mode="after")
    def _enough_splits(self) -> CrossHPOTable:
        fewest = self.choosing + FEWEST_REPORTED
        if len(self.splits) < fewest:
            raise ValueError(
                f"splits: {len(self.splits)} are too few: {self.choosing} choose, and what is chosen is reported on"
                f" {FEWEST_REPORTED} others at least; give {fewest} or more"
            )
        return self

    @property
    def choose_on(self) -> list[int]:
        return self.splits[: self.choosing]

    @property
    def report_on(self) -> list[int]:
        return self.splits[self.choosing :]


@dataclass(frozen=True)
class _Planned:
    """One model's part: its plan of a single training, the table with its names, its settings."""

    label: str
    plan: Plan
    table: CrossHPOTable
    settings: list[Point]


# Planning


def _plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> Planned:
    """Check everything; raises `InputError`."""
    file, table = sweep.read_file(path, overrides, NAME, CrossHPOTable, command)
    for key, instead in OF_OTHERS.items():
        if key in file.content:
            raise InputError(f"{path}: '{key}' has no meaning in a cross-HPO: {instead}")
    chosen = hyperparameters_typed(overrides)
    parts = [_plan_model(host, file, table, *each) for each in _models_of(file, table, chosen)]
    plan = _together(file, table, parts)
    return Planned(plan, _words_beforehand(host, plan, table))


def hyperparameters_typed(overrides: Sequence[str]) -> dict[str, Any]:
    """What the command line sets for all models, over what a model's own table sets."""
    given = [parse_override(override) for override in overrides]
    return {key.partition(".")[2]: value for key, value in given if key.startswith("hyperparameters.")}


def _models_of(
    file: SweepFile, table: CrossHPOTable, chosen: Mapping[str, Any]
) -> list[tuple[str | None, SweepFile, str | list[dict[str, Any]]]]:
    """Each model's label, the file as if it were that model's alone, and its space; a single one has no label."""
    common = {key: value for key, value in file.content.items() if key not in (*OF_A_MODEL, "title")}
    own = [key for key in OF_A_MODEL if key in file.content]
    if not table.models:
        space = file.content.get("space")
        if "model" not in own or space is None:
            raise InputError(f"{file.path}: give model and space, or a table [{NAME}.models.NAME] for each of several")
        content = {key: value for key, value in file.content.items() if key != "space"}
        return [(None, SweepFile(file.path, content, file.command), _checked_entries(space, file.path))]
    if own:
        raise InputError(f"{file.path}: '{own[0]}' stands in the table of each model, [{NAME}.models.NAME]")
    parts: list[tuple[str | None, SweepFile, str | list[dict[str, Any]]]] = []
    for label, each in table.models.items():
        given = each.model_dump(exclude={"space", "set"}, exclude_none=True)
        together = merged(merged(common.get("set", {}), each.set), chosen)
        content = {**common, **given, "set": together}
        parts.append((label, SweepFile(file.path, content, file.command), each.space))
    return parts


def _checked_entries(space: Any, path: Path) -> str | list[dict[str, Any]]:
    try:
        entries: str | list[dict[str, Any]] = entries_of(space)
    except ValueError as error:
        raise InputError(f"{path}: space: {error}") from None
    return entries


def _plan_model(
    host: Host,
    file: SweepFile,
    table: CrossHPOTable,
    label: str | None,
    own: SweepFile,
    named: str | list[dict[str, Any]],
) -> _Planned:
    """Check one model, its space, and that the data have all studies."""
    where = f"{file.path}: [{NAME}{'' if label is None else f'.models.{label}'}] space"
    folder = file.path.resolve().parent
    space = ParameterSpace.read(folder / named) if isinstance(named, str) else ParameterSpace.from_entries(named, where)
    for name in space.names:
        if any(is_same(name, taken) for taken in (table.source, table.split, table.target, MODEL, *CONFIG_FILE)):
            raise InputError(f"{where}: '{shortened(name)}' is not tuned: it says which study, split or model it is")
    settings = settings_of(space, table, where)
    one = {table.source: table.studies[:1], table.split: table.splits[0]}
    plan = sweep.plan_sweep(host, own, {**one, **settings[-1]})
    cross_study.check_model(plan, own)
    table = sweep.spelt_by(plan.models[0], table)
    # All studies at once, so that data are asked for that have them all.
    asked = [
        {table.source: [study], table.split: table.splits[0], table.target: table.studies} for study in table.studies
    ]
    sweep.count_rows(host, plan, asked, f"{file.path}: [{NAME}] studies")
    return _Planned(label or plan.models[0].name, plan, table, settings)


def settings_of(space: ParameterSpace, table: CrossHPOTable, where: str) -> list[Point]:
    """The settings of a model: as it is given, then points of a Sobol sequence, none twice."""
    given = space.constants
    wanted = table.settings - 1
    points: dict[str, Point] = {}
    size = space.size()
    draws = DRAWS * table.settings if size is None or size >= wanted else 0  # of a million settings they take hours
    for point in itertools.islice(sobol_points(space, table.seed), draws):
        points.setdefault(json.dumps(point), point)
        if len(points) == wanted:
            return [given, *points.values()]
    raise InputError(f"{where}: has {len(points) or size} points, and settings = {table.settings} asks for {wanted}")


def _together(file: SweepFile, table: CrossHPOTable, parts: Sequence[_Planned]) -> Plan:
    """One plan of all models' parts, whose points say whose they are."""
    first, several = parts[0].plan, len(parts) > 1
    frozen = [part.plan.frozen for part in parts]
    kinds = {each.metrics[each.metric].kind for each in frozen if each.metric in each.metrics}
    if len(kinds) > 1:
        raise InputError(f"{file.path}: metric = '{first.frozen.metric}' is an error to one model, a score to another")
    tuning = Tuning(
        models={
            part.label: TunedModel(
                source=part.table.source,
                split=part.table.split,
                settings=part.settings,
                fixed={MODEL: part.label} if several else {},
            )
            for part in parts
        },
        studies=table.studies,
        choose_on=table.choose_on,
        report_on=table.report_on,
    )
    (name, trainings), *_ = Counter(map(tuning.name, tuning.trials())).most_common(1)
    if trainings > 1:
        raise InputError(f"{file.path}: [{NAME}] models: names joined to a study's are alike: '{name}' is two")
    shared = {"upf": f"[{NAME}] of {file.path.name}"}
    left_out = ("python", "requirements", "hyperparameters") if several else ()
    settings = {key: value for key, value in first.frozen.settings.items() if key not in left_out}
    plan = first.noting(
        title=str(file.content.get("title") or "What do settings cost that were tuned on another study?"),
        settings={**settings, **shared},
        hyperparameters={} if several else first.frozen.hyperparameters,
        models=[
            each.models[0].model_copy(update={"submodel": number, "label": part.label})
            for number, (part, each) in enumerate(zip(parts, frozen, strict=True))
        ],
        metrics={name: metric for each in frozen for name, metric in each.metrics.items()},
        notices=list(dict.fromkeys(notice for each in frozen for notice in each.notices)),
        upf=None,
        strategy=first.frozen.strategy.model_copy(
            update={"name": TUNING, "seed": table.seed, "options": tuning.model_dump(mode="json")}
        ),
        budget=Budget(evaluations=tuning.most(), generations=None),
        **{NAME: table.model_dump(mode="json")},
    )
    return Plan(plan.frozen, None, [part.plan.models[0] for part in parts], plan.objective)


def tuning_of(strategy: FrozenStrategy, where: str) -> Tuning:
    return of_form(Tuning, strategy.options, where)


def _words_beforehand(host: Host, plan: Plan, table: CrossHPOTable) -> list[str]:
    """What would be trained and tested, and how long that took before, where it did."""
    tuning = tuning_of(plan.frozen.strategy, "the plan")
    most, choosing, models = tuning.most(), len(tuning.choosing()), len(tuning.models)
    tests = models * len(table.studies) ** 2 * len(table.report_on)
    lines = [
        f"models: {', '.join(tuning.models)}; {table.settings} settings of each",
        f"studies: {', '.join(table.studies)}; splits {table.choose_on} choose, {table.report_on} are reported on",
        f"{choosing} trainings to choose by, and at most {most - choosing} to report on; {tests} tests;"
        " those in the store are not done again",
    ]
    before = seconds_before(host.experiments, Path(plan.frozen.file))
    if before is None:
        return [*lines, "how long they take is not known before some were trained"]
    identifier, seconds = before
    minutes = math.ceil(most * seconds / host.workers / 60)
    return [*lines, f"{seconds:.1f} s a training in {identifier}: about {minutes} min with {host.workers} workers"]


def seconds_before(experiments: Path, file: Path) -> tuple[str, float] | None:
    """The latest cross-HPO of the same file that has trained, and the mean seconds of its trainings."""
    found = []
    for name in experiment_names(experiments):
        try:
            frozen = read_experiment(experiments / name)
            if frozen.table(NAME) is None or Path(frozen.file) != file:
                continue
            records = read_records(experiments / name / "evaluations.jsonl")
        except InputError:
            continue
        seconds = [run.seconds for line in records for run in line.runs if run.status == "ok" and run.seconds]
        found += [(frozen.created, name, fmean(seconds))] if seconds else []
    return max(found)[1:] if found else None


# What came out


def _finish(host: Host, opened: StudiesSession) -> Path:
    where = f"experiment.json of '{opened.frozen.id}'"
    table = of_form(CrossHPOTable, opened.frozen.table(NAME), f"{where}: {NAME}")
    tuning = tuning_of(opened.frozen.strategy, f"{where}: strategy")
    records = opened.train()
    if not any(record.status == "ok" for record in records):
        raise ComparatorError(f"no training ended well; the last one: {failure_words(records[-1], host.experiments)}")
    found = outcome_of(opened.frozen, tuning, records, _defaults(opened, tuning))
    tested = {label: _tests(host, opened, label, table, found, records) for label in tuning.models}
    return tuned_report.write(host, opened, found, tested)


def _defaults(opened: StudiesSession, tuning: Tuning) -> dict[str, dict[str, Any]]:
    """By label, the defaults that each model describes."""
    described = [model.description.hyperparameters.items() for model in opened.models]
    more = [{name: each.model_extra or {} for name, each in known} for known in described]
    return {
        label: {name: each["default"] for name, each in known.items() if "default" in each}
        for label, known in zip(tuning.models, more, strict=True)
    }


def _tests(
    host: Host,
    opened: StudiesSession,
    label: str,
    table: CrossHPOTable,
    found: Outcome,
    records: Sequence[Evaluation],
) -> tuned_report.Tested:
    """A model's cross-study: with the settings tuned on a study trained on it, and tested on all."""
    number = list(found.tuning.models).index(label)
    model = opened.models[number]
    names = sweep.spelt_by(model, table)
    of_study = TestedTable(
        studies=table.studies,
        splits=table.report_on,
        source=names.source,
        target=names.target,
        split=names.split,
    )
    runs = {record.id: record.runs[-1].run for record in whole_evaluations(records) if record.status == "ok"}
    trained = {
        cross_study.point_id(trial.study, trial.split): identity
        for study in table.studies
        for trial in found.own(label, study)
        if (identity := runs.get(found.tuning.name(trial))) is not None
    }
    inference = Inference(model, host, of_study.target, opened.frozen.run_timeout)
    if trained:
        cross_study.infer_all(host, opened, inference, trained, of_study)
    tests, missing = cross_study.collect_tests(inference, trained, of_study)
    rows = cross_study.rows_of_tests(inference, trained, tests)
    return tuned_report.Tested(tests, missing, rows)


STUDY = Study(NAME, CrossHPOTable, _plan, begin, reopen, _finish)
