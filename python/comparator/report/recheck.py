"""What became of what an experiment claimed when it was tried again, in words: for a terminal, and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from comparator.findings.recheck import Rechecked, trained_anew
from comparator.objective.amounts import measure_of
from comparator.report.numbers import listed
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.space import ParameterSpace
from comparator.space.boxes import Box


def sentences(found: Sequence[Rechecked], frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """Return what became of all that was claimed, and of each number; `frozen` and `records` try it again."""
    where, measure = _places(frozen), measure_of(frozen)
    lines = [_all_of(found, frozen)]
    for each in found:
        said = measure.of(each.what)
        now, was = said(each.now, each.now_interval), said(each.was, each.was_interval)
        change = f"changed by {measure.apart(each.change, each.change_interval)}" if _is_new(each) else "unchanged"
        lines.append(
            f"{each.claim}{where.get(each.claim, '')}, {each.what}: {each.verdict}: {now}, it was {was}; {change} over"
            f" the same {each.blocks} blocks"
        )
    if any(each.claim in where for each in found):
        lines.append(f"note: {as_they_are(frozen.rechecks or '')}")
    done, stored = trained_anew(records)
    if not done:
        lines.append(f"note: all {stored} trainings were found in the store: nothing that they rest on is new")
    return lines


def as_they_are(identifier: str) -> str:
    """Return how these numbers of a region differ from those of the report that claims it."""
    return (
        f"these are means of the fresh trainings as they are; of a region the report of '{identifier}' has the mean"
        " over all of it, by a model of all evaluations, which may differ by a little"
    )


def _all_of(found: Sequence[Rechecked], frozen: FrozenExperiment) -> str:
    if not found:
        return f"'{frozen.rechecks}' has shown nothing that could be lost"
    verdicts = Counter(each.verdict for each in found)
    shown = f"'{frozen.rechecks}' had shown"
    if len(verdicts) == 1:
        is_one = len(found) == 1
        which = "the one number" if is_one else f"all {len(found)} numbers"
        return f"{which} that {shown} {'is' if is_one else 'are'} {found[0].verdict}"
    each_verdict = [f"{count} {'is' if count == 1 else 'are'} {verdict}" for verdict, count in verdicts.most_common()]
    return f"of {len(found)} numbers that {shown}, {listed(each_verdict)}"


def _is_new(one: Rechecked) -> bool:
    return any((one.change, *one.change_interval))


def _places(frozen: FrozenExperiment) -> dict[str, str]:
    """Return what each region of the claims is, by its name: ` (noise below 31.5)`."""
    space = ParameterSpace.from_entries(frozen.space, "experiment") if frozen.space else None
    return {
        claim.name: f" ({Box.from_bounds(space, claim.bounds, claim.name).words()})"
        for claim in frozen.claims or ()
        if space is not None and claim.bounds
    }
