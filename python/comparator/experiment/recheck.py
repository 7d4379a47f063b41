"""A finding as a test: what an experiment claimed, trained anew with models, data and settings as they are now.

What is planned is an ordinary experiment whose search is over before it begins: its claims are those of the other,
and are tried on the same fresh blocks, so that what changed is compared block by block. Trainings of which nothing
has changed are found in the store. Where it is one point that is trained, several splits meet several seeds there, so
that it can be told which of them makes trainings differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comparator.errors import InputError
from comparator.experiment.experiment_file import overridden
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.planning import plan_settings
from comparator.results.experiments import experiment_path, read_whole_experiment
from comparator.results.form import Point
from comparator.results.frozen import Budget, Claim, Confirm, Submodel, WholeExperiment, described_in
from comparator.results.points import best_of
from comparator.results.record import CONFIRM, Evaluation
from comparator.results.record_file import read_records
from comparator.space import ParameterSpace
from comparator.space.typed import typed_point
from comparator.strategies.blocks import PARTS, SEED, SPLIT

#: Levels of each factor of a square; splits and seeds of a crossing.
LEVELS, SPLITS, SEEDS = 5, 4, 4


@dataclass(frozen=True)
class Meeting:
    """How many splits meet how many seeds, or how many `levels` of each the splits and all seeds have; None: as
    usual."""

    splits: int | None = None
    seeds: int | None = None
    levels: int | None = None


def plan_recheck(host: Host, identifier: str, overrides: Sequence[str], *, command: str) -> Plan:
    """Plan to try the claims of an experiment anew, with its settings and what `overrides` change of them.

    Raises `InputError` where it claims nothing that was trained anew, or can no longer be planned.
    """
    path = experiment_path(host.experiments, identifier)
    was = read_whole_experiment(path)
    check_claims(was, read_records(path / "evaluations.jsonl"))
    return plan_claims(host, was, overrides, command, f"Does '{identifier}' hold? {was.title}", was.claims or [])


def plan_crossing(
    host: Host, identifier: str, asked: Sequence[str], size: Meeting, overrides: Sequence[str], *, command: str
) -> Plan:
    """Plan to train a point of an experiment on several splits and seeds, all of which meet.

    `asked` gives the point as texts NAME=VALUE; without any it is the best that was found. Raises `InputError` where it
    is no point of the space, nothing was found, or a model takes no seed or no split.
    """
    path = experiment_path(host.experiments, identifier)
    was = read_whole_experiment(path)
    imported = "it was imported, and nothing can be trained for it" if was.imported else ""
    if why := was.why_nothing_is_compared or imported:
        raise InputError(f"experiment '{identifier}': {why}")
    best = best_of(read_records(path / "evaluations.jsonl"))
    if asked:
        point = typed_point(ParameterSpace.from_entries(was.space, identifier), asked)
    elif best:
        point = dict(best[0].point)
    else:
        raise InputError(f"experiment '{identifier}' has no result yet; say which point by --at NAME=VALUE")
    plan = plan_claims(host, was, overrides, command, f"What makes trainings of '{identifier}' differ?", [])
    return plan.noting(claims=[_crossing(plan.frozen.models, point, size)])


def _crossing(models: Sequence[Submodel], point: Point, size: Meeting) -> Claim:
    """The splits and seeds that a point is trained on: apart, where all models tell which seeds they have."""
    for model in models:
        for what, has in (("seed", model.seed), ("split", model.split)):
            if not has:
                raise InputError(
                    f"{model.label or model.name} takes no {what} that is known, so that it cannot vary; where it has"
                    f" one, name the hyperparameter by {what} = 'NAME' in its {model.description_file}"
                )
    parts = [part for part in PARTS if any(part in (model.seeds or {}) for model in models)]
    one_seed = [model.label or model.name for model in models if model.seeds is None]
    asks_apart = size.levels is not None
    if asks_apart and (one_seed or not parts):
        who = one_seed[0] if one_seed else "neither model"
        files = described_in(model for model in models if model.seeds is None or not one_seed)
        raise InputError(
            f"--levels: {who} names no seeds of first weights and of order (seeds = {{ initialisation = 'NAME', order ="
            f" 'NAME' }} in {files}); --splits and --seeds cross the two that there are"
        )
    is_apart = asks_apart or (bool(parts) and not one_seed and size.splits is None and size.seeds is None)
    if is_apart:
        factors, levels = [SPLIT, *parts, SEED], size.levels or LEVELS
        return Claim(name="point", kind="point", points=[point] * levels**2, factors=factors, levels=levels)
    splits, seeds = size.splits or SPLITS, size.seeds or SEEDS
    return Claim(name="point", kind="point", points=[point] * (splits * seeds), crossed=(splits, seeds))


def plan_claims(
    host: Host, was: WholeExperiment, overrides: Sequence[str], command: str, title: str, claims: Sequence[Claim]
) -> Plan:
    """Plan an experiment like another that tries these claims alone."""
    settings = overridden(was.settings, list(overrides), was.file, f"experiment '{was.id}'")
    search = settings.search.model_copy(update={"pilot": False, "first_epochs": None, "past": []})
    settings = settings.model_copy(update={"search": search, "title": title})
    plan = plan_settings(host, settings, Path(was.file), command, called=f"experiment '{was.id}'", searches=False)
    asked = was.stages.confirm or Confirm(points=0, seeds=1, splits=True)
    stages = was.stages.model_copy(update={"pilot": [], "probes": [], "first": None, "confirm": asked})
    return plan.noting(claims=list(claims), rechecks=was.id, budget=Budget(evaluations=0), stages=stages)


def check_claims(was: WholeExperiment, records: Sequence[Evaluation]) -> None:
    """Raise `InputError` where an experiment claims nothing that was trained anew."""
    is_tried = any(line.stage == CONFIRM for line in records)
    if was.why_nothing_is_compared:
        why = was.why_nothing_is_compared
    elif was.crossing is not None:
        why = "it looks at the variance of a point and claims nothing: there is nothing to check again"
    elif was.imported or not was.claims or not is_tried:
        anew = "it has trained nothing anew that it claims ([confirm] says how often that is done)"
        why = f"{anew}: there is nothing to check again"
    else:
        return
    raise InputError(f"experiment '{was.id}': {why}")
