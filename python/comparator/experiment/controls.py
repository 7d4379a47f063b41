"""The size-matched control: what an experiment has shown of two studies, tried with equal rows, shared drugs or cells.

What is planned is an ordinary experiment whose search is over before it begins, as of a recheck. Each of its claims is
one of the other's by a design: the same points on the same fresh blocks, with the hyperparameters that cut the rows as
the models describe it (`[controls]` of `model.toml`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.experiment.host import Host
from comparator.experiment.opening import begin, resume
from comparator.experiment.plan import Plan
from comparator.experiment.recheck import check_claims, plan_claims
from comparator.experiment.session import Session
from comparator.findings.controls import (
    DESIGNS,
    Design,
    claims_to_try,
    controls_beside,
    idle_reason,
    name_of,
    rows_of,
    trying_by_designs,
)
from comparator.findings.studies import check_studies, study_names
from comparator.report.commands import typed_command, where_options
from comparator.results.experiments import experiment_path, read_experiment, read_whole_experiment
from comparator.results.files import read_json
from comparator.results.form import Point
from comparator.results.frozen import Claim, FrozenExperiment, Submodel
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.state import last_word
from comparator.strategies.blocks import FIRST_FRESH


def plan_controls(host: Host, identifier: str, overrides: Sequence[str], *, command: str) -> Plan:
    """Plan to try what an experiment has shown of two studies by all designs that its settings name, or by all three.

    A design by which nothing would change is left out, and why is among the plan's notices. Raises `InputError` where
    the experiment does not compare two studies, has shown nothing on fresh blocks, or its models do not say how rows
    are cut.
    """
    path = experiment_path(host.experiments, identifier)
    was, records = read_whole_experiment(path), read_records(path / "evaluations.jsonl")
    check_claims(was, records)
    plan = plan_claims(host, was, overrides, command, f"Is it the study, or only its size? {was.title}", [])
    asked = (plan.frozen.settings.get("confirm") or {}).get("controls")
    check_studies(plan.frozen.models, f"experiment '{identifier}'")
    tried = claims_to_try(was, records)
    if not tried:
        raise InputError(f"experiment '{identifier}' has shown nothing on fresh blocks that could be the size's")
    idle = {
        design: idle_reason(design, plan.frozen, tried, records) for design in DESIGNS if design in (asked or DESIGNS)
    }
    claims = [_by(design, claim, plan.frozen, records) for design in idle if idle[design] is None for claim in tried]
    return plan.noting(claims=claims, notices=[*plan.frozen.notices, *filter(None, idle.values())])


def follow(host: Host, path: Path) -> bool:
    """After a search that is finished: carry out the controls that its settings ask for, and make its report again.

    Those that were stopped are gone on with; of those that were done by their own id the report alone is made. Returns
    whether anything was done: not where all was done before, nor where it cannot be, which is said.
    """
    was = read_experiment(path)
    asked = was.stages.confirm.controls if was.stages.confirm is not None else []
    if not asked or was.rechecks is not None or last_word(path).state != "finished":
        return False
    known = controls_beside(path, was, read_records(path / "evaluations.jsonl"))
    if known is None or known.tried_by is None:
        try:
            opened = _opened(replace(host, reports=False), path, was, len(asked))
        except InputError as error:
            host.say(f"controls: {error}")
            return False
        if opened is None:
            return False
        opened.run()
    elif not _lacks(path / "report.json", known.tried_by):
        return False
    if host.reports:
        from comparator.report import write_report

        host.show(f"report: {write_report(path)}")
    return True


def _lacks(report: Path, tried_by: str) -> bool:
    """Whether a report was made before controls were done, by their own id say."""
    content = read_json(report)
    return content is not None and (content.get("controls") or {}).get("tried_by") != tried_by


def _opened(host: Host, path: Path, was: FrozenExperiment, designs: int) -> Session | None:
    """The controls of a search: those that were left unfinished, else new ones; None where there is nothing to do."""
    left = next(iter(trying_by_designs(path, was)), None)
    if left is not None:
        host.say(f"is it the study, or only its size: going on with {left.name}")
        return resume(host, left.name)
    command = ["comparator", "recheck", was.id, "--controls", *where_options(typed_command(was), "--experiments")]
    plan = plan_controls(host, was.id, [], command=shlex.join(command))
    pairs = sum(len(claim.points) for claim in plan.frozen.claims or ())
    if not pairs:
        host.say(f"controls: {'; '.join(plan.frozen.notices[-designs:])}")
        return None
    host.say(f"is it the study, or only its size: {pairs} pairs of trainings with both studies cut alike")
    return begin(host, plan, f"{was.id}-recheck", None)


def _by(design: Design, claim: Claim, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Claim:
    """A claim by a design: its points, with what cuts the rows of both models."""
    rows = rows_of(claim, records)
    fewest = min((min(each) for each in rows.values()), default=0.0)  # where a replicate failed
    points = []
    for replicate, point in enumerate(claim.points, start=FIRST_FRESH):
        count = int(min(rows.get(replicate, (fewest,))))
        points.append({**point, **_cut(design, experiment, count)})
    return claim.model_copy(update={"name": name_of(design, claim.name), "points": points})


def _cut(design: Design, experiment: FrozenExperiment, rows: int) -> Point:
    """The hyperparameters by which a design cuts the rows of both models, by the prefix rules."""
    cut: dict[str, Any] = {}
    both = [name for submodel in experiment.models for name in study_names(submodel)]
    for number, submodel in enumerate(experiment.models):
        controls: Mapping[str, Any] = submodel.controls or {}
        if controls.get("rows" if design == "rows" else design) is None:
            raise InputError(
                f"{submodel.label or submodel.name}: its {submodel.description_file} does not say in [controls] how"
                f" {design} are cut"
            )
        own = {controls["rows"]: rows} if design == "rows" else {controls["shared"]: both, **controls[design]}
        cut |= {f"cmp_{number}_{_common(submodel, name)}": value for name, value in own.items()}
    return cut


def _common(submodel: Submodel, own: str) -> str:
    """The common name of a model's own."""
    return next((name for name, called in submodel.names.items() if called == own), own)
