"""All experiments of a folder, a row each: what each is doing, and its best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.errors import InputError
from comparator.experiment.progress import best_words
from comparator.formats.text import message
from comparator.results.notes import read_notes
from comparator.results.points import count
from comparator.results.record import Evaluation, FrozenExperiment
from comparator.results.store import (
    experiment_names,
    hidden_experiments,
    owner_of,
    read_experiment,
    read_records,
    withdrawals,
)


def experiment_rows(folder: Path) -> list[dict[str, Any]]:
    """The experiments in `folder`, oldest first; one that cannot be read has `damage` in the place of its numbers."""
    rows = []
    for name in experiment_names(folder):
        path = folder / name
        try:
            rows.append(experiment_row(path, read_experiment(path), read_records(path / "evaluations.jsonl")))
        except InputError as error:
            rows.append(damaged_row(path, error))
    rows.sort(key=lambda row: str(row.get("created", "")))
    return rows + hidden_rows(folder)


def experiment_row(path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> dict[str, Any]:
    """The row of the experiment in the folder `path`."""
    counts, notes = count(records), read_notes(path)
    return {
        "id": path.name,
        "state": state_of(path).state,
        "withdrawn": len(withdrawals(path)),
        "evaluations": counts.done,
        "of": experiment.budget.evaluations,
        "confirming": counts.confirming,
        "failed": counts.failed,
        "best": best_words(experiment, records),
        "created": experiment.created,
        "title": experiment.title,
        "tags": list(notes.tags),
        "note": notes.text,
    }


def damaged_row(path: Path, error: InputError) -> dict[str, Any]:
    """The row of an experiment that cannot be read."""
    damage = message(str(error).removeprefix(f"{path}/"))
    return {"id": path.name, "state": "damaged", "damage": damage}


def hidden_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of what lies in `folder` and may not be looked into."""
    return [
        {"id": name, "state": "hidden", "damage": f"may not be looked into; it is {owner_of(folder / name)}'s"}
        for name in hidden_experiments(folder)
    ]
