"""What a cross-study and a learning curve have in common: their file, their points, their trainings."""

from __future__ import annotations

import io
import itertools
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from comparator.engine.workers import Workers
from comparator.errors import InputError, named_as_typed
from comparator.experiment.closing import say_what_is_next
from comparator.experiment.context import Context
from comparator.experiment.dry_run import describe_host
from comparator.experiment.experiment_file import apply_setting, set_hyperparameters
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.session import Session
from comparator.experiment.settings import ExperimentSettings, known_keys
from comparator.experiment.terminal import note
from comparator.formats.hyperparameters import as_flags, parse_override
from comparator.formats.names import check_name
from comparator.formats.refusal import refusal
from comparator.formats.spelling import as_kept, is_same, merged, spelling
from comparator.formats.text import shown
from comparator.formats.upf import Line
from comparator.model.description import read_toml
from comparator.model.model import Model
from comparator.model.process import call, exit_words
from comparator.model.reported import last_words, reports_in
from comparator.results.files import read_json
from comparator.results.frozen import Budget, FrozenExperiment
from comparator.results.record import Evaluation
from comparator.site.profile import Slot

Point = dict[str, Any]
#: The hyperparameter of `preprocess.sh` that has it say how many rows a training would have.
COUNT_ROWS = "count_rows"
#: The metric by which it does.
TRAINING_ROWS = "training_rows"


class StudiesTable(BaseModel):
    """What both tables of an experiment file have: which studies, which splits, and what these are called."""

    model_config = ConfigDict(extra="forbid", strict=True)

    studies: list[str] = Field(min_length=1)
    splits: list[int] = Field(default_factory=lambda: [1, 2, 3], min_length=1)
    # The model's hyperparameters that take them.
    source: str = "train_sources"
    split: str = "split_seed"

    #: The keys that name hyperparameters.
    names: ClassVar[tuple[str, ...]] = ("source", "split")

    @field_validator("studies")
    @classmethod
    def _folders(cls, given: list[str]) -> list[str]:
        for study in given:
            try:
                check_name(study, "study")
            except InputError as error:
                raise ValueError(str(error)) from None
        return given

    @field_validator("studies", "splits")
    @classmethod
    def _once(cls, given: list[Any]) -> list[Any]:
        for value in given:
            if given.count(value) > 1:
                raise ValueError(f"{shown(value)} stands twice")
        return given

    @model_validator(mode="after")
    def _names_of_several(self) -> StudiesTable:
        for one, other in itertools.combinations(self.names, 2):
            if is_same(as_kept(getattr(self, one)), as_kept(getattr(self, other))):
                raise ValueError(f"{one} and {other} are both {shown(getattr(self, one))}: a point has one value of it")
        return self


Table = TypeVar("Table", bound=StudiesTable)
AnyTable = TypeVar("AnyTable", bound=BaseModel)


def spelt_by(model: Model, table: Table) -> Table:
    """The table with the names of hyperparameters as the model writes them."""
    known = model.description.names
    return table.model_copy(update={key: spelling(as_kept(getattr(table, key)), known) for key in table.names})


@dataclass(frozen=True)
class SweepFile:
    """A checked experiment file: everything but its own table."""

    path: Path
    content: Mapping[str, Any]
    command: str


def read_file(
    path: Path, overrides: Sequence[str], name: str, kind: type[AnyTable], command: str
) -> tuple[SweepFile, AnyTable]:
    """Read an experiment file with the table `name`; raises `InputError` that names the file and the key.

    `overrides` are the command line's `--set KEY=VALUE`: a key of the table as `NAME.KEY`, a hyperparameter as
    `hyperparameters.NAME`, any other key as the file has it.
    """
    content = read_toml(path)
    table = content.pop(name, None)
    if not isinstance(table, dict):
        raise InputError(f"{path}: has no table [{name}]")
    chosen: dict[str, Any] = {}
    known = [each for each in known_keys() if not each.startswith("search.")]  # nothing is searched
    known += [f"{name}.{each}" for each in kind.model_fields]
    for override in overrides:
        key, value = parse_override(override)
        section, dot, rest = key.partition(".")
        if dot and section == name:
            table[rest] = value
        elif key in ExperimentSettings.model_fields:
            content[key] = value
        else:
            apply_setting(content, chosen, key, value, f"--set {override}", known)
    set_hyperparameters(content, chosen, path)
    try:
        checked = kind.model_validate(table)
    except ValidationError as error:
        raise InputError(refusal(error, f"{path}: [{name}]", sorted(kind.model_fields))) from None
    return SweepFile(path, content, command), checked


def plan_sweep(host: Host, file: SweepFile, varied: Mapping[str, Any], *, compares: bool = False) -> Plan:
    """Check everything but the points; `varied` is one of them. Raises `InputError`, also where it `compares` not."""
    with host.console.status("checking"):
        try:
            settings = ExperimentSettings.model_validate({**file.content, "upf": str(file.path)})
        except ValidationError as error:
            known = sorted(set(ExperimentSettings.model_fields) - {"set", "space", "upf", "search", "cmp"})
            known += ["cmp"] * compares
            raise InputError(refusal(error, str(file.path), known)) from None
        if settings.compares and not compares:
            raise InputError(f"{file.path}: model = 'cmp': give a single model; its studies are compared")
        if compares and not settings.compares:
            raise InputError(f"{file.path}: model = '{settings.model}': give two that are compared, by model = \"cmp\"")
        context = Context(file.path.resolve(), host, file.command)
        with named_as_typed(file.path):
            plan = make_plan(settings, context, [Line("a-point", dict(varied))])
    for notice in plan.frozen.notices:
        note(host.console, notice)
    return plan


def with_points(plan: Plan, file: SweepFile, name: str, table: BaseModel, points: Mapping[str, Point]) -> Plan:
    """The plan for these points, which remembers the table that they come from."""
    return plan.noting(
        settings={**plan.frozen.settings, "upf": f"[{name}] of {file.path.name}"},
        upf=list(points.items()),
        budget=Budget(evaluations=len(points), generations=None),
        **{name: table.model_dump(mode="json")},
    )


def count_rows(
    host: Host, plan: Plan, points: Sequence[Point], where: str, limit: str | None = None
) -> list[int | None]:
    """How many rows each training would have, None where the model cannot tell.

    The model's `preprocess.sh` is asked, which refuses what the data do not have: then raises `InputError`.
    Points name hyperparameters as the model does. `limit` is the one that limits the rows; it is left open here.
    """
    model, submodel = plan.models[0], plan.frozen.models[0]
    script = model.script("preprocess.sh")
    if script is None or not model.is_ready:
        return [None for _ in points]
    given = {**submodel.config, **submodel.hyperparameters}
    if COUNT_ROWS in model.description.hyperparameters:
        given[COUNT_ROWS] = True
    if limit is not None:
        given = {name: value for name, value in given.items() if not is_same(name, limit)}

    def count(point: Point) -> int | None:
        counts = {
            report.name: report.number for report in reports_in(io.BytesIO(ask(host, model, given, point, where)))
        }
        rows = counts.get(TRAINING_ROWS)
        return int(rows) if rows is not None and math.isfinite(rows) else None

    def numbered(number: int) -> tuple[int, int | None]:
        return number, count(points[number])

    with host.console.status("counting rows"), Workers[tuple[int, int | None]](host.workers, lambda: None) as workers:
        for number in range(len(points)):
            workers.start(partial(numbered, number))
        counts = dict(workers.results())
    return [counts[number] for number in range(len(points))]


def ask(host: Host, model: Model, given: Mapping[str, Any], point: Mapping[str, Any], where: str) -> bytes:
    """What a model's `preprocess.sh` says to hyperparameters at a point; raises `InputError` with its last words."""
    data_folder = host.site.data_folder
    seen = model.seen(merged(given, point), data_folder)
    inside = [*model.command("preprocess.sh"), model.seen(str(data_folder), data_folder), *as_flags(seen)]
    command, environment = call(model, inside, Slot(0), data_folder)
    with tempfile.NamedTemporaryFile() as log:
        done = subprocess.run(
            command,
            env=environment,
            cwd=data_folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            last = last_words(Path(log.name)) or exit_words(done.returncode, "preprocess.sh")
            raise InputError(f"{where}: {model.name}: {last}")
        log.seek(0)
        return log.read()


class StudiesSession(Session):
    """A session whose records and models a study looks at."""

    def __init__(self, opened: Session) -> None:
        super().__init__(opened._host, opened._plan, opened._folder)

    @property
    def frozen(self) -> FrozenExperiment:
        return self._plan.frozen

    @property
    def model(self) -> Model:
        return self._plan.models[0]

    @property
    def models(self) -> list[Model]:
        return self._plan.models

    @property
    def folder(self) -> Path:
        return self._folder.path

    def train(self) -> list[Evaluation]:
        """Train what is not in the store; returns the records of all points. Raises as `search` does."""
        return self.search()

    def say_how_to_go_on(self) -> None:
        """Say that what is finished is kept, after a stop between trainings."""
        self._host.say("stopped: what is finished is kept; go on by:")
        self._host.show(f"  {self._resume_command()}")


def check_kind(frozen: FrozenExperiment, name: str, identifier: str) -> None:
    """Raise `InputError` where an experiment has no table of a study's `name`, and so is none of its kind."""
    if frozen.table(name) is None:
        raise InputError(
            f"experiment '{identifier}' has no [{name}]; go on with it by: comparator search --resume {identifier}"
        )


def describe(host: Host, plan: Plan, lines: Sequence[str]) -> None:
    """Say what would run."""
    frozen = plan.frozen
    host.say(frozen.title)
    for model in frozen.models:
        name = "" if model.name == model.label else f"{model.label}, "
        host.say(f"  model: {name}{model.name} in {model.path}")
    for line in lines:
        host.say(f"  {line}")
    describe_host(host, plan.models)
    host.say("nothing was started (--dry-run)")


def words(mean: float, deviation: float, digits: int = 3) -> str:
    """A mean with its deviation, where there is one: `0.52 ± 0.03`."""
    if math.isnan(mean):
        return "-"
    return f"{mean:.{digits}f}" + ("" if math.isnan(deviation) else f" ± {deviation:.{digits}f}")


def conclude(host: Host, folder: Path, tables: Sequence[str]) -> Path:
    """Say where everything is; returns the folder."""
    report = folder / "report.html"
    there = f"{len(tables)} tables" if len(tables) > 1 else "a table"
    host.say(f"{there} and the figures lie beside the report:")
    host.show(f"report: {report}")
    say_what_is_next(host, read_json(report.with_suffix(".json")) or {})
    return folder
