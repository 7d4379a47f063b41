"""The answer that a page and the terminal begin with: the question, two sentences, how sure, and what to do next.

Where, how much there and elsewhere, how sure; every word of sureness (`comparator.findings.sureness`) stands with what
it rests on: what was tested, on how much, and with what outcome.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.findings.controls import is_control
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.findings.sureness import NO_PLACE
from comparator.formats.numbers import round_to, show, with_interval
from comparator.report.claims import Claim, anew, claims_of, point_on_axes, seeded_alone
from comparator.report.commands import typed_command, where_options
from comparator.report.next_step import CUT_SHORT, Step, next_step, of_no_effect
from comparator.report.numbers import point_words
from comparator.results.frozen import FrozenExperiment
from comparator.results.state import ALIVE

if TYPE_CHECKING:
    from comparator.evidence.confirmation import Confirmation
    from comparator.evidence.regions import Evidence
    from comparator.findings.verdict import Condition, Findings


#: Of the mean difference: a difference between places that may have been missed is said beside it where it is more.
MUCH = 0.5

#: Text with words of sureness in it.
Sentence = Sequence["str | Claim"]


@dataclass(frozen=True)
class Answer:
    """The `question`, the answer in two sentences, all `claims` that have a word of sureness, and the `next` step."""

    question: str
    sentences: tuple[Sentence, ...]
    claims: tuple[Claim, ...]
    next: Step

    @property
    def lines(self) -> list[str]:
        """The sentences as plain text."""
        return [plain(sentence) for sentence in self.sentences]

    def as_json(self) -> dict[str, Any]:
        """Return the keys of report.json that say it."""
        return {
            "question": self.question,
            "answer": self.lines,
            "sureness": [
                {"about": each.about, "word": each.word, "statement": each.statement, "basis": each.basis}
                for each in self.claims
            ],
            "next": {"words": self.next.words, "command": self.next.command},
        }


def plain(sentence: Sentence) -> str:
    """Return a sentence as text."""
    return "".join(part.word if isinstance(part, Claim) else part for part in sentence)


def answer_of(
    experiment: FrozenExperiment,
    summary: Summary,
    findings: Findings,
    state: str = "finished",
    again: Sequence[str] = (),
    then: Step | None = None,
) -> Answer:
    """Return the answer that the findings give; `state` is what the experiment does (`engine.jobs.state_of`).

    Where the experiment tries another again, and searches nothing itself, `again` says what became of that, and `then`
    what to do next.
    """
    if experiment.rechecks is not None:
        return _of_recheck(experiment, summary, again, None if state in (*ALIVE, *CUT_SHORT) else then)
    claims = tuple(claims_of(summary, findings))
    first, *others = _sentences(summary, findings, claims)
    if findings.evidence is not None and others:
        others[-1] = [*others[-1], *_on_one_seed(summary)]
    return Answer(
        short_question(summary),
        (first, *others),
        claims,
        next_step(experiment, summary, findings, state),
    )


def _of_recheck(experiment: FrozenExperiment, summary: Summary, said: Sequence[str], then: Step | None) -> Answer:
    """The answer of an experiment that tries the claims of another again, which searches nothing itself."""
    is_plain = experiment.command == "recheck" and not any(map(is_control, experiment.claims or ()))
    is_recheck = experiment.command == "recheck"
    done = "What it claims was tried again" if is_recheck else "One point was trained on several splits and seeds"
    pairs = sum(one.replicates for one in summary.evaluations if one.status == "ok")
    words = ["comparator", experiment.command, "--resume", experiment.id, *where_options(typed_command(experiment))]
    return Answer(
        f"Does what '{experiment.rechecks}' found hold?" if is_plain else experiment.title,
        (
            *([sentence] for sentence in said),
            [f"{done}, by {pairs} pairs of trainings; nothing was searched here."],
        ),
        (),
        then or Step("Go on with it; everything finished is kept", shlex.join(words)),
    )


def short_question(summary: Summary) -> str:
    """Return what was asked, on one line; the space stands on the axes of the map."""
    models = " and ".join(summary.models)
    if summary.kind == "single":
        return f"Where is the {summary.metric} of {models} {'highest' if summary.maximise else 'lowest'}?"
    if summary.find == "regions":
        return f"Where do {models} differ more in {summary.metric} than elsewhere?"
    most = "most" if summary.maximise else "least"
    if summary.find == "both":
        return f"Where do {models} differ more in {summary.metric} than elsewhere, and where {most}?"
    return f"Where do {models} differ {most} in {summary.metric}?"


# -- the sentences -----------------------------------------------------------------------------------------


def _sentences(summary: Summary, findings: Findings, claims: Sequence[Claim]) -> list[Sentence]:
    best, evidence = summary.best, findings.evidence
    if best is None:
        return _nothing(summary)
    if summary.is_idle:
        return _idle(summary, evidence, claims)
    if summary.kind == "single":
        return [[_best_of_one(summary, best)], [f"{_trust_of_one(summary)}{_nothing_bought(summary, best)}"]]
    if evidence is None:
        return [[_best_of_two(summary, best)], [f"Whether that is luck cannot be said: {findings.reason}."]]
    by_name = {each.about: each for each in claims}
    if findings.regions:
        return [[_more_there(summary, findings.regions)], _sure_of_region(summary, findings, by_name)]
    if evidence.verdict == "none":
        return [
            [f"{_no_difference(summary, evidence)}: {findings.reason}."],
            ["That they differ is ", by_name["difference"], f".{_missed(summary, evidence)}"],
        ]
    return [
        [f"{_on_average(summary, evidence)}{_no_place(summary, evidence)}."],
        ["That they differ is ", by_name["difference"], *_not_where(summary, findings, by_name)],
    ]


def _no_difference(summary: Summary, evidence: Evidence) -> str:
    """That the two show no difference, or that so little was trained that this cannot be asked."""
    models = " and ".join(summary.models)
    if evidence.reason.why in ("few blocks", "few pairs"):
        return f"Whether {models} differ in {summary.metric} cannot be told"
    return f"{models} show no difference in {summary.metric}"


def _on_one_seed(summary: Summary) -> list[str]:
    """That one of the two was trained on one seed, where the other had several; empty where it is not so."""
    seeded = seeded_alone(summary)
    if seeded is None:
        return []
    (name,) = summary.seedless
    return [
        f" {name} was trained on one seed only, for it takes none that is known: other seeds are those of {seeded}."
    ]


def _nothing(summary: Summary) -> list[Sentence]:
    total = len(summary.evaluations)
    if not total:
        return [["No evaluation has finished yet."]]
    reason, numbers = next(iter(summary.reasons.items()), ("no reason was recorded", []))
    lost = summary.number.lost
    of = f", of {lost} {'trainings' if summary.kind == 'single' else 'pairs'} together," if lost > total else ""
    return [
        [f"None of the {total} evaluations{of} gave a result, so there is no answer."],
        [f"The most frequent reason ({len(numbers)} of {total}): {reason}"],
    ]


def _idle(summary: Summary, evidence: Evidence | None, claims: Sequence[Claim]) -> list[Sentence]:
    """That nothing which was varied changes a model; of two, how they differ all the same."""
    points = summary.number.points - summary.number.without_value
    each, once = "it" if summary.kind == "single" else "each", "" if summary.is_exact else " for a seed"
    no = f"{of_no_effect(summary)}: {each} gave one {summary.metric}{once} at all {points} points"
    if summary.kind == "single" or evidence is None:
        return [[f"{no}, so that there is nothing to search."]]
    both = f"{' and '.join(summary.models)} show no difference in {summary.metric}"
    told = both if evidence.verdict == "none" else _on_average(summary, evidence)
    sure = next(claim for claim in claims if claim.about == "difference")
    return [
        [f"{told}; {no}."],
        ["That they differ is ", sure, "; that they differ more in one place than in another cannot be."],
    ]


def _best_of_one(summary: Summary, best: EvaluationSummary) -> str:
    extreme = "highest" if summary.maximise else "lowest"
    return (
        f"The {extreme} {summary.metric} that was found is {_short(best.difference)}, with"
        f" {_settings(summary, best.point)} (evaluation {best.number})."
    )


def _trust_of_one(summary: Summary) -> str:
    points = summary.number.points - summary.number.without_value
    first = next((each for each in summary.reliability.confirmations if each.confirmed is not None), None)
    if summary.is_exact:
        return (
            "Training it again gives the same number: the model takes no seed that is known (if it has randomness, let"
            " its hyperparameter `rng_seed` seed it)."
            if summary.seedless
            else "Training it on another seed gives the same number."
        )
    if first is not None:
        return (
            f"Trained anew {anew(first.seeds, summary)} it comes to {with_interval(first.confirmed, first.interval)};"
            f" the search said {_short(first.searched)}, and the best of {points} points is partly luck."
        )
    return f"It was not trained anew: the best of {points} points is partly luck, and other seeds will show how much."


def _nothing_bought(summary: Summary, best: EvaluationSummary) -> str:
    """That the settings as given are as good, where they were trained too; empty where the search found better."""
    default = None if summary.baseline is None else summary.baseline.difference
    if default is None or best.difference is None:
        return ""
    is_better = best.difference > default if summary.maximise else best.difference < default
    return "" if is_better else f" The default settings came to {_short(default)}: the search found nothing better."


def _best_of_two(summary: Summary, best: EvaluationSummary) -> str:
    most = "largest" if summary.maximise else "smallest"
    came = summary.measure.amount(best.difference)
    return f"The {most} {summary.objective} that was found is {came}, with {_settings(summary, best.point)}."


def _more_there(summary: Summary, regions: Sequence[Condition]) -> str:
    first, *others = regions
    region, gap = first.region, _Gap(summary, first.region.larger)
    elsewhere = "" if region.outside is None else f"; elsewhere it is {gap.also(region.outside, region.mean)}"
    more = _more_regions([each.region.larger == region.larger for each in others])
    mostly = f" ({region.share:.0%} of the space)".replace("%", " %") if region.share > 0.5 else ""
    return f"With {first.condition}{mostly} {gap.is_below(region.mean, region.outside)}{elsewhere}{more}."


def _more_regions(same_way: Sequence[bool]) -> str:
    """That there are further regions; `same_way` has for each whether the model ahead is that of the first one."""
    count, turned = len(same_way), same_way.count(False)
    if not count:
        return ""
    regions = f"region{'s' * (count > 1)} in the report"
    if not turned:
        return f" ({count} more such {regions})"
    where = "where it is" if count == turned else f"in {turned} of them"
    return f" ({count} more {regions}, {where} the other way round)"


def _sure_of_region(summary: Summary, findings: Findings, claims: dict[str, Claim]) -> Sentence:
    first = findings.regions[0].region
    said: list[str | Claim] = ["That they differ more there than elsewhere is ", claims[f"region {first.number}"]]
    if first.blocks:
        said.append(f": it held {anew(first.blocks, summary)}")
    elif summary.is_exact:
        said.append(", as read from the points that were tried: training them again gives the same numbers")
    else:
        said.append(", by the search's own trainings alone: nothing was trained anew")
    best = _first_tried(summary)
    if best is not None:
        came = "has" if summary.is_exact else "came to"
        again = "" if summary.is_exact else f" {anew(best.seeds, summary)}"
        said += [
            f"; the point where the search saw most ({point_on_axes(summary, best.point)}) {came}"
            f" {_came_to(summary, best)}{again}, more than elsewhere: ",
            claims["best 1"],
        ]
    return [*said, "."]


def _on_average(summary: Summary, evidence: Evidence) -> str:
    mean, ends = evidence.overall or 0.0, evidence.overall_interval
    if evidence.overall is None:
        return f"{' and '.join(summary.models)} differ in {summary.metric}"
    if ends is not None and ends[0] * ends[1] <= 0:
        both = " and ".join(summary.models)
        return f"{both} differ in {summary.metric}, but which has the larger one on the whole is not shown"
    gap = _Gap(summary, int(mean > 0)).is_below(abs(mean), None)
    return gap[0].upper() + gap[1:]


def _not_where(summary: Summary, findings: Findings, claims: dict[str, Claim]) -> Sentence:
    """That no place is shown where they differ more, and what became of where the search saw most."""
    best, evidence = _first_tried(summary), findings.evidence
    if best is not None and summary.find != "regions":
        tail = (
            f": it is {_came_to(summary, best)} there ({point_on_axes(summary, best.point)})."
            if summary.is_exact
            else f": {_amount(summary, best.searched)} there ({point_on_axes(summary, best.point)}) came to"
            f" {_came_to(summary, best)} on fresh trainings. The best of many is partly luck."
        )
        return ["; that they differ more where the search saw most is ", claims["best 1"], tail]
    if findings.rejected:
        region = findings.rejected[0].region
        inside, outside = _apart(summary, region.mean, region.outside)
        against = "" if outside is None else f", and {outside} elsewhere"
        tail = f": with {findings.rejected[0].condition}, where it seemed so, fresh trainings gave {inside}{against}."
        return ["; that they differ more somewhere is ", claims[f"rejected {region.number}"], tail]
    said_already = evidence is not None and evidence.reason.why == "no place" and evidence.p_where is not None
    if said_already and not summary.is_exact:
        return [", by the search's own trainings alone: nothing was trained anew."]
    reason = "" if evidence is None else findings.reason
    for said in ("they differ; ", "they differ, and "):
        reason = reason.removeprefix(said)
    return [f"; of where they differ more nothing is said: {reason}."]


def _no_place(summary: Summary, evidence: Evidence) -> str:
    """That no place is shown where they differ more, and what may have been missed where that is much of the mean."""
    if evidence.p_where is None:
        return ""
    missed, mean = evidence.missed_contrast, abs(evidence.overall or 0.0)
    if missed is None or missed <= MUCH * mean:
        return f"; {NO_PLACE}"
    return f"; {NO_PLACE}, but places where it is up to {summary.measure.apart(missed)} more cannot be excluded"


def _missed(summary: Summary, evidence: Evidence) -> str:
    if not evidence.missed:
        return ""
    return f" A mean difference of up to {_amount(summary, evidence.missed)} cannot be excluded."


def _first_tried(summary: Summary) -> Confirmation | None:
    tried = (each for each in summary.reliability.confirmations if each.confirmed is not None and each.verdict)
    return next(tried, None)


class _Gap:
    """How one model's metric lies below the other's, in the words that suit the difference."""

    def __init__(self, summary: Summary, larger: int) -> None:
        self._summary = summary
        self._high, self._low = summary.models[larger], summary.models[1 - larger]

    def is_below(self, mean: float, beside: float | None) -> str:
        """The gap where it is meant; `beside` is what it will be compared with, so that both have digits enough."""
        amount = _apart(self._summary, mean, beside)[0]
        return f"the {self._summary.metric} of {self._low} is on average {amount} below that of {self._high}"

    def also(self, mean: float, beside: float) -> str:
        """The gap elsewhere, where it may have turned round."""
        if mean >= 0:
            return f"{_apart(self._summary, mean, beside)[0]} below"
        return f"{_amount(self._summary, -mean)} above"


# -- numbers in words --------------------------------------------------------------------------------------


def _amount(summary: Summary, number: float) -> str:
    return summary.measure.amount(number, 2)


def _came_to(summary: Summary, best: Confirmation) -> str:
    """What a best point came to, rounded as it is where its interval stands beside it."""
    measure = summary.measure
    said = measure.amounts(best.confirmed, best.interval).partition(" [")[0]
    return f"{said} {measure.unit}" if measure.unit else said


def _apart(summary: Summary, one: float, other: float | None) -> tuple[str, str | None]:
    """Two amounts with as many digits as tell them apart, at most four."""
    amount = summary.measure.amount
    if other is None:
        return amount(one, 2), None
    for digits in (2, 3, 4):
        both = amount(one, digits), amount(other, digits)
        if both[0] != both[1]:
            return both
    return amount(one, 2), amount(other, 2)


def _short(number: float | None) -> str:
    return "unknown" if number is None else show(round_to(number, 3))


def _settings(summary: Summary, point: Any) -> str:
    """A point in words; lines of a UPF that set different hyperparameters have no axis in common."""
    return point_on_axes(summary, point) or point_words(point, ()) or "the settings as given"
