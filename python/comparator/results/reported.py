"""What a report has worked out already, taken from its `report.json` where that can be believed."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from comparator.results.files import read_form, read_json
from comparator.results.form import Form, Number, Point
from comparator.results.record import Evaluation
from comparator.results.tally import count

Interval = Annotated[list[Number | None], Field(min_length=2, max_length=2)] | None


class _Region(Form):
    words: str
    bounds: dict[str, Any]
    mean: Number | None
    interval: Interval = None
    outside: Number | None = None
    contrast: Number | None = None
    contrast_interval: Interval = None
    share: Number | None = None
    blocks: int | None = None


class _Evidence(Form):
    overall: Number | None
    overall_interval: Interval
    missed: Number | None = None


class _Best(Form):
    evaluation: int
    point: Point
    difference: Number | None


class _Confirmed(Form):
    point: Point
    searched: Number | None
    confirmed: Number | None
    interval: Interval = None
    contrast: Number | None = None
    contrast_interval: Interval = None
    seeds: int
    verdict: str | None


class Reported(Form):
    """`report.json`, as far as it is looked at here."""

    id: str
    counts: dict[str, int]
    verdict: str | None
    reason: str | None
    regions: list[_Region]
    rejected: list[_Region]
    evidence: _Evidence | None
    best: _Best | None
    confirmed: list[_Confirmed]


def is_current(folder: Path, report: Path) -> bool:
    """Whether a file of an experiment's report is there, and no older than the record that it was made of."""
    recorded = [folder / name for name in ("experiment.json", "evaluations.jsonl")]
    newest = max((file.stat().st_mtime_ns for file in recorded if file.exists()), default=0)
    return report.exists() and report.stat().st_mtime_ns >= newest


def read_reported(folder: Path, records: Sequence[Evaluation]) -> Mapping[str, Any] | None:
    """What the report of an experiment holds; None where there is none of these very records, or it is damaged."""
    report = folder / "report.json"
    if not is_current(folder, report):
        return None
    try:
        found = read_form(Reported, report)
    except OSError:
        return None
    # Reports of earlier versions count less.
    if found is None or found.id != folder.name or not found.counts.items() <= asdict(count(records)).items():
        return None
    return found.as_json()


#: The answer on the page of a study, as every version has written it.
_LEAD = re.compile(rb'<p class="lead">(.*?)</p>', re.DOTALL)
_BEGINNING = 100_000  # bytes of a page in which it stands


def found_by_study(folder: Path) -> str:
    """What the report of a study says in a few words; empty where there is none.

    Earlier versions wrote none for tables, nor a file for programs: then it is the first sentence of their page.
    """
    content = read_json(folder / "report.json") or {}
    found = content.get("found") if isinstance(content, dict) else None
    if isinstance(found, str):
        return found
    try:
        with (folder / "report.html").open("rb") as file:
            lead = _LEAD.search(file.read(_BEGINNING))
    except OSError:
        return ""
    answer = html.unescape(lead[1].decode("utf-8", "replace")) if lead else ""
    return " ".join(answer.split()).partition(". ")[0].removesuffix(".")
