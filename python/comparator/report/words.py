"""The report's sentences: the question, the answer with its limits, and what the metrics say.

Plain text, so that the command line can print the same words; cheap to import.
"""

from __future__ import annotations

import math
import re
import shlex
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comparator.findings.axes import is_number, show
from comparator.findings.summary import LOSS, SCALED_LOSS, SKILL, EvaluationSummary, Summary, search_settings
from comparator.objective.differences import difference_called
from comparator.results.record import FrozenExperiment

if TYPE_CHECKING:
    from comparator.evidence.regions import Evidence
    from comparator.findings.metric_agreement import MetricReading
    from comparator.findings.verdict import Condition, Findings

VERDICTS = {
    "regions": "differ more under some conditions",
    "everywhere": "differ about alike",
    "none": "show no difference",
}
NEAR_ZERO = 0.1  # of the middle size of a metric: what is smaller is near zero
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def question(summary: Summary) -> str:
    """Return what the experiment asked, with the space it looked in."""
    where = " and ".join(f"{axis.name} ({axis.range()})" for axis in summary.axes) or "one fixed setting"
    if summary.kind == "single":
        extreme = "highest" if summary.maximise else "lowest"
        return f"For which {where} does {' and '.join(summary.models)} reach its {extreme} {summary.metric}?"
    if summary.find == "regions":
        return (
            f"Under which conditions of {where} do {' and '.join(summary.models)} differ in {summary.metric}, "
            f"by the {summary.objective}?"
        )
    most = "most" if summary.maximise else "least"
    return (
        f"For which {where} do {' and '.join(summary.models)} differ {most} in {summary.metric}, "
        f"by the {summary.objective}?"
    )


def answer(summary: Summary, findings: Findings) -> list[str]:
    """Return the answer as two sentences: whether and where they differ, and the best that was found.

    Of a single model: what was found, and how far it can be trusted.
    """
    best, total = summary.best, len(summary.evaluations)
    if best is None:
        if not total:
            return ["No evaluation has finished yet."]
        reason, numbers = next(iter(summary.reasons.items()), ("no reason was recorded", []))
        return [
            f"None of the {total} evaluations succeeded, so there is no answer.",
            f"The most frequent reason ({len(numbers)} of {total}): {reason}",
        ]
    if findings.evidence is None:
        return [_finding(summary, best), _limits(summary, best)]
    return [_verdict(summary, findings, findings.evidence), _held(summary) or _finding(summary, best)]


def promise(summary: Summary, findings: Findings) -> str | None:
    """Return what a search that follows a model would have looked at next; None where this one did."""
    found = findings.promise
    if found is None or summary.best is None:
        return None
    names = tuple(axis.name for axis in summary.axes)
    prediction = found.prediction
    sign = -1 if summary.kind != "single" and prediction.mean < 0 else 1
    ends = sorted(sign * end for end in prediction.interval)
    extreme = "largest difference" if summary.kind != "single" else f"{'highest' if summary.maximise else 'lowest'} "
    extreme += "" if summary.kind != "single" else summary.metric
    return (
        f"A model of these evaluations expects the {extreme}, {with_interval(sign * prediction.mean, ends)} on average "
        f"over splits and seeds, at {point_words(found.point, names)}; `bayesian`, which follows such a model, would "
        "look there next."
    )


def failing(findings: Findings) -> str | None:
    """Return where trainings fail together; None where they do not."""
    if not findings.failing:
        return None
    return f"Trainings fail at {listed(findings.failing)}: nothing is said of the difference there."


def counted(summary: Summary) -> str:
    """Return how many there are: of the budget, of distinct points, beside the search, without a result."""
    number = summary.number
    points = f"{number.points} point{'' if number.points == 1 else 's'}"
    done = f"{number.done} evaluation{'' if number.done == 1 else 's'} at {points}"
    beside = f", {number.in_full} more in full" if number.in_full else ""
    beside += f", {number.confirming} more that try it anew" if number.confirming else ""
    failed = f"; {number.failed} failed" if number.failed else ""
    return f"{done}{beside}{failed}."


def remarks(summary: Summary, findings: Findings, readings: Sequence[MetricReading]) -> list[str]:
    """Return what a reader of the answer has to know beside it, a paragraph each."""
    best = summary.best
    unconfirmed = best is not None and findings.evidence is not None and not summary.reliability.confirmations
    found = [
        _limits(summary, best) if best is not None and unconfirmed else None,
        short_trainings(summary),
        relative_to_nothing(summary),
        _climb(summary) if findings.evidence is not None and not findings.evidence.fresh_blocks else None,
        failing(findings),
        promise(summary, findings),
        baseline(summary),
        mean_predictor(summary),
        *disagreements(summary, readings),
    ]
    return [sentence for sentence in found if sentence]


def short_trainings(summary: Summary) -> str | None:
    """Return that the search looked at short trainings, and what that says; None where all were full ones."""
    first = summary.first
    if first is None:
        return None
    best = f"; the best point is that of {summary.number.in_full} trained in full" if summary.number.in_full else ""
    return (
        f"The search, and so the map and all that is drawn of its points, shows trainings of {first.epochs} of "
        f"{first.full} epochs: they rank points, but the sizes of full ones are others{best}."
    )


def confirmation(summary: Summary) -> str | None:
    """Return what the table of confirmed points means; None without any."""
    confirmed = summary.reliability.confirmations
    if not confirmed:
        return None
    splits = (
        "the search's own split of the data, so what follows holds given this split"
        if confirmed[0].given_this_split
        else "fresh splits of the data"
    )
    one = len(confirmed) == 1
    judged = (
        " A point is confirmed where it differs more than places elsewhere that were trained in the same blocks."
        if any(each.contrast is not None for each in confirmed)
        else ""
    )
    return (
        f"When the search was over its best {'point was' if one else 'distinct points were'} trained anew, on seeds "
        f"that it never used and {splits}.{judged} The winner's curse is how much more the search promised than came "
        "true."
    )


def relative_to_nothing(summary: Summary) -> str | None:
    """Return that a difference is relative to numbers below zero or near it; None where it is not."""
    metric = summary.metric
    difference = difference_called(summary.objective, metric)
    if difference is None or not difference.not_negative:
        return None
    both = [[each[metric] for each in one.metrics if metric in each] for one in summary.searched]
    known = [values for values in both if values]
    negative = sum(min(values) < 0 for values in known)
    serves = f'difference = "absolute" reads {metric} in its own units'
    if negative:
        where = f"below 0 in {negative} of {len(known)} evaluations"
        return f"{metric} is {where}, where the {summary.objective} means nothing; {serves}."
    larger = [max(values) for values in known]
    if larger and min(larger) < NEAR_ZERO * statistics.median(larger):
        where = f"near 0 ({_short(min(larger))})"
        return f"{metric} comes {where}, where the {summary.objective} is large for little; {serves}."
    return None


def components(evidence: Evidence) -> str:
    """Return what makes trainings of one place differ, in shares of their variance."""
    found = evidence.components
    if found is None:
        return ""
    luck = {
        "what its block does to the whole space": found.block,
        "what its block does there alone": found.block_by_place,
        "its own": found.noise,
    }
    whole = sum(luck.values())
    if whole <= 0:
        return ""
    shares = [f"{share / whole:.0%} is {what}" for what, share in luck.items()]
    return (
        f"Of the variance of one training at a place {listed(shares)}, as a model of the search's evaluations has it."
    )


def disagreements(summary: Summary, readings: Sequence[MetricReading]) -> list[str]:
    """Return a sentence for each way in which the metrics disagree."""
    found = []
    better: dict[int, list[str]] = {}
    for one in readings:
        if one.better is not None:
            better.setdefault(one.better, []).append(one.metric)
    if len(better) > 1:
        sides = "; ".join(f"by {listed(metrics)} it is {summary.models[which]}" for which, metrics in better.items())
        found.append(f"The metrics disagree about which model is the better one: {sides}.")
    verdicts: dict[str, list[str]] = {}
    for one in readings:
        if one.verdict is not None:
            verdicts.setdefault(VERDICTS[one.verdict], []).append(one.metric)
    if len(verdicts) > 1:
        sides = "; ".join(f"by {listed(metrics)} they {verdict}" for verdict, metrics in verdicts.items())
        found.append(f"The metrics disagree about where the models differ: {sides}.")
    if found and any(one.metric == SCALED_LOSS for one in readings):
        found[-1] += (
            f" Where the labels of two models vary unequally, {SCALED_LOSS} (1 - R2) is a fairer measure than {LOSS}."
        )
    return found


def agreement(readings: Sequence[MetricReading]) -> str | None:
    """Return what metrics that do not disagree agree in; None where fewer than two of them say anything."""
    said = ["the same model is the better one"] if sum(one.better is not None for one in readings) > 1 else []
    said += ["the verdict is the same"] if sum(one.verdict is not None for one in readings) > 1 else []
    return f"The metrics agree: {' and '.join(said)}." if said else None


def verdict(content: Mapping[str, Any]) -> list[str]:
    """Return what the closing words say of the verdict, from the content of report.json, a line each."""
    rejected = [
        f"  not shown by fresh trainings: more at {region['words']}{_contrast_words(region)}"
        for region in content.get("rejected") or ()
    ]
    if content.get("verdict") == "regions":
        numbered = [
            f"  {number}: {region['words']}{_contrast_words(region)}"
            for number, region in enumerate(content["regions"], start=1)
        ]
        return ["they differ more where:", *numbered, *rejected]
    if content.get("verdict") is None:
        return []
    evidence = content["evidence"]
    mean = with_interval(evidence["overall"], evidence["overall_interval"])
    missed = evidence.get("missed")
    bound = "" if missed is None else f"; up to {show(round_to(missed, 2))} cannot be excluded"
    return [f"{content['reason']}: mean signed difference {mean}{bound}", *rejected]


def _contrast_words(region: Mapping[str, Any]) -> str:
    if region.get("contrast_interval") is None:
        return "; nothing was trained anew"
    return (
        f": {with_interval(region['contrast'], region['contrast_interval'])} more, on {region['blocks']} fresh blocks"
    )


def with_interval(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return `0.31 [0.28, 0.35]`, the mean alone where it has no finite interval."""
    if mean is None:
        return "unknown"
    if interval is None or not all(is_number(end) for end in interval):
        return show(round_to(mean, 3))
    low, high = (float(end) for end in interval if end is not None)
    size = max(abs(mean), abs(low), abs(high))
    places = max(0, 1 - math.floor(math.log10(size))) if size > 0 else 2
    return f"{mean:.{places}f} [{low:.{places}f}, {high:.{places}f}]"


def chance(probability: float | None) -> str:
    """Return a p-value for people: `0.1 % at most`, `12 %`, `not asked`."""
    if probability is None:
        return "not asked"
    return "0.1 % at most" if probability <= 0.001 else f"{show(round_to(100 * probability, 2))} %"


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def round_to(number: float, digits: int) -> float:
    """Return `number` to so many significant digits."""
    return float(f"{number:.{digits}g}")


def point(evaluation: EvaluationSummary, names: tuple[str, ...]) -> str:
    """Return the point in words: `noise 3.2, layer_force 180`; all its settings where `names` is empty."""
    return point_words(evaluation.point, names)


def point_words(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return these values in words, as `point` does."""
    return ", ".join(f"{name} {show(values[name])}" for name in names or tuple(values) if name in values)


def mean_predictor(summary: Summary) -> str | None:
    """Return at how many points the models beat the mean predictor, or None where it is not known."""
    count = summary.mean_predictor
    if count is None:
        return None
    who, beat = ("both models", "beat") if len(summary.models) == 2 else ("the model", "beats")
    sentence = f"At {count.beaten_by_both} of {count.of} points {who} {beat} the mean predictor"
    reference = f"{SKILL} above 0" if count.metric == SKILL else f"{LOSS} below that of the labels' mean"
    worse = [f"{model} at {number}" for model, number in zip(summary.models, count.worse, strict=True) if number]
    return f"{sentence} ({reference}){'; worse than it is ' + listed(worse) if worse else ''}."


def baseline(summary: Summary) -> str | None:
    """Return what the search bought over the default settings, or None where these were not evaluated."""
    default, best = summary.baseline, summary.best
    if default is None or best is None or best.difference is None or summary.kind != "single":
        return None
    if default.difference is None:
        return f"The default settings gave no {summary.metric}: {default.reason or default.status}."
    gain = best.difference - default.difference if summary.maximise else default.difference - best.difference
    share = f" ({abs(gain / default.difference):.0%})" if default.difference else ""
    bought = (
        f"the search found {show(best.difference)}, better by {show(gain)}{share}"
        if gain > 0
        else f"the search found nothing better (its best is {show(best.difference)})"
    )
    luck = " Part of such a gain is luck: the best of many was chosen, the default was not." if gain > 0 else ""
    return f"The default settings reach a {summary.metric} of {show(default.difference)}; {bought}.{luck}"


def printable(text: str) -> str:
    """Return `text` without what XML and terminals cannot show, nor what turns the direction of writing.

    Line ends stay.
    """
    return UNPRINTABLE.sub(" ", text)


def repeat_commands(experiment: FrozenExperiment, regions: Sequence[Condition] = ()) -> list[tuple[str, str]]:
    """Return pairs (what it does, command): the experiment and its report made again, searches that go on from it."""
    typed = _words_of(experiment.provenance.command)
    words = _without_option(typed, "--id")
    kept = [word for place, word in enumerate(typed) if "--experiments" in (word, typed[place - 1] if place else "")]
    identifier = experiment.id
    commands = []
    if words:
        seed = search_settings(experiment).get("seed")
        if "search" in words[:2] and seed is not None and "--seed" not in words:
            words += ["--seed", str(seed)]
        commands.append(("The same experiment again, under a new id", words))
        if "search" in words[:2]:
            commands += _steered(words, identifier, regions)
    commands.append(("This page, made again", ["comparator", "report", identifier, *kept]))
    commands.append(("Its runs as a table, one row a training", ["comparator", "export", identifier, *kept]))
    return [(what, shlex.join(command)) for what, command in commands]


def _steered(words: Sequence[str], identifier: str, regions: Sequence[Condition]) -> Iterable[tuple[str, list[str]]]:
    """Give the search again within each region, and around it."""
    for number, region in enumerate(regions, start=1):
        for what, option in (("within", "--focus"), ("outside", "--avoid")):
            command = [*_without_option(words, option), option, f"{identifier}:{number}"]
            yield f"A search {what} region {number} ({region.condition})", command


def _words_of(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # not a line of ours: shown as it stands
        return command.split()


def _without_option(words: Sequence[str], option: str) -> list[str]:
    return [word for place, word in enumerate(words) if option not in (word, words[place - 1] if place else "")]


def _verdict(summary: Summary, findings: Findings, evidence: Evidence) -> str:
    both = " and ".join(summary.models)
    if findings.regions:
        return f"{both} differ more {_conditions(summary, findings.regions)} {_basis(summary, evidence)}"
    overall = with_interval(evidence.overall, evidence.overall_interval)
    what = (
        "over the space"
        if evidence.fresh_blocks
        else f"of {evidence.points} point{'' if evidence.points == 1 else 's'}"
    )
    mean = f"the mean signed difference {what} is {overall}"
    if evidence.verdict == "none":
        return f"{both} show no difference: {evidence.reason} ({mean}).{_missed(evidence)} {_basis(summary, evidence)}"
    larger = f", {_larger(summary, int((evidence.overall or 0) > 0))}" if _is_one_sided(evidence) else ""
    seen = "".join(f" {_rejected(each)}" for each in findings.rejected[:1])
    is_read = evidence.level is not None
    if not findings.rejected and (not is_read if evidence.fresh_blocks else evidence.p_where is None or is_read):
        basis = _basis(summary, evidence)
        return f"{both} differ, but not where can be said: {evidence.reason} ({mean}{larger}). {basis}"
    more = seen or any(each.verdict == "confirmed" for each in summary.reliability.confirmations)
    alike = "and no condition is shown under which they differ more" if more else "everywhere about alike"
    return f"{both} differ{', ' if more else ' '}{alike}: {mean}{larger}.{seen} {_basis(summary, evidence)}"


def _conditions(summary: Summary, regions: Sequence[Condition]) -> str:
    """The first two conditions with their means, and how it is elsewhere."""
    first, *others = regions
    region = first.region
    said = f"at {first.condition}: by {with_interval(region.mean, region.interval)}"
    if region.outside is not None:
        said += f", against {with_interval(region.outside, region.outside_interval)} elsewhere"
    if region.contrast_interval is not None:
        said += f", which is {with_interval(region.contrast, region.contrast_interval)} more"
    said += f". There {_larger(summary, region.larger)}{_units(summary, first)}."
    for each in others[:1]:
        more = with_interval(each.region.contrast, each.region.contrast_interval)
        larger = "" if each.region.larger == region.larger else f"; {_larger(summary, each.region.larger)} there"
        said += f" Also at {each.condition}: {more} more than elsewhere{larger}."
    left = len(others) - 1
    return said + (f" And under {left} more {'condition' if left == 1 else 'conditions'}." if left > 0 else "")


def _units(summary: Summary, condition: Condition) -> str:
    """The metric itself in a region and elsewhere, where trainings tell it."""
    if not condition.metrics or not condition.outside:
        return ""
    inside, outside = (
        " and ".join(
            f"{_short(metrics[summary.metric])} for {model}"
            for model, metrics in zip(summary.models, tried, strict=True)
        )
        for tried in (condition.metrics, condition.outside)
    )
    return f", on average {inside}; elsewhere it is {outside}"


def _basis(summary: Summary, evidence: Evidence) -> str:
    """What the answer rests on, and so what it can be said of."""
    if evidence.fresh_blocks:
        each = "each a split of the data and its seeds"
        if summary.reliability.given_this_split:
            each = "each seeds of its own on the search's split of the data"
        return f"This was tried on {evidence.fresh_blocks} fresh blocks, {each}, at places drawn anew."
    anew = "the best alone was trained anew" if summary.reliability.confirmations else "nothing was trained anew"
    if evidence.blocks == 1:
        return f"This holds on this split of the data: no other was looked at, and {anew}."
    return f"This is what the search itself saw: {anew}."


def _missed(evidence: Evidence) -> str:
    if not evidence.missed:
        return ""
    place = (
        ""
        if evidence.missed_contrast is None
        else f", and one of {_short_two(evidence.missed_contrast)} between where the search saw most and elsewhere"
    )
    return f" A mean difference of up to {_short_two(evidence.missed)} cannot be excluded{place}."


def _rejected(condition: Condition) -> str:
    region = condition.region
    more = with_interval(region.contrast, region.contrast_interval)
    return f"The search saw more at {condition.condition}; on fresh blocks that is {more}, which does not show it."


def _short_two(number: float) -> str:
    return show(round_to(number, 2))


def _is_one_sided(evidence: Evidence) -> bool:
    ends = evidence.overall_interval
    return ends is not None and ends[0] * ends[1] > 0


def _larger(summary: Summary, submodel: int) -> str:
    return f"{summary.models[submodel]} has the larger {summary.metric}"


def _held(summary: Summary) -> str | None:
    """What became of the best finding; None where it was not trained anew."""
    first = next(iter(summary.reliability.confirmations), None)
    if first is None or first.confirmed is None:
        return None
    what = f"The {'largest' if summary.maximise else 'smallest'} {summary.objective}"
    where = point_words(first.point, tuple(axis.name for axis in summary.axes))
    fresh = f"{first.seeds} fresh seeds" + ("" if first.given_this_split else " and splits of the data")
    came = f"{with_interval(first.confirmed, first.interval)} on {fresh}"
    verdict = "" if first.verdict is None else f", {first.verdict}"
    more = with_interval(first.contrast, first.contrast_interval)
    beside = "" if first.contrast is None else f": {more} more than elsewhere"
    seen = f"{_short(first.searched)} at {where or 'the fixed setting'}"
    return f"{what} that the search saw, {seen}, came to {came}{beside}{verdict}."


def _climb(summary: Summary) -> str | None:
    if not summary.is_climb:
        return None
    return (
        "This search climbed towards the largest difference and hardly looked elsewhere; where two models differ is "
        'better asked with find = "regions", which spreads its points.'
    )


def _finding(summary: Summary, best: EvaluationSummary) -> str:
    names = tuple(axis.name for axis in summary.axes)
    found = f"{_short(best.difference)} at {point(best, names) or 'the fixed setting'} (evaluation {best.number})"
    if summary.kind == "single":
        return f"The {'highest' if summary.maximise else 'lowest'} {summary.metric} found is {found}."
    values = " and ".join(
        f"{_short(metrics[summary.metric])} for {model}"
        for model, metrics in zip(summary.models, best.metrics, strict=True)
        if summary.metric in metrics
    )
    where = f", where {summary.metric} is {values}" if values else ""
    return f"The {'largest' if summary.maximise else 'smallest'} {summary.objective} found is {found}{where}."


def _limits(summary: Summary, best: EvaluationSummary) -> str:
    total = summary.number.points - summary.number.without_value
    held = _held(summary)
    if held is not None:
        return held
    if summary.kind == "single":
        return (
            f"The best of {total} points is partly luck: it rests on {_seeds(best)}, and training "
            "it again with other seeds will show how much."
        )
    if best.replicates <= 1:
        return (
            "It rests on one seed: one seed a point can show that the two models differ, not that this "
            f"point is where they differ {'most' if summary.maximise else 'least'}, "
            f"since the best of {total} single results is partly luck."
        )
    return (
        f"It is the mean of {_seeds(best)}; as the best of {total} points it is still partly luck "
        "until fresh seeds confirm it."
    )


def _short(number: float | None) -> str:
    return "" if number is None else show(round_to(number, 3))


def _seeds(best: EvaluationSummary) -> str:
    return "one seed" if best.replicates <= 1 else f"{best.replicates} seeds"
