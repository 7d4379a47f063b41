"""A finding as a test: what an experiment claimed, trained anew with models, data and settings as they are now.

What is planned is an ordinary experiment whose search is over before it begins: its claims are those of the other, and
are tried on the same fresh blocks, so that what changed is compared block by block. Trainings of which nothing has
changed are found in the store. Where it is one point that is trained, each of several splits meets each of several
seeds there, so that it can be told which of the two makes trainings differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.session import plan_settings
from comparator.experiment.settings import overridden
from comparator.results.points import best_of
from comparator.results.record import CONFIRM, Budget, Claim, Confirm, WholeExperiment
from comparator.results.store import experiment_path, read_records, read_whole_experiment
from comparator.space import ParameterSpace
from comparator.space.typed import typed_point


def plan_recheck(host: Host, identifier: str, overrides: Sequence[str], *, command: str) -> Plan:
    """Plan to try the claims of an experiment anew, with its settings and what `overrides` change of them.

    Raises `InputError` where it claims nothing that was trained anew, or can no longer be planned.
    """
    path = experiment_path(host.experiments, identifier)
    was = read_whole_experiment(path)
    _check(was, any(line.stage == CONFIRM for line in read_records(path / "evaluations.jsonl")))
    return _planned(host, was, overrides, command, f"Does '{identifier}' hold? {was.title}", was.claims or [])


def plan_crossing(
    host: Host, identifier: str, asked: Sequence[str], size: tuple[int, int], overrides: Sequence[str], *, command: str
) -> Plan:
    """Plan to train a point of an experiment on so many splits and seeds, each with each.

    `asked` gives the point as texts NAME=VALUE; without any it is the best that was found. Raises `InputError` where it
    is no point of the space, nothing was found, or a model takes no seed or no split.
    """
    path = experiment_path(host.experiments, identifier)
    was = read_whole_experiment(path)
    if was.kind == "single" or was.imported:
        why = was.why_nothing_is_compared or "it was imported, and nothing can be trained for it"
        raise InputError(f"experiment '{identifier}': {why}")
    for model in was.models:
        for what, has in (("seed", model.seed), ("split", model.split)):
            if not has:
                raise InputError(
                    f"{model.label or model.name} takes no {what} that is known, so that it cannot vary; where it has"
                    f" one, name the hyperparameter by {what} = 'NAME' in its model.toml"
                )
    best = best_of(read_records(path / "evaluations.jsonl"))
    if asked:
        point = typed_point(ParameterSpace.from_entries(was.space, identifier), asked)
    elif best:
        point = dict(best[0].point)
    else:
        raise InputError(f"experiment '{identifier}' has no result yet; say which point by --at NAME=VALUE")
    splits, seeds = size
    claim = Claim(name="point", kind="point", points=[point] * (splits * seeds), crossed=size)
    return _planned(host, was, overrides, command, f"What makes trainings of '{identifier}' differ?", [claim])


def _planned(
    host: Host, was: WholeExperiment, overrides: Sequence[str], command: str, title: str, claims: Sequence[Claim]
) -> Plan:
    """Plan an experiment like another that tries these claims alone."""
    settings = overridden(was.settings, list(overrides), was.file, f"experiment '{was.id}'")
    search = settings.search.model_copy(update={"pilot": False, "first_epochs": None, "past": []})
    settings = settings.model_copy(update={"search": search, "title": title})
    plan = plan_settings(host, settings, Path(was.file), command, called=f"experiment '{was.id}'")
    asked = was.stages.confirm or Confirm(points=0, seeds=1, splits=True)
    stages = was.stages.model_copy(update={"pilot": [], "probes": [], "first": None, "confirm": asked})
    return plan.noting(claims=list(claims), rechecks=was.id, budget=Budget(evaluations=0), stages=stages)


def _check(was: WholeExperiment, is_tried: bool) -> None:
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
