"""All experiments of a folder, a row each: what each is doing, its best, and what it found."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.engine.jobs import is_closing, state_of
from comparator.errors import InputError
from comparator.experiment.progress import value_words, words_of_best
from comparator.findings.sureness import NO_PLACE
from comparator.formats.text import message
from comparator.results.experiments import EXPERIMENT, experiment_names, hidden_experiments, read_experiment
from comparator.results.files import owner_of, read_form, read_json, share_as, write_whole
from comparator.results.form import Form, Number
from comparator.results.frozen import FrozenExperiment
from comparator.results.notes import read_notes
from comparator.results.points import as_read
from comparator.results.record import CONFIRM, Evaluation
from comparator.results.record_file import read_records, without_collector
from comparator.results.reported import found_by_study, read_reported
from comparator.results.run_store import WITHDRAWALS, withdrawals
from comparator.results.state import State
from comparator.results.tally import Tally, pairs_in, pairs_to_confirm

Stamp = tuple[int | None, ...]
#: What was counted, by this version of counting, of these files of an experiment.
LISTED, LISTED_VERSION = ".listed.json", 7
COUNTED_OF = (EXPERIMENT, "evaluations.jsonl", WITHDRAWALS, "report.json")
#: What a report's verdict is called in a table.
VERDICTS = {"everywhere": NO_PLACE, "none": "no difference shown"}

#: What is said of one whose evaluations have all failed so far.
NO_RESULT = "no evaluation gave a result"


class Counted(Form):
    """What of a row is worked out of a record: of a long one that takes seconds."""

    withdrawn: int
    doubled: int
    evaluations: int
    of: int | None
    confirming: int
    #: Pairs that gave no result, as those that are done, and those that confirm, are pairs.
    failed: int
    best: str
    best_value: Number | None
    #: The same in words.
    best_amount: str
    verdict: str
    created: str
    title: str
    #: Of a study of all pairs: each pair's verdict, by its id, as the study has it; empty while it has none.
    pairs: dict[str, str]


class Listed(Form):
    """`.listed.json`: what was counted, and what the files were like that it was counted of."""

    version: int
    stamp: list[int | None]
    counted: Counted


def experiment_rows(folder: Path) -> list[dict[str, Any]]:
    """The experiments in `folder`, oldest first; one that cannot be read has `damage` in the place of its numbers."""
    rows = []
    for name in experiment_names(folder):
        path = folder / name
        try:
            rows.append(_row(path, _counted_before(path)))
        except (InputError, OSError) as error:
            rows.append(damaged_row(path, error))
    _judge_pairs({row["id"]: row for row in rows})
    rows.sort(key=lambda row: str(row.get("created", "")))
    return rows + hidden_rows(folder)


def _judge_pairs(rows: Mapping[str, dict[str, Any]]) -> None:
    """Have a study of all pairs count what its pairs do, and them say what it says of them: it knows how many they are.

    A pair's own report does not correct for the others.
    """
    for study in rows.values():
        for name, verdict in study.pop("pairs", {}).items():
            pair = rows.get(name, {})
            if "evaluations" in pair:
                pair["verdict"] = verdict
                for key in ("evaluations", "failed"):
                    study[key] += pair[key]
                study["of"] = (study["of"] or 0) + (pair["of"] or 0)


def experiment_row(
    path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation], tally: Tally | None = None
) -> dict[str, Any]:
    """The row of the experiment in the folder `path`; `tally` has taken these records, where somebody keeps one."""
    row = _row(path, _counted(path, experiment, records, tally or Tally().take(records)))
    del row["pairs"]
    return row


def _row(path: Path, counted: Counted) -> dict[str, Any]:
    notes, state = read_notes(path), state_of(path)
    return {
        "id": path.name,
        "state": state.state,
        "doing": state_words(path, state),
        **dict(counted),
        "tags": list(notes.tags),
        "note": notes.text,
    }


def _counted_before(path: Path) -> Counted:
    """What was counted when an experiment was listed last; counted now, and noted, where one of its files has changed.

    The note is nothing but a short cut: one that is missing, damaged or of another version is written anew.
    """
    stamp = stamp_of(path, COUNTED_OF)
    with contextlib.suppress(OSError):
        listed = read_form(Listed, path / LISTED)
        if listed is not None and (listed.version, tuple(listed.stamp)) == (LISTED_VERSION, stamp):
            return listed.counted
    with without_collector():
        records = read_records(path / "evaluations.jsonl")
        counted = _counted(path, read_experiment(path), records, Tally().take(records))
    with contextlib.suppress(OSError):
        share_as(path.parent)
        listed = Listed(version=LISTED_VERSION, stamp=list(stamp), counted=counted)
        write_whole(path / LISTED, listed.as_json(), sync=False)
    return counted


def _counted(path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation], tally: Tally) -> Counted:
    best, counts = tally.best if experiment.is_search else None, tally.counts
    has_none = bool(counts.points) and counts.without_value == counts.points
    is_again = experiment.rechecks is not None  # there is no search in it: what is done are the pairs that try claims
    return Counted(
        withdrawn=len(withdrawals(path)),
        doubled=len(tally.doubled),
        evaluations=counts.confirming if is_again else counts.done,
        of=pairs_to_confirm(experiment.claims or (), records) if is_again else experiment.budget.evaluations,
        confirming=counts.confirming,
        failed=counts.lost,
        best=words_of_best(experiment, best),
        best_value=None if best is None else as_read(best.value or 0.0, maximise=experiment.objective.maximise),
        best_amount="" if best is None else value_words(experiment, best),
        verdict=found_in_short(path, experiment, records) or (NO_RESULT if has_none else ""),
        created=experiment.created,
        title=experiment.title,
        pairs=_verdicts_of_pairs(path, experiment),
    )


def stamp_of(path: Path, files: Sequence[str]) -> Stamp:
    """What changes when these files of an experiment do."""
    found: list[int | None] = []
    for name in files:
        try:
            status = (path / name).stat()
            found += [status.st_mtime_ns, status.st_ctime_ns, status.st_size]
        except OSError:
            found.append(None)
    return tuple(found)


def state_words(path: Path, state: State) -> str:
    """What an experiment is doing, in a word or a few: `running`, `writing the report, 40 %`, `ended early`."""
    if state.state != "finished":
        return state.state
    if state.reporting is not None and is_closing(path):
        return f"writing the report, {100 * state.reporting:.0f} %"
    return "ended early" if state.reason else "finished"


def found_in_short(path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> str:
    """What an experiment has found, in short, as its kind says it; empty while it has found nothing.

    A search says so in the report of this very record, a study in its own; what tries another experiment again has no
    need of one.
    """
    if experiment.is_search:
        return _verdict_in(read_reported(path, records) or {}, "words")
    if experiment.rechecks is None:
        return found_by_study(path)
    from comparator.experiment.again import in_short, tried_again  # what reads and words it takes seconds to import

    tried = pairs_in(line for line in records if line.stage == CONFIRM)
    if tried < pairs_to_confirm(experiment.claims or (), records):
        return ""
    try:
        return in_short(tried_again(path.parent, experiment, records))
    except InputError:  # the other experiment is gone
        return ""


def _verdicts_of_pairs(path: Path, experiment: FrozenExperiment) -> dict[str, str]:
    """What a study of all pairs says of each, in short; empty texts before it has a report."""
    content = (read_json(path / "report.json") or {}) if experiment.pairs else {}
    reported = {each["id"]: each for each in content.get("pairs") or () if isinstance(each, dict) and "id" in each}
    return {name: _verdict_in(reported.get(name, {}), "condition") for name in experiment.pairs}


def _verdict_in(found: Mapping[str, Any], condition: str) -> str:
    if found.get("idle"):
        return "what is varied changes nothing"
    regions = found.get("regions") or ()
    if found.get("verdict") == "regions" and regions:
        return f"more with {str(regions[0].get(condition, '')).partition(': ')[0]}"
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
