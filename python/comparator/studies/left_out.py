"""Leaving out: which drugs, cell lines or tumour types of the training data change the difference of two models most?

    model = "cmp"                          # and the rest of a comparison: hyperparameters, [set], [cmp]

    [left_out]
    leave_out = "drugs"                    # or "cell_types", "cells"
    blocks = 8                             # data splits with seeds of their own, the same with and without
    # names = ["Erlotinib", "Lapatinib"]   # these alone; left out: all that the training studies have
    # groups = 12                          # dealt at random to so many groups; or a table of lists of names
    # fewest_rows = 50                     # what has fewer is not looked at
    # control = "largest"                  # as many random rows as the largest subset has; "each": as each has; "none"
    # exclude = "exclude_drugs", at_random = "exclude_at_random": what the models call them

Each subset is left out of the training of both models, and of nothing else: what validates is the same with and
without. k subsets cost k + 1 trainings a block and model, and one more for the random rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from comparator.engine.given import run_hyperparameters
from comparator.errors import ComparatorError, InputError, nearest
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.formats.names import as_file_name
from comparator.formats.spelling import as_kept
from comparator.formats.text import shown
from comparator.model.model import Model
from comparator.objective.comparison import failure_words
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.run_store import RunStore
from comparator.strategies.blocks import FIRST_FRESH
from comparator.studies import left_out_report, sweep
from comparator.studies.left_out_changes import Subset, block_words, measure, of_block
from comparator.studies.left_out_predictions import key_of
from comparator.studies.study import Planned, Study, begin, reopen
from comparator.studies.sweep import COUNT_ROWS, Point, StudiesSession

NAME = "left_out"
#: The hyperparameter of `preprocess.sh` that has it say how many rows each name has, and the line in which it does.
COUNT_ROWS_BY, SAID = "count_rows_by", b"ROWS_BY_NAME "
MOST_SUBSETS = 250
OF_OTHERS = {
    "space": "all is trained at one point, which [set] gives",
    "upf": f"the points follow from [{NAME}]",
    "search": f"how often each subset is left out is said by blocks in [{NAME}]",
    "confirm": "nothing is searched that could be confirmed",
}


class LeftOutTable(BaseModel):
    """`[left_out]` of an experiment file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    leave_out: Literal["drugs", "cells", "cell_types"] = "drugs"
    blocks: int = Field(default=8, ge=4, le=1000)
    names: list[str] | None = Field(default=None, min_length=1)
    groups: int | dict[str, list[str]] | None = None
    fewest_rows: int = Field(default=1, ge=1)
    control: Literal["largest", "each", "none"] = "largest"
    seed: int = Field(default=1, ge=0)  # by which names are dealt to groups
    exclude: str = ""
    at_random: str = "exclude_at_random"

    @field_validator("names")
    @classmethod
    def _once(cls, given: list[str] | None) -> list[str] | None:
        for name in given or ():
            if (given or []).count(name) > 1:
                raise ValueError(f"{shown(name)} stands twice")
        return given

    @field_validator("groups", mode="before")
    @classmethod
    def _of_names(cls, given: Any) -> Any:
        if given is not None and not isinstance(given, dict) and type(given) is not int:
            raise ValueError("must be a number, or a table of lists of names")
        if isinstance(given, int) and given < 2:
            raise ValueError("must be two or more")
        for name, members in given.items() if isinstance(given, dict) else ():
            if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
                raise ValueError(f"{shown(name)} must be a list of names")
            if not members:
                raise ValueError(f"{shown(name)} has no names")
        return given

    @model_validator(mode="after")
    def _names_or_groups(self) -> LeftOutTable:
        if self.names is not None and isinstance(self.groups, dict):
            raise ValueError("groups has the names of each group: leave names out")
        if not self.exclude:
            self.exclude = f"exclude_{self.leave_out}"
        return self


class FrozenTable(LeftOutTable):
    """The table as it is kept, with the subsets that it came to."""

    subsets: list[Subset] = Field(default_factory=list)


def table_of(frozen: FrozenExperiment) -> FrozenTable:
    """The table that an experiment was planned by."""
    return of_form(FrozenTable, frozen.table(NAME), f"experiment.json of '{frozen.id}': {NAME}")


# Planning


def _plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> Planned:
    plan, table = make_plan(host, path, overrides, command)
    return Planned(plan, _words_beforehand(plan, table))


def make_plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> tuple[Plan, FrozenTable]:
    """Check everything, and choose the subsets; raises `InputError`."""
    file, table = sweep.read_file(path, overrides, NAME, LeftOutTable, command)
    where = f"{path}: [{NAME}]"
    for key, instead in OF_OTHERS.items():
        if key in file.content:
            raise InputError(f"{path}: '{key}' has no meaning in [{NAME}]: {instead}")
    varied = {table.exclude: ["a name"], **({} if table.control == "none" else {table.at_random: True})}
    plan = sweep.plan_sweep(host, file, varied, compares=True)
    _check_models(plan, table, varied, where)
    subsets = subsets_of(table, _rows_by_name(host, plan, table, where), where)
    frozen = FrozenTable(**table.model_dump(), subsets=subsets)
    return sweep.with_points(plan, file, NAME, frozen, points_of(plan.frozen, frozen)), frozen


def _check_models(plan: Plan, table: LeftOutTable, varied: Mapping[str, Any], where: str) -> None:
    """Raise `InputError` where a model takes no seed, or does not know what is left out."""
    for model, submodel in zip(plan.models, plan.frozen.models, strict=True):
        if submodel.seed is None:
            raise InputError(f"{where}: {model.name} takes no seed that is known, so that chance cannot be told")
        known = model.description.names
        for name in varied:
            own = submodel.names.get(name, as_kept(name))
            if known and own not in known:
                instead = '; give control = "none"' if name == table.at_random else ""
                raise InputError(f"{where}: {model.name} has no hyperparameter '{own}'{nearest(own, known)}{instead}")


def _rows_by_name(host: Host, plan: Plan, table: LeftOutTable, where: str) -> dict[str, list[int]]:
    """How many rows of each model's studies each name has, by name; empty where a model cannot tell.

    Raises `InputError` for a name of the table that there is not.
    """
    groups = table.groups.values() if isinstance(table.groups, dict) else []
    asked = [*(table.names or ()), *(name for members in groups for name in members)]
    found: dict[str, list[int]] = {}
    for number, (model, submodel) in enumerate(zip(plan.models, plan.frozen.models, strict=True)):
        if not _tells(model):
            return {}
        given = {**submodel.config, **submodel.hyperparameters, COUNT_ROWS_BY: table.leave_out, COUNT_ROWS: True}
        point = {submodel.names.get(table.exclude, as_kept(table.exclude)): asked} if asked else {}
        with host.console.status(f"counting rows: {submodel.label}"):
            said = sweep.ask(host, model, given, point, where)
        line = next((each for each in said.splitlines() if each.startswith(SAID)), None)
        if line is None:
            return {}
        for name, count in json.loads(line.removeprefix(SAID)).items():
            found.setdefault(name, [0, 0])[number] = count
    return found


def _tells(model: Model) -> bool:
    return model.is_ready and model.script("preprocess.sh") is not None and COUNT_ROWS_BY in model.description.names


def subsets_of(table: LeftOutTable, rows: Mapping[str, Sequence[int]], where: str) -> list[Subset]:
    """What is left out, each subset once; `rows` says how many each name has, for each model. Raises `InputError`."""
    if isinstance(table.groups, dict):
        members = table.groups
    elif table.names is None and not rows:
        raise InputError(f"{where}: the models do not tell which {words_of(table.leave_out)} there are; give names")
    else:
        chosen = sorted(rows, key=str.casefold) if table.names is None else table.names
        if table.groups is not None and table.groups > len(chosen):
            raise InputError(f"{where}: groups = {table.groups}: there are {len(chosen)} {words_of(table.leave_out)}")
        members = _dealt(chosen, rows, table) if table.groups is not None else {name: [name] for name in chosen}
    by_key = {key_of(name): counts for name, counts in rows.items()}
    for name in (name for listed in members.values() for name in listed) if rows else ():
        if not any(by_key.get(key_of(name), ())):
            there = (each for each, counts in rows.items() if any(counts))
            raise InputError(f"{where}: {shown(name)} has no row that either model learns from{nearest(name, there)}")
    subsets = [Subset(name=name, members=each, rows=_rows(each, by_key)) for name, each in members.items()]
    kept = [each for each in subsets if not rows or max(each.rows) >= table.fewest_rows]
    if not kept:
        raise InputError(f"{where} fewest_rows = {table.fewest_rows}: nothing that could be left out has as many")
    if len(kept) > MOST_SUBSETS:
        raise InputError(f"{where}: {len(kept)} {words_of(table.leave_out)}; give names, or groups = 12")
    if table.control == "largest" and not rows:
        raise InputError(
            f'{where}: the models do not tell which subset is the largest; give control = "each", or "none"'
        )
    return kept


def words_of(kind: str) -> str:
    """What of the data is left out, in words."""
    return {"drugs": "drugs", "cells": "cell lines", "cell_types": "tumour types"}[kind]


def _rows(members: Sequence[str], by_key: Mapping[str, Sequence[int]]) -> list[int]:
    counts = [by_key.get(key_of(name), (0, 0)) for name in members]
    return [sum(each[number] for each in counts) for number in (0, 1)]


def _dealt(names: Sequence[str], rows: Mapping[str, Sequence[int]], table: LeftOutTable) -> dict[str, list[str]]:
    """The names in so many groups, dealt at random, so that these have about as many rows each."""
    count = int(str(table.groups))
    shuffled = sorted(names)
    random.Random(table.seed).shuffle(shuffled)
    shuffled.sort(key=lambda name: -sum(rows.get(name, (0, 0))))  # the large ones first; of equal ones as shuffled
    groups: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for name in shuffled:
        smallest = sizes.index(min(sizes))
        groups[smallest].append(name)
        sizes[smallest] += max(1, sum(rows.get(name, (0, 0))))
    return {f"group {number}": sorted(each) for number, each in enumerate(groups, start=1)}


def points_of(frozen: FrozenExperiment, table: FrozenTable) -> dict[str, Point]:
    """The evaluations by their ids, block by block: all rows, each subset left out, as many random rows."""
    points: dict[str, Point] = {}
    for block in range(table.blocks):
        seeds = seeds_of(frozen, FIRST_FRESH + block)
        points[of_block(block_words(None), block)] = seeds
        for number, subset in enumerate(table.subsets):
            without = {**seeds, table.exclude: list(subset.members)}
            points[of_block(block_words(number, as_file_name(subset.name)), block)] = without
        for number in controlled(table):
            at_random = {**seeds, table.exclude: list(table.subsets[number].members), table.at_random: True}
            points[of_block(block_words(number, is_control=True), block)] = at_random
    return points


def controlled(table: FrozenTable) -> list[int]:
    """The subsets in whose place random rows are left out."""
    everything = range(len(table.subsets))
    if table.control == "largest":
        return [max(everything, key=lambda number: sum(table.subsets[number].rows))]
    return list(everything) if table.control == "each" else []


def seeds_of(frozen: FrozenExperiment, step: int) -> Point:
    """The seed and the split of both models that lie so many steps above the user's own, which no search has used."""
    found: list[Point] = []
    for number, submodel in enumerate(frozen.models):
        given, seed = run_hyperparameters(frozen, number, {}, seed=step, split=step, epochs=None)
        own = {submodel.seed or "": seed}
        found.append({**own, submodel.split: given[submodel.split]} if submodel.split is not None else own)
    if found[0] == found[1]:
        return found[0]
    return {f"cmp_{number}_{name}": value for number, each in enumerate(found) for name, value in each.items()}


def _words_beforehand(plan: Plan, table: FrozenTable) -> list[str]:
    pairs, controls = len(plan.frozen.upf or ()), len(controlled(table))
    at_random = f", {controls} control{'s' if controls > 1 else ''} without as many random rows" if controls else ""
    times = "once" if len(table.subsets) == 1 else f"{len(table.subsets)} times"
    return [
        f"left out of training, one after the other: {', '.join(subset.name for subset in table.subsets)}",
        f"all rows, {times} without some{at_random}, in {table.blocks} blocks: {pairs} pairs,"
        f" {2 * pairs} trainings; those in the store are not done again",
    ]


# Carrying out


def _finish(host: Host, opened: StudiesSession) -> Path:
    table = table_of(opened.frozen)
    records = opened.train()
    with host.console.status("reading predictions"):
        read = RunStore(host.experiments).predicted_rows
        found = measure(opened.frozen, records, table.subsets, controlled(table), read)
    if found is None:
        raise ComparatorError(
            f"no block has a difference with all rows; the last failure: {_last_failure(records, host)}"
        )
    with host.console.status("writing the report"):
        kind = words_of(table.leave_out)
        looked_at = kind if table.groups is None else f"groups of {kind}"
        said, files = left_out_report.write(opened.folder, opened.frozen, looked_at, found)
    for sentence in said:
        host.say(sentence)
    return sweep.conclude(host, opened.folder, files)


def _last_failure(records: Sequence[Any], host: Host) -> str:
    failed = [record for record in records if record.status != "ok"]
    return failure_words(failed[-1], host.experiments) if failed else "none"


STUDY = Study(NAME, LeftOutTable, _plan, begin, reopen, _finish)
