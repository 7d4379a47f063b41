"""Costs as people read them, and the answer of a cross-HPO in two sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from comparator.evidence.tuning_cost import Cost
from comparator.studies import figures
from comparator.studies.tuned import GIVEN, Outcome, Place

MOST_NAMED = 3  # places in a sentence
MARK = "*"
MOST_DIGITS = 5


class CostWords:
    """Costs as people read them: in per cent of an error, else in the metric's own unit."""

    def __init__(self, found: Outcome) -> None:
        self.found = found
        self.metric = found.frozen.metric
        ends = [self.number(end) for cost in found.costs.values() for end in (cost.interval or ())]
        finite = [end for end in ends if math.isfinite(end)]
        self._digits = 1 if found.is_relative else figures.decimals_for(finite)
        shown = [self.number(end) for cost in found.costs.values() if cost.is_shown for end in (cost.interval or ())]
        while self._digits < MOST_DIGITS and any(round(end, self._digits) == 0 for end in shown):
            self._digits += 1  # what leaves zero out is not written as if it had it for an end

    def number(self, cost: float) -> float:
        if not self.found.is_relative:
            return cost
        return 100 * math.expm1(cost) if cost < math.log(1e6) else math.inf

    def text(self, cost: float) -> str:
        """A cost with its sign and unit: `+3.1 %`."""
        return f"{self.number(cost):+.{self._digits}f}{' %' if self.found.is_relative else ''}"

    def size(self, cost: float) -> str:
        """The same of one whose sign the words around it say."""
        return f"{self.number(cost):.{self._digits}f}{' %' if self.found.is_relative else ''}"

    def interval(self, cost: Cost) -> str:
        if cost.interval is None:
            return ""
        low, high = (f"{self.number(end):.{self._digits}f}" for end in cost.interval)
        return f"[{low}, {high}]"

    def of_metric(self) -> str:
        return f"of {self.metric}" if self.found.is_relative else f"in {self.metric}"

    def intervals(self) -> str:
        """How the intervals were made, and what they cover."""
        found, tuning = self.found, self.found.tuning
        what = "the mean log ratio" if found.is_relative else "the mean difference"
        return (
            f"Costs are paired by split: on the splits {listed(tuning.report_on)}, which chose nothing; the splits"
            f" {listed(tuning.choose_on)} chose the settings. Intervals are t-intervals of {what} that hold for all"
            f" {found.looked_at} numbers at once with 95 % (Bonferroni; what several studies chose counts once); {MARK}"
            " marks those that leave zero out. They cover other splits"
            " and seeds of these data, not other cell lines, drugs or laboratories: every split holds out others of"
            " the same rows."
        )


def answer_of(words: CostWords) -> list[str]:
    """What it costs to use settings that were tuned elsewhere, or none: two sentences."""
    costs = words.found.costs
    moved = {place: cost for place, cost in costs.items() if place.tuned_on != GIVEN}
    given = {place: cost for place, cost in costs.items() if place.tuned_on == GIVEN}
    return [
        _sentence(words, moved, "Settings tuned on another study"),
        _sentence(words, given, "The settings as given"),
    ]


def in_short(words: CostWords) -> str:
    """The answer in a few words: in how many cases settings of another study are shown to cost something."""
    moved = [cost for place, cost in words.found.costs.items() if place.tuned_on != GIVEN]
    shown = sum(cost.is_shown for cost in moved)
    return f"settings of another study: a cost is shown in {shown or 'none'} of {len(moved)} cases"


def _sentence(words: CostWords, costs: Mapping[Place, Cost], subject: str) -> str:
    """Where such settings cost something, the most first; where that is not shown, how much is left open."""
    known = {place: cost for place, cost in costs.items() if cost.interval is not None}
    same = sum(cost.same for cost in costs.values())
    if not known:
        if same == len(costs):
            return f"{subject} cost nothing: in all {same} cases they are those that were tuned on that study."
        return f"{subject}: what they cost is not known, as too few trainings ended well."
    shown = {place: cost for place, cost in known.items() if cost.is_shown}
    rest = [
        (same, "they are those that were tuned on that study"),
        (len(known) - len(shown), "no difference is shown"),
        (len(costs) - same - len(known), "too few trainings ended well"),
    ]
    others = "; ".join(f"in {count} {said}" for count, said in rest if count)
    if not shown:
        most = max(known, key=lambda place: (known[place].interval or (0.0, 0.0))[1])
        high = words.size((known[most].interval or (0.0, 0.0))[1])
        return (
            f"{subject} cost nothing that is shown; what is left open is largest {_where(words, most)}, up to {high}"
            f" {words.of_metric()}. Of {len(costs)} cases, {others}."
        )
    worse = sorted(shown, key=lambda place: -(shown[place].mean or 0.0))
    named = "; ".join(
        f"{words.text(shown[p].mean or 0.0)} {words.interval(shown[p])} {_where(words, p)}" for p in worse[:MOST_NAMED]
    )
    more = f"; and {len(worse) - MOST_NAMED} more" if len(worse) > MOST_NAMED else ""
    is_better = any((cost.mean or 0.0) < 0 for cost in shown.values())
    verb, below = ("change", "; below zero is better") if is_better else ("worsen", "")
    metric = words.metric if words.found.is_relative else f"{words.metric}, in its own unit,"
    whole = f"{subject} {verb} {metric} in {len(shown)} of {len(costs)} cases: {named}{more}{below}."
    return f"{whole} {others[:1].upper()}{others[1:]}." if others else whole


def _where(words: CostWords, place: Place) -> str:
    model = f"{place.model}, " if len(words.found.tuning.models) > 1 else ""
    route = f"on {place.used_on}" if place.tuned_on == GIVEN else f"from {place.tuned_on} to {place.used_on}"
    return f"({model}{route})"


def listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
