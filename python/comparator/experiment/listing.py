"""All experiments of a folder, a row each: what each is doing, and its best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.errors import InputError
from comparator.experiment.progress import best_words
from comparator.formats.text import message
from comparator.results.notes import read_notes
from comparator.results.points import count
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
        try:
            rows.append(_row(folder / name))
        except InputError as error:
            damage = message(str(error).removeprefix(f"{folder / name}/"))
            rows.append({"id": name, "state": "damaged", "damage": damage})
    rows.sort(key=lambda row: str(row.get("created", "")))
    for name in hidden_experiments(folder):
        owner = owner_of(folder / name)
        rows.append({"id": name, "state": "hidden", "damage": f"may not be looked into; it is {owner}'s"})
    return rows


def _row(path: Path) -> dict[str, Any]:
    experiment, records = read_experiment(path), read_records(path / "evaluations.jsonl")
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
