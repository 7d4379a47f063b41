"""The report's sentences: the question, the answer with its limits, and what the metrics say.

Plain text, so that the command line can print the same words; cheap to import.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comparator.findings.controls import is_control
from comparator.findings.mean_predictor import LOSS, SCALED_LOSS, SKILL
from comparator.findings.summary import EvaluationSummary, Summary, drawn_anew
from comparator.findings.sureness import NO_PLACE
from comparator.findings.yardstick import shown_in
from comparator.formats.numbers import how_many, round_to, show
from comparator.objective.amounts import measure_by
from comparator.objective.differences import difference_called
from comparator.report.numbers import listed, percent, point_words
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Run

if TYPE_CHECKING:
    from comparator.evidence.regions import Evidence
    from comparator.findings.metric_agreement import MetricReading
    from comparator.findings.verdict import Findings
    from comparator.findings.yardstick import InMetric

VERDICTS = {
    "regions": "differ more under some conditions",
    "everywhere": f"differ, and {NO_PLACE}",
    "none": "show no difference",
}
VERDICTS_IN_TABLE = {"regions": "more under some conditions", "everywhere": NO_PLACE, "none": "not shown"}
NEAR_ZERO = 0.1  # of the middle size of a metric: what is smaller is near zero


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
    and_where = "more than elsewhere, and " if summary.find == "both" else ""
    return (
        f"For which {where} do {' and '.join(summary.models)} differ {and_where}{most} in {summary.metric}, "
        f"by the {summary.objective}?"
    )


def question_again(experiment: FrozenExperiment) -> str:
    """Return what an experiment asked that tries another one again."""
    if experiment.crossing is not None:
        at = point_words(experiment.crossing.points[0], ()) or "the settings as given"
        return f"Of the difference of one pair of trainings at {at}: how much is the data split, how much the seeds?"
    if any(map(is_control, experiment.claims or ())):
        return f"Is what '{experiment.rechecks}' has shown of two studies still so where both are cut alike?"
    return f"Is what '{experiment.rechecks}' claims still so, with models, data and settings as they are now?"


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
    expected = summary.measure.amounts(sign * prediction.mean, ends)
    return (
        f"A model of these evaluations expects the {extreme}, {expected} on average over"
        f" {drawn_anew(summary.evaluations)}, at {point_words(found.point, names)}; a search that follows such a model"
        " (bayesian) would look there next."
    )


def failing(findings: Findings) -> str | None:
    """Return where trainings fail together; None where they do not."""
    if not findings.failing:
        return None
    return f"Trainings fail at {listed(findings.failing)}: nothing is said of the difference there."


def counted(summary: Summary) -> str:
    """Return how many there are: of the budget, of distinct points, beside the search, of trainings, of failures.

    A pair is two trainings of one point on one seed; a row of the table is an evaluation, of one pair or more.
    """
    number = summary.number
    what = "training" if summary.kind == "single" else "pair"
    done = f"{how_many(number.done, what)} at {how_many(number.points, 'point')}"
    beside = f", {number.in_full} more in full" if number.in_full else ""
    anew = "places drawn anew" if summary.is_exact else "fresh blocks"
    beside += f", {number.confirming} more on {anew}" if number.confirming else ""
    if number.confirming and not number.done:  # what tries another experiment again searches nothing
        done, beside = f"{how_many(number.confirming, what)} on {anew}", ""
    failed = f"; {how_many(number.lost, what)} failed" if number.lost else ""
    return f"{done}{beside}: {_trainings(summary)}{failed}."


def lost(summary: Summary) -> str:
    """Return how many of all pairs, or of a single model's trainings, failed: as `counted` counts them."""
    number = summary.number
    asked = number.done + number.in_full + number.confirming
    return f"{number.lost} of {how_many(asked, 'training' if summary.kind == 'single' else 'pair')} failed"


def _trainings(summary: Summary) -> str:
    trained, found = trainings_in(run for one in summary.evaluations for run in one.runs)
    asked = summary.number.done + summary.number.in_full + summary.number.confirming
    shared = trained + found < asked * len(summary.models)
    once = ", one that several need counted once" if shared and trained + found else ""
    return f"{how_many(trained, 'training')} done, {found} found in the store{once}"


def trainings_in(runs: Iterable[Run]) -> tuple[int, int]:
    """Return how many trainings were done for these runs, and how many were found in the store; each counts once."""
    known = [run for run in runs if run.run]
    trained = {run.run for run in known if not run.reused}
    return len(trained), len({run.run for run in known} - trained)


def remarks(summary: Summary, findings: Findings) -> list[str]:
    """Return what a reader of the answer has to know beside it, a paragraph each."""
    best = summary.best
    unconfirmed = best is not None and findings.evidence is not None and not summary.reliability.confirmations
    found = [
        _limits(summary, best) if best is not None and unconfirmed else None,
        short_trainings(summary),
        relative_to_nothing(summary),
        _climb(summary) if findings.evidence is not None and not findings.evidence.fresh_blocks else None,
        promise(summary, findings),
        baseline(summary),
        mean_predictor(summary),
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


def components(evidence: Evidence, drawn: str) -> str:
    """Return what makes trainings of one place differ, in shares of their variance, where these are `drawn` anew."""
    found = evidence.components
    if found is None:
        return ""
    luck = {
        f"is shared by all places that have the same {drawn}": found.block,
        "is what these do at that place alone": found.block_by_place,
        "is left to each single training": found.noise,
    }
    whole = sum(luck.values())
    if whole <= 0:
        return ""
    shares = [f"{100 * share / whole:.0f} % {what}" for what, share in luck.items()]
    return (
        f"Trained again with other {drawn}, the difference at a place comes out otherwise: of that variance"
        f" {listed(shares)}. A model of the search's evaluations says so."
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


def by_yardstick(summary: Summary, found: Sequence[InMetric]) -> list[str]:
    """Return for each claim that fresh trainings show in which other metrics they show it too, and in which not."""
    said = []
    for claim, held, lost in shown_in(found):
        name = claim.claim.capitalize()
        if held and not lost:
            said.append(f"{name} differs more than elsewhere by {listed([each.metric for each in held])} too.")
        if lost:
            too = f", as by {listed([each.metric for each in held])}" if held else ""
            not_so = listed([_not_so(each, claim, summary) for each in lost])
            said.append(f"{name} differs more than elsewhere by {claim.metric}{too}; not shown by {not_so}.")
    return said


def _not_so(one: InMetric, claim: InMetric, summary: Summary) -> str:
    ahead = "" if one.better == claim.better else f", where {summary.models[one.better]} is ahead"
    return f"{one.metric} ({measure_by(one.difference).apart(one.more, one.more_interval)} more{ahead})"


def agreement(readings: Sequence[MetricReading]) -> str | None:
    """Return what metrics that do not disagree agree in; None where fewer than two of them say anything."""
    said = ["the same model is the better one"] if sum(one.better is not None for one in readings) > 1 else []
    said += ["the verdict is the same"] if sum(one.verdict is not None for one in readings) > 1 else []
    return f"The metrics agree: {' and '.join(said)}." if said else None


def verdict(content: Mapping[str, Any]) -> list[str]:
    """Return what the closing words say, from the content of report.json, a line each: its answer, and what comes next.

    Without a result there is nothing to say.
    """
    if not content.get("best"):
        return []
    step = content.get("next") or {}
    command = f": {step['command']}" if step.get("command") else ""
    return [*content.get("answer", ()), *([f"next: {step['words']}{command}"] if step else [])]


def not_seen(summary: Summary, findings: Findings) -> list[str]:
    """Return how small a difference may have been missed, and where nothing is known."""
    evidence = findings.evidence
    if evidence is None:
        return []
    said, drawn = [], drawn_anew(summary.evaluations)
    if evidence.missed is not None:
        most = summary.measure.amount(evidence.missed, 3)
        said.append(f"A mean difference of up to {most} cannot be excluded: its 95 % interval reaches that far.")
    if evidence.missed_contrast is not None and not findings.regions:
        most = summary.measure.apart(evidence.missed_contrast)
        said.append(
            f"That the places which were tried differ from elsewhere by up to {most} cannot be excluded: the 95 % "
            f"interval over {evidence.fresh_blocks} fresh block{'s' * (evidence.fresh_blocks != 1)}, each with {drawn} "
            "of its own, reaches that far. To exclude less takes more blocks ([confirm] seeds)."
        )
    elif findings.regions and evidence.fresh_blocks:
        said.append("Only regions that the search pointed to were tried: there may be others, which are not named.")
    elif not evidence.fresh_blocks:
        said.append("Nothing was trained anew, so that how small a difference may have been missed is not known.")
    if evidence.noise:
        said.append(_from_seed_to_seed(summary, evidence.noise))
    elif evidence.noise is None and not summary.is_exact:
        said.append("The search trained no point on two seeds: how much a seed changes it did not see.")
    shares = components(evidence, drawn)
    gaps = failing(findings)
    return [*said, *([shares] if shares else []), *([gaps] if gaps else [])]


def _from_seed_to_seed(summary: Summary, deviation: float) -> str:
    """By how much trainings of one point differ, as far as the search trained points on several seeds."""
    several = sum(one.replicates > 1 for one in summary.points)
    where = "At the one point" if several == 1 else f"At the {several} points"
    return (
        f"{where} that the search trained on several seeds the difference changed from training to training by "
        f"{summary.measure.apart(deviation)} (standard deviation): a single evaluation there is no more precise"
        " than that; elsewhere it may change more, or less."
    )


def mean_predictor(summary: Summary) -> str | None:
    """Return at how many points the models beat the mean predictor, or None where it is not known."""
    count = summary.mean_predictor
    if count is None:
        return None
    who, beat = ("both models", "beat") if len(summary.models) == 2 else ("the model", "beats")
    sentence = f"At {count.beaten_by_both} of {count.of} points {who} {beat} the mean predictor"
    reference = f"{SKILL} above 0" if count.metric == SKILL else f"{LOSS} below that of the labels' mean"
    worse = [f"{model} at {number}" for model, number in zip(summary.models, count.worse, strict=True) if number]
    return f"{sentence} ({reference}){'; worse than it: ' + listed(worse) if worse else ''}."


def has_not_learnt(summary: Summary) -> str | None:
    """Return which models are worse than the mean predictor at more than half of the points; None where none is."""
    count = summary.mean_predictor
    if count is None:
        return None
    worse = [model for model, number in zip(summary.models, count.worse, strict=True) if 2 * number > count.of]
    return f"{listed(worse)} mostly worse than the mean predictor" if worse else None


def baseline(summary: Summary) -> str | None:
    """Return what the search bought over the default settings, or None where these were not evaluated."""
    default, best = summary.baseline, summary.best
    if default is None or best is None or best.difference is None or summary.kind != "single":
        return None
    if default.difference is None:
        return f"The default settings gave no {summary.metric}: {default.reason or default.status}."
    gain = best.difference - default.difference if summary.maximise else default.difference - best.difference
    share = f" ({percent(abs(gain / default.difference))})" if default.difference else ""
    bought = (
        f"the search found {show(best.difference)}, better by {show(gain)}{share}"
        if gain > 0
        else f"the search found nothing better (its best is {show(best.difference)})"
    )
    luck = " Part of such a gain is luck: the best of many was chosen, the default was not." if gain > 0 else ""
    return f"The default settings reach a {summary.metric} of {show(default.difference)}; {bought}.{luck}"


def _climb(summary: Summary) -> str | None:
    if not summary.is_climb:
        return None
    return (
        "This search climbed towards the largest difference and hardly looked elsewhere; where two models differ is "
        'better asked with find = "both", which spreads its points first.'
    )


def _limits(summary: Summary, best: EvaluationSummary) -> str:
    """What limits a best point that nothing was trained anew for."""
    total = summary.number.points - summary.number.without_value
    if summary.is_exact:
        return repeats_exactly(summary)
    extreme = "most" if summary.maximise else "least"
    if best.replicates <= 1:
        return (
            "The best point rests on one seed: one seed a point can show that the two models differ, not that this "
            f"point is where they differ {extreme}, since the best of {total} single results is partly luck."
        )
    return (
        f"The best point is the mean of {_seeds(best)}; as the best of {total} points it is still partly luck "
        "until fresh seeds confirm it."
    )


def repeats_exactly(summary: Summary) -> str:
    """Return that no training has randomness that is known, and what to do where it has."""
    if len(summary.seedless) < len(summary.models):
        return "Training a point on another seed gives the same number: no result depends on its seed."
    who = "the model takes" if len(summary.models) == 1 else "neither model takes"
    none = "no seed" if len(summary.models) == 1 else "a seed"
    return (
        f"Repeating a training gives the same number: {who} {none} that is known. Where a training has randomness, let "
        "a hyperparameter seed it: one called rng_seed is found by its name, another is named in "
        f"{summary.described_in}."
    )


def _short(number: float | None) -> str:
    return "" if number is None else show(round_to(number, 3))


def _seeds(best: EvaluationSummary) -> str:
    return "one seed" if best.replicates <= 1 else f"{best.replicates} seeds"
