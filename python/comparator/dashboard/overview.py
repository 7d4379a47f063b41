"""All experiments of a folder, a row each, for a table that looks again every second.

An experiment is read again only where one of its files has changed; whether one that runs still does is asked of its
lock every time, of a scheduler seldom.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.engine.launches import launches
from comparator.errors import InputError
from comparator.experiment.listing import Stamp, damaged_row, experiment_row, hidden_rows, stamp_of, state_words
from comparator.experiment.progress import LATEST, seconds_left
from comparator.formats.text import message
from comparator.results.experiments import experiment_names, read_experiment
from comparator.results.growing import GrowingRecord
from comparator.results.reported import read_reported
from comparator.results.state import ALIVE

#: What a row is made of, beside the state.
FILES = ("experiment.json", "evaluations.jsonl", "state.json", "notes.json", "withdrawn.jsonl", "report.json")
#: A scheduler does not like to be asked more often.
ASKED_SECONDS = 10.0
LOOK_SECONDS = 1.0
#: So long new experiments are read at a look.
READ_SECONDS = 1.0
#: After what took a second so many pass before it is done again.
RESTS = 5.0


@dataclass
class _Known:
    stamp: Stamp
    row: dict[str, Any]
    record: GrowingRecord | None
    asked: float
    took: float


class Overview:
    """The rows of all experiments, kept from one look to the next; from any thread."""

    def __init__(self, experiments: Path) -> None:
        self._experiments = experiments
        self._known: dict[str, _Known] = {}
        self._looked = float("-inf")
        self._rows: list[dict[str, Any]] = []
        self._tag = ""
        #: How many experiments were not read yet at the latest look: a look lasts no longer than people wait.
        self.unread = 0
        self._turn = threading.Lock()

    def rows(self) -> tuple[str, list[dict[str, Any]]]:
        """What tells these rows from others, and the rows, the latest experiment first."""
        with self._turn:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look()
                self._looked = time.monotonic()
            return self._tag, self._rows

    def _look(self) -> None:
        end = time.monotonic() + READ_SECONDS
        known: dict[str, _Known] = {}
        names = experiment_names(self._experiments)
        for name in reversed(names):  # the latest first
            if name in self._known or time.monotonic() < end:
                known[name] = self._known_now(name)
        self._known, self.unread = known, len(names) - len(known)
        rows = [known.row for known in self._known.values()] + hidden_rows(self._experiments)
        self._rows = sorted(rows, key=lambda row: str(row.get("created", "")), reverse=True)
        self._tag = tag_of([self.unread, *self._rows])

    def _known_now(self, name: str) -> _Known:
        path, known, now = self._experiments / name, self._known.get(name), time.monotonic()
        stamp = stamp_of(path, FILES)
        # Thousands of evaluations take their time to count: not every one of them has them all counted again.
        is_due = known is None or now - known.asked >= RESTS * known.took
        if known is None or (known.stamp != stamp and is_due):
            record = known.record if known is not None and known.record else _record_of(path)
            row = _row(path, record)
            # What does not run any more does not grow: its record need not stay in memory.
            return _Known(stamp, row, record if row["state"] in ALIVE else None, now, time.monotonic() - now)
        if known.row["state"] in ALIVE and now - known.asked >= (ASKED_SECONDS if launches(path) else 0.0):
            try:
                state = state_of(path)
            except OSError as error:
                return _Known((), {**damaged_row(path, error), "left": None}, None, now, 0.0)
            left = known.row["left"] if state.state in ALIVE else None
            known.row = {**known.row, "state": state.state, "doing": state_words(path, state), "left": left}
            known.asked = now
        return known


def tag_of(content: Any) -> str:
    """What tells content from other, for who asks again and again."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


def _record_of(path: Path) -> GrowingRecord:
    return GrowingRecord(path / "evaluations.jsonl", keep=LATEST)


def _row(path: Path, record: GrowingRecord) -> dict[str, Any]:
    try:
        experiment, records = read_experiment(path), record.read()
        row = experiment_row(path, experiment, records, record.tally)
    except (InputError, OSError) as error:
        return {**damaged_row(path, error), "left": None}
    return {
        **row,
        "left": seconds_left(record.tally.latest, row["of"], row["evaluations"]) if row["state"] in ALIVE else None,
        "found": answer_in(read_reported(path, records) or {}) or [each for each in [row["verdict"]] if each],
        "models": list(experiment.labels),
        "metric": experiment.metric,
        "kind": experiment.kind,
    }


def answer_in(content: Mapping[str, Any]) -> list[str]:
    """What a report says was found, a sentence each; none where it does not say."""
    said = content.get("answer", content.get("reason"))  # reports of earlier versions have no answer
    lines = said if isinstance(said, list) else [said]
    return [message(line) for line in lines if isinstance(line, str)]
