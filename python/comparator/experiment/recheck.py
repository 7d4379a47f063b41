"""A finding as a test: what an experiment claimed, trained anew with models, data and settings as they are now.

What is planned is an ordinary experiment whose search is over before it begins: its claims are those of the other, and
are tried on the same fresh blocks, so that what changed is compared block by block. Trainings of which nothing has
changed are found in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.session import plan_settings
from comparator.experiment.settings import overridden
from comparator.results.record import CONFIRM, Budget, WholeExperiment
from comparator.results.store import experiment_path, read_records, read_whole_experiment


def plan_recheck(host: Host, identifier: str, overrides: Sequence[str], *, command: str) -> Plan:
    """Plan to try the claims of an experiment anew, with its settings and what `overrides` change of them.

    Raises `InputError` where it claims nothing that was trained anew, or can no longer be planned.
    """
    path = experiment_path(host.experiments, identifier)
    was = read_whole_experiment(path)
    _check(was, any(line.stage == CONFIRM for line in read_records(path / "evaluations.jsonl")))
    settings = overridden(was.settings, list(overrides), was.file, f"experiment '{identifier}'")
    search = settings.search.model_copy(update={"pilot": False, "first_epochs": None, "past": []})
    settings = settings.model_copy(update={"search": search, "title": f"Does '{identifier}' hold? {was.title}"})
    plan = plan_settings(host, settings, Path(was.file), command, called=f"experiment '{identifier}'")
    return plan.noting(
        claims=was.claims,
        rechecks=identifier,
        budget=Budget(evaluations=0),
        stages=was.stages.model_copy(update={"pilot": [], "probes": [], "first": None}),
    )


def _check(was: WholeExperiment, is_tried: bool) -> None:
    if was.kind == "single" or was.imported or not was.claims or not is_tried:
        why = (
            "searches one model"
            if was.kind == "single"
            else "has trained nothing anew that it claims ([confirm] says how often that is done)"
        )
        raise InputError(f"experiment '{was.id}' {why}: there is nothing to check again")
