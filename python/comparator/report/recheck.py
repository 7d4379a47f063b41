"""What became of what an experiment claimed when it was tried again, in words: for a terminal, and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.findings.recheck import Rechecked, trained_anew
from comparator.report.words import with_interval
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation


def sentences(found: Sequence[Rechecked], frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """Return what became of each number that was claimed; `frozen` and `records` are of what tries it again."""
    lines = [
        f"{each.claim}, {each.what}: {each.verdict}: {with_interval(each.now, each.now_interval)}, it was"
        f" {with_interval(each.was, each.was_interval)}; changed by {with_interval(each.change, each.change_interval)}"
        f" over the same {each.blocks} blocks"
        for each in found
    ]
    done, stored = trained_anew(records)
    if not lines:
        lines = [f"'{frozen.rechecks}' has shown nothing that could be lost"]
    if not done:
        lines.append(f"note: all {stored} trainings were found in the store: nothing that they rest on is new")
    return lines
