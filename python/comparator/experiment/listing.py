"""All experiments of a folder, a row each: what each is doing, its best, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparator.engine.jobs import is_closing, state_of
from comparator.errors import InputError
from comparator.experiment.progress import best_words
from comparator.findings.sureness import NO_PLACE
from comparator.formats.text import message
from comparator.results.notes import read_notes
from comparator.results.points import as_read, best_of, count
from comparator.results.record import Evaluation, FrozenExperiment, State
from comparator.results.reported import read_reported
from comparator.results.store import (
    experiment_names,
    hidden_experiments,
    owner_of,
    read_experiment,
    read_records,
    withdrawals,
)

#: What a report's verdict is called in a table.
VERDICTS = {"everywhere": NO_PLACE, "none": "no difference shown"}


def experiment_rows(folder: Path) -> list[dict[str, Any]]:
    """The experiments in `folder`, oldest first; one that cannot be read has `damage` in the place of its numbers."""
    rows = []
    for name in experiment_names(folder):
        path = folder / name
        try:
            rows.append(experiment_row(path, read_experiment(path), read_records(path / "evaluations.jsonl")))
        except (InputError, OSError) as error:
            rows.append(damaged_row(path, error))
    rows.sort(key=lambda row: str(row.get("created", "")))
    return rows + hidden_rows(folder)


def experiment_row(path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> dict[str, Any]:
    """The row of the experiment in the folder `path`."""
    counts, notes, state = count(records), read_notes(path), state_of(path)
    best = next(iter(best_of(records)), None)
    return {
        "id": path.name,
        "state": state.state,
        "doing": state_words(path, state),
        "withdrawn": len(withdrawals(path)),
        "evaluations": counts.done,
        "of": experiment.budget.evaluations,
        "confirming": counts.confirming,
        "failed": counts.failed,
        "best": best_words(experiment, records),
        "best_value": None if best is None else as_read(best.value or 0.0, maximise=experiment.objective.maximise),
        "verdict": _verdict(path, records),
        "created": experiment.created,
        "title": experiment.title,
        "tags": list(notes.tags),
        "note": notes.text,
    }


def state_words(path: Path, state: State) -> str:
    """What an experiment is doing, in a word or a few: `running`, `writing the report, 40 %`, `ended early`."""
    if state.state != "finished":
        return state.state
    if state.reporting is not None and is_closing(path):
        return f"writing the report, {100 * state.reporting:.0f} %"
    return "ended early" if state.reason else "finished"


def _verdict(path: Path, records: Sequence[Evaluation]) -> str:
    """What the report of this very record says, in short; empty where there is none, or of a single model."""
    found = read_reported(path, records) or {}
    regions = found.get("regions") or ()
    if found.get("verdict") == "regions" and regions:
        return f"more with {str(regions[0].get('words', '')).partition(': ')[0]}"
    return VERDICTS.get(str(found.get("verdict")), "")


def damaged_row(path: Path, error: InputError | OSError) -> dict[str, Any]:
    """The row of an experiment that cannot be read."""
    words = f"{error.filename}: cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
    return {"id": path.name, "state": "damaged", "damage": message(words.removeprefix(f"{path}/"))}


def hidden_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of what lies in `folder` and may not be looked into."""
    return [
        {"id": name, "state": "hidden", "damage": f"may not be looked into; it is {owner_of(folder / name)}'s"}
        for name in hidden_experiments(folder)
    ]
