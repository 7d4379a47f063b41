"""Is it the study, or only its size? What became of a difference with equal rows, shared drugs, shared cell lines.

Two studies differ in how many rows they have, and in which drugs and cell lines, before they differ in what they
measured. Each of three designs takes one of these away, and trains what an experiment has shown anew, on the same
fresh blocks: so each is compared block by block with what it was. Which claims are tried, by which hyperparameters,
is planned by `comparator.experiment.controls`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from comparator.errors import InputError
from comparator.findings.recheck import Rechecked, recheck, shown_in, tried_by
from comparator.findings.studies import given, studies_of
from comparator.results.experiments import read_experiment
from comparator.results.frozen import Claim, FrozenExperiment, Submodel
from comparator.results.record import CONFIRM, Evaluation
from comparator.results.record_file import read_records
from comparator.results.state import last_word

Design = Literal["rows", "drugs", "cells"]
DESIGNS: tuple[Design, ...] = ("rows", "drugs", "cells")
EQUAL = 0.01  # row counts that differ by less, of the larger, are equal
MARK = ": "  # between a design and the claim that it tries, in the name of a claim


@dataclass(frozen=True)
class Controlled:
    """What became of a claim by a design; `verdict` is `stays`, `weaker`, `gone` or `not settled`."""

    design: Design
    found: Rechecked

    @property
    def verdict(self) -> str:
        return "stays" if self.found.verdict == "reproduced" else self.found.verdict


@dataclass(frozen=True)
class Controls:
    """All designs, of an experiment (`id`) that compares these `studies`.

    `tried_by` is the experiment that tried them, None where none did. `idle` says of designs why there is nothing to
    do; `left` are those that could be tried and were not, by so many `pairs` of trainings each.
    """

    id: str
    tried_by: str | None
    studies: tuple[str, str]
    found: tuple[Controlled, ...]
    idle: tuple[str, ...]
    left: tuple[Design, ...]
    pairs: int

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        found = [{"design": each.design, **asdict(each.found), "verdict": each.verdict} for each in self.found]
        return {**asdict(self), "found": found}


def name_of(design: Design, claim: str) -> str:
    """Return the name of the claim that tries another by a design."""
    return f"{design}{MARK}{claim}"


def is_control(claim: Claim) -> bool:
    """Whether a claim tries another by a design."""
    return claim.name.partition(MARK)[0] in DESIGNS and MARK in claim.name


def controls_of(
    was: tuple[FrozenExperiment, Sequence[Evaluation]], now: tuple[FrozenExperiment, Sequence[Evaluation]] | None
) -> Controls | None:
    """Compare what an experiment has shown of two studies with what it is by each design that `now` tries.

    None where it does not compare two studies whose models say how rows are cut, or has shown nothing on fresh blocks.
    What an experiment of an earlier version does not say of its models, `now` does.
    """
    experiment, records = was
    described = experiment if now is None or all(model.controls for model in experiment.models) else now[0]
    studies = studies_of(described)
    if studies is None or experiment.rechecks or not (tried := claims_to_try(experiment, records)):
        return None
    done = [design for design in DESIGNS if now is not None and _by(design, now)[0].claims]
    found = [
        Controlled(design, each)
        for design in done
        if now
        for each in recheck(was, _by(design, now), together=len(done))
    ]
    reasons = {design: idle_reason(design, described, tried, records) for design in DESIGNS if design not in done}
    return Controls(
        id=experiment.id,
        tried_by=None if now is None else now[0].id,
        studies=studies,
        found=tuple(found),
        idle=tuple(reason for reason in reasons.values() if reason is not None),
        left=tuple(design for design, reason in reasons.items() if reason is None),
        pairs=sum(len(claim.points) for claim in tried),
    )


def controls_beside(folder: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Controls | None:
    """As `controls_of`, by the latest finished experiment beside `folder` that tried them, where there is one."""
    if experiment.kind == "single" or experiment.rechecks or not experiment.claims:
        return None
    over = (path for path in trying_by_designs(folder, experiment) if last_word(path).state == "finished")
    latest = next(over, None)
    now = None if latest is None else (read_experiment(latest), read_records(latest / "evaluations.jsonl"))
    return controls_of((experiment, records), now)


def trying_by_designs(folder: Path, experiment: FrozenExperiment) -> list[Path]:
    """Return the experiments beside `folder` that try by designs what the one in it has shown, the latest first."""
    found: list[tuple[str, Path]] = []
    for file in folder.parent.glob("*/experiment.json"):
        try:
            if b'"rechecks"' not in file.read_bytes():
                continue
            other = read_experiment(file.parent)
        except (InputError, OSError):  # of another version, damaged, or going at this moment
            continue
        if other.rechecks == experiment.id and any(map(is_control, other.claims or ())):
            found.append((other.created, file.parent))
    return [path for _, path in sorted(found, reverse=True)]


def controls_by(folder: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Controls | None:
    """As `controls_of`, of the experiment beside `folder` that the one in it tries; None where it is gone."""
    if not any(map(is_control, experiment.claims or ())):
        return None
    was = tried_by(folder, experiment)
    return None if was is None else controls_of(was, (experiment, records))


def _by(
    design: Design, now: tuple[FrozenExperiment, Sequence[Evaluation]]
) -> tuple[FrozenExperiment, list[Evaluation]]:
    """What tried one design, under the names of the claims that it tries."""
    experiment, records = now
    begins = f"{design}{MARK}"

    def renamed(name: str) -> str:
        return name.removeprefix(begins)

    claims = [
        claim.model_copy(update={"name": renamed(claim.name)})
        for claim in experiment.claims or ()
        if claim.name.startswith(begins)
    ]
    lines = [
        line.model_copy(update={"claim": renamed(line.claim)})
        for line in records
        if line.claim is not None and line.claim.startswith(begins)
    ]
    return experiment.model_copy(update={"claims": claims}), lines


def claims_to_try(was: FrozenExperiment, records: Sequence[Evaluation]) -> list[Claim]:
    """Return what an experiment has shown and rests most on: regions with more, and what they are compared with.

    Where no place has more, the difference itself: in a region, else over the space, else at a best point.
    """
    shown, claims = shown_in(was, records), was.claims or []
    rest = [claim for claim in claims if claim.kind in ("elsewhere", "space")]
    more = [claim for claim in claims if (claim.name, "more than elsewhere") in shown]
    if more:
        regions = [claim for claim in more if claim.kind == "region"]
        return [*(regions or more[:1]), *rest]
    for kind in ("region", "space", "elsewhere", "best"):
        found = [claim for claim in claims if claim.kind == kind and (claim.name, "difference") in shown]
        if found:
            return found[:1]
    return []


def idle_reason(
    design: Design, experiment: FrozenExperiment, tried: Sequence[Claim], records: Sequence[Evaluation]
) -> str | None:
    """Return why a design would change nothing; None where it changes something."""
    if design == "rows":
        counts = [each for claim in tried for each in rows_of(claim, records).values()]
        if not counts:
            return "rows: the models report no training_rows, so that it is not known how many are equal"
        if all(abs(first - second) <= EQUAL * max(first, second) for first, second in counts):
            return "rows: both models are trained on as many rows, so that there is nothing to make equal"
        return None
    what = "drugs" if design == "drugs" else "cell lines"
    matched = [_matched(submodel) for submodel in experiment.models]
    same = {"pair", "drug" if design == "drugs" else "cell"}
    if all(each in same for each in matched):
        return f"{design}: both models have the rows of shared {what} alone already, so that there is nothing to cut"
    return None


def _matched(submodel: Submodel) -> str | None:
    """By what a model's rows are matched with another study's already: pair where it does not say; None: not at all."""
    controls = submodel.controls or {}
    if not controls.get("shared") or given(submodel, controls["shared"]) in (None, "None", "", []):
        return None
    for design, found in (("drugs", "drug"), ("cells", "cell")):
        cut = controls.get(design)
        if cut and all(given(submodel, name) == value for name, value in cut.items()):
            return found
    return "pair"


def rows_of(claim: Claim, records: Iterable[Evaluation]) -> dict[int, tuple[float, float]]:
    """Return the training rows of both models in each fresh replicate of a claim, as far as they tell."""
    lines = [line for line in records if line.stage == CONFIRM and line.claim == claim.name]
    return {replicate: rows for line in lines for replicate, rows in _rows_in(line).items()}


def _rows_in(line: Evaluation, metric: str = "training_rows") -> Mapping[int, tuple[float, float]]:
    """The training rows of both models in each replicate of a line."""
    told = {(run.replicate, run.submodel): run.metrics.get(metric) for run in line.runs if run.status == "ok"}
    found = {}
    for replicate in {replicate for replicate, _ in told}:
        first, second = told.get((replicate, 0)), told.get((replicate, 1))
        if first is not None and second is not None:
            found[replicate] = (first, second)
    return found
