"""What a study of what is left out has found: of the difference, of each model's metric, of each one's predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict

from comparator.evidence.omission import Mean, Omission, omissions
from comparator.evidence.row_scores import Block, Measure
from comparator.findings.explanation import followed_score
from comparator.findings.like_for_like import scores_called
from comparator.findings.metric_agreement import suited_difference
from comparator.objective.differences import DIFFERENCES, signed_difference
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation, Run
from comparator.results.whole import whole_evaluations
from comparator.studies.left_out_predictions import Elsewhere, Moved, Pairs, elsewhere, moved
from comparator.tables.predictions import PredictedRows

#: What models call the number of rows that they learned from.
TRAINING_ROWS = "training_rows"

Read = Callable[[Run], PredictedRows | None]


class Subset(BaseModel):
    """What is left out together, and how many rows it has in the studies of either model; 0 where it is not known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    members: list[str]
    rows: list[int]


@dataclass(frozen=True)
class Change:
    """What leaving something out changes: of the difference, and of both models apart.

    `rows` are the training rows that each lost, on average; None where it does not report them. `metrics` are the
    changes of each one's metric, with intervals each of one alone. `elsewhere` is the difference over all held-out rows
    but those of what was left out.
    """

    rows: tuple[float | None, float | None]
    metrics: tuple[Mean | None, Mean | None]
    moved: tuple[Moved | None, Moved | None]
    elsewhere: Elsewhere | None = None

    @property
    def rows_lost(self) -> tuple[float, float]:
        """The rows, 0 where they are not known."""
        return self.rows[0] or 0.0, self.rows[1] or 0.0


@dataclass(frozen=True)
class Effect:
    """A subset: what it changes to leave it out, and, where that was tried, to leave out as many random rows.

    `failed` are the blocks without a result.
    """

    subset: Subset
    omission: Omission
    change: Change
    failed: int

    @property
    def called(self) -> str:
        return self.subset.name


@dataclass(frozen=True)
class Control:
    """As many random rows as a subset has, left out in its place; `omission` is the change of the difference."""

    subset: Subset
    difference: Mean | None
    change: Change
    failed: int

    @property
    def called(self) -> str:
        return f"random rows, as many as {self.subset.name}"


@dataclass(frozen=True)
class Found:
    """A study's result: the difference with all rows, and the subsets, what changes it most first.

    A subset that is shown to change it stands before those that are not. Differences are counted in the `direction`
    of that with all rows, so that a positive change makes the models differ more; 1 is the second model's metric less
    the first's.
    """

    direction: int
    whole: Mean
    metrics: tuple[Mean | None, Mean | None]
    effects: tuple[Effect, ...]
    controls: tuple[Control, ...]
    blocks: int

    @property
    def shown(self) -> list[Effect]:
        return [each for each in self.effects if each.omission.shown]

    @property
    def lines(self) -> list[Effect | Control]:
        """All that was left out, random rows last."""
        return [*self.effects, *self.controls]

    def control_of(self, effect: Effect) -> Control | None:
        """The random rows that a subset is compared with: its own, else those of the largest."""
        own = [each for each in self.controls if each.subset == effect.subset]
        return next(iter([*own, *self.controls]), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values of `report.json`."""
        effects = [
            {**asdict(each), "subset": each.subset.model_dump(), "shown": each.omission.shown} for each in self.effects
        ]
        controls = [{**asdict(each), "subset": each.subset.model_dump()} for each in self.controls]
        return {**asdict(self), "effects": effects, "controls": controls}


def block_words(number: int | None, name: str = "", *, is_control: bool = False) -> str:
    """What the trainings without subset `number` are called in the record; None: with all rows."""
    if number is None:
        return "all"
    return f"random-{number}" if is_control else f"without-{number}-{name}"[:80]


def of_block(words: str, block: int) -> str:
    """The id of an evaluation."""
    return f"block-{block}.{words}"


def measure(
    frozen: FrozenExperiment,
    records: Sequence[Evaluation],
    subsets: Sequence[Subset],
    controlled: Sequence[int],
    read: Read,
) -> Found | None:
    """Measure the changes; None where no block has a difference with all rows.

    `controlled` are the numbers of the subsets in whose place random rows were left out; `read` gives what a run has
    predicted.
    """
    trained = _trained(records)
    whole = trained.get("all", {})
    known = _differences(whole, 1)
    if not known:
        return None
    direction = 1 if fmean(known.values()) >= 0 else -1
    differences = _differences(whole, direction)
    mean = Mean.of(list(differences.values()))
    assert mean is not None
    without = [trained.get(f"without-{number}", {}) for number in range(len(subsets))]
    at_random = {number: trained.get(f"random-{number}", {}) for number in controlled}
    of_random = {number: _differences(lines, direction) for number, lines in at_random.items()}
    shared = next(iter(of_random.values())) if len(of_random) == 1 else None
    judged = omissions(
        differences,
        [_differences(lines, direction) for lines in without],
        [of_random.get(number, shared) for number in range(len(subsets))],
    )
    all_rows = AllRows(frozen, records, whole, read, direction)
    effects = [
        Effect(subset, one, all_rows.change(subset.members, lines), _failed(lines))
        for subset, lines, one in zip(subsets, without, judged, strict=True)
    ]
    controls = [
        Control(
            subsets[number],
            Mean.of(_apart(of_random[number], differences)),
            all_rows.change([], lines),
            _failed(lines),
        )
        for number, lines in at_random.items()
    ]
    first, second = (Mean.of(list(_reported(whole, number, frozen.metric).values())) for number in (0, 1))
    return Found(direction, mean, (first, second), tuple(sorted(effects, key=_rank)), tuple(controls), len(whole))


class AllRows:
    """The trainings with all rows, with which those without some are compared, block by block."""

    def __init__(
        self,
        frozen: FrozenExperiment,
        records: Sequence[Evaluation],
        lines: Mapping[int, Evaluation],
        read: Read,
        direction: int,
    ) -> None:
        self._metric, self._lines, self._read = frozen.metric, lines, read
        self._pairs = _pairs(lines, read)
        self._measure = _measure_of(frozen, records, lines, self._pairs, direction)

    def change(self, members: Sequence[str], lines: Mapping[int, Evaluation]) -> Change:
        """What it changes to train without some; random rows have no names."""
        pairs, told = _pairs(lines, self._read), self._measure
        return Change(
            (self._lost(lines, 0), self._lost(lines, 1)),
            (self._metrics(lines, 0), self._metrics(lines, 1)),
            (moved(self._pairs, pairs, 0, members), moved(self._pairs, pairs, 1, members)),
            None if told is None else elsewhere(self._pairs, pairs, members, told),
        )

    def _lost(self, lines: Mapping[int, Evaluation], number: int) -> float | None:
        had, has = (_reported(each, number, TRAINING_ROWS) for each in (self._lines, lines))
        lost = _apart(had, has)
        return fmean(lost) if lost else None

    def _metrics(self, lines: Mapping[int, Evaluation], number: int) -> Mean | None:
        return Mean.of(_apart(*(_reported(each, number, self._metric) for each in (lines, self._lines))))


def _pairs(lines: Mapping[int, Evaluation], read: Read) -> Pairs:
    """What both models have predicted, of each block in which both have kept it."""
    found = {}
    for block, line in lines.items():
        runs = _run(line, 0), _run(line, 1)
        first, second = (None if run is None else read(run) for run in runs)
        if first is not None and second is not None:
            found[block] = first, second
    return found


def _measure_of(
    frozen: FrozenExperiment,
    records: Sequence[Evaluation],
    lines: Mapping[int, Evaluation],
    pairs: Pairs,
    direction: int,
) -> Measure | None:
    """How the difference follows from predictions; None where it does not."""
    known = []
    for block, predicted in pairs.items():
        first, second = _run(lines[block], 0), _run(lines[block], 1)
        if first is not None and second is not None:
            known.append(((first, second), Block(block, predicted)))
    score = followed_score(frozen.metric, scores_called(frozen.metric), known) if known else None
    if score is None:
        return None
    difference = DIFFERENCES[suited_difference(frozen, records, frozen.metric)]
    return Measure(score, partial(signed_difference, difference), direction)


def _trained(records: Sequence[Evaluation]) -> dict[str, dict[int, Evaluation]]:
    """The evaluations by what was left out, `all`, `without-3`, `random-3`, and block."""
    found: dict[str, dict[int, Evaluation]] = {}
    for record in whole_evaluations(records):
        block, _, words = (record.id or "").partition(".")
        kind = "-".join(words.split("-")[:2])
        found.setdefault(kind, {})[int(block.removeprefix("block-"))] = record
    return found


def _rank(effect: Effect) -> tuple[bool, float]:
    change = effect.omission.change
    return not effect.omission.shown, -abs(change.value) if change is not None else math.inf


def _differences(lines: Mapping[int, Evaluation], direction: int) -> dict[int, float]:
    """The signed difference of each block that has one, in a direction."""
    known = {block: line.signed for block, line in lines.items() if line.status == "ok" and line.signed}
    return {block: direction * fmean(signed) for block, signed in known.items()}


def _reported(lines: Mapping[int, Evaluation], number: int, name: str) -> dict[int, float]:
    """What a model reports by a name, of each block in which it was trained well."""
    found = {block: run.metrics.get(name) for block, line in lines.items() if (run := _run(line, number)) is not None}
    return {block: value for block, value in found.items() if value is not None and math.isfinite(value)}


def _apart(one: Mapping[int, float], other: Mapping[int, float]) -> list[float]:
    """By how much one is more than the other in each block that has both."""
    return [value - other[block] for block, value in sorted(one.items()) if block in other]


def _run(line: Evaluation, number: int) -> Run | None:
    return next((run for run in line.runs if run.submodel == number and run.status == "ok"), None)


def _failed(lines: Mapping[int, Evaluation]) -> int:
    return sum(line.status != "ok" for line in lines.values())
