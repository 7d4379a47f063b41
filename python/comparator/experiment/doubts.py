"""What may make the trainings to come others than those that an experiment has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.engine.given import slot_of
from comparator.engine.reads_again import change_of_reads
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.model.data import has_changed
from comparator.report.notices import withdrawn
from comparator.results.record import Evaluation
from comparator.results.run_store import RunStore


def doubts(host: Host, plan: Plan, path: Path, records: Sequence[Evaluation]) -> list[str]:
    """What may make the trainings to come others than those there are, a line each."""
    found = withdrawn(path)
    for submodel, model in zip(plan.frozen.models, plan.models, strict=True):
        if submodel.untold:
            words = f"{model.name}: whether what it reads is as it was when this began is not known"
            found.append(f"{words}: {submodel.untold}")
        elif submodel.data_until is not None:
            new = has_changed(model, host.site.data_folder, submodel.data, None)
            found += [] if new is None else [f"{model.name}: {new} since this began"]
    variable = change_of_reads_of(host, plan, records, ("variables",))
    found += [] if variable is None else [f"{variable} is not as it was when this began"]
    if plan.frozen.from_format == 1:
        found.append("an earlier version began it, which did not note what its trainings read")
    return list(dict.fromkeys(found))


def change_of_reads_of(
    host: Host, plan: Plan, records: Sequence[Evaluation], kinds: Sequence[str] = ("files", "packages")
) -> str | None:
    """What, of some kinds, the latest runs of an experiment have read that is not as it was; None where all is."""
    latest = {run.submodel: run.run for record in records for run in record.runs if run.status == "ok" and run.run}
    for number, run in latest.items():
        result = RunStore(host.experiments).finished(run) if number < len(plan.models) else None
        if result is None:
            continue
        slot = slot_of(plan.frozen.models[number], host.slots[0])
        change = change_of_reads(plan.models[number], result, slot, host.site.data_folder, kinds)
        if change is not None:
            return change
    return None
