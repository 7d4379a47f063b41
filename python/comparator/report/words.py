"""The report's sentences: the question, the answer with its limits, and what the yardsticks say.

Plain text, so that the command line can print the same words; cheap to import.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.report.axes import show
from comparator.report.summary import LOSS, SKILL, Evaluation, Summary

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def question(summary: Summary) -> str:
    """Return what the experiment asked, with the space it looked in."""
    where = " and ".join(f"{axis.name} ({axis.range()})" for axis in summary.axes) or "one fixed setting"
    if summary.kind == "single":
        extreme = "highest" if summary.maximise else "lowest"
        return f"For which {where} does {' and '.join(summary.models)} reach its {extreme} {summary.metric}?"
    most = "most" if summary.maximise else "least"
    return (
        f"For which {where} do {' and '.join(summary.models)} differ {most} in {summary.metric}, "
        f"by the {summary.objective}?"
    )


def answer(summary: Summary) -> list[str]:
    """Return the answer as two sentences: what was found, and how far it can be trusted."""
    best, total = summary.best, len(summary.evaluations)
    if best is None:
        if not total:
            return ["No evaluation has finished yet."]
        reason, numbers = next(iter(summary.reasons.items()), ("no reason was recorded", []))
        return [
            f"None of the {total} evaluations succeeded, so there is no answer.",
            f"The most frequent reason ({len(numbers)} of {total}): {reason}",
        ]
    return [_finding(summary, best), _limits(summary, best)]


def point(evaluation: Evaluation, names: tuple[str, ...]) -> str:
    """Return the point in words: `noise 3.2, layer_force 180`; all its settings where `names` is empty."""
    shown = names or tuple(evaluation.point)
    return ", ".join(f"{name} {show(evaluation.point[name])}" for name in shown if name in evaluation.point)


def mean_predictor(summary: Summary) -> str | None:
    """Return in how many evaluations the models beat the mean predictor, or None where it is not known."""
    count = summary.mean_predictor
    if count is None:
        return None
    who, beat = ("both models", "beat") if len(summary.models) == 2 else ("the model", "beats")
    sentence = f"In {count.beaten_by_both} of {count.of} evaluations {who} {beat} the mean predictor"
    reference = f"{SKILL} above 0" if count.metric == SKILL else f"{LOSS} below that of the labels' mean"
    return f"{sentence} ({reference})."


def baseline(summary: Summary) -> str | None:
    """Return what the search bought over the default settings, or None where these were not evaluated."""
    default, best = summary.baseline, summary.best
    if default is None or best is None or best.difference is None or summary.kind != "single":
        return None
    settings = point(default, tuple(axis.name for axis in summary.axes))
    named = f"The default settings ({settings})" if settings else "The default settings"
    if default.difference is None:
        return f"{named} gave no {summary.metric}: {default.reason or default.status}."
    gain = best.difference - default.difference if summary.maximise else default.difference - best.difference
    share = f" ({abs(gain / default.difference):.0%})" if default.difference else ""
    bought = (
        f"the search found {show(best.difference)}, better by {show(gain)}{share}"
        if gain > 0
        else f"the search found nothing better (its best is {show(best.difference)})"
    )
    luck = " Part of such a gain is luck: the best of many was chosen, the default was not." if gain > 0 else ""
    return f"{named} reach a {summary.metric} of {show(default.difference)}; {bought}.{luck}"


def yardsticks(summary: Summary) -> str | None:
    """Return a sentence where val_loss and val_loss over the label variance disagree, else None."""
    both = summary.yardsticks
    if both is None or not both.disagree:
        return None
    parts = []
    if both.opposite:
        parts.append(f"they name opposite models as the better one in {both.opposite} of {both.of} evaluations")
    if both.rank_correlation is not None and both.largest.number != both.largest_scaled.number:
        parts.append(
            f"they put the largest difference at evaluation {both.largest.number} and "
            f"{both.largest_scaled.number} (rank correlation {both.rank_correlation:.2f})"
        )
    elif not parts:
        parts.append(f"they order the points differently (rank correlation {both.rank_correlation:.2f})")
    return (
        f"The yardsticks disagree, {LOSS} and {LOSS} over the variance of the validation labels "
        f"(1 - R2): {'; '.join(parts)}. Where the labels of two models vary unequally, the second is the "
        "fairer one."
    )


def printable(text: str) -> str:
    """Return `text` without what XML and terminals cannot show, nor what turns the direction of writing.

    Line ends stay.
    """
    return UNPRINTABLE.sub(" ", text)


def repeat_commands(experiment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return pairs (what it does, command) with which the experiment and its report are made again."""
    typed = _words_of(str((experiment.get("provenance") or {}).get("command") or ""))
    words = _without_option(typed, "--id")
    kept = [word for place, word in enumerate(typed) if "--experiments" in (word, typed[place - 1] if place else "")]
    commands = []
    if words:
        seed = ((experiment.get("settings") or {}).get("search") or {}).get("seed")
        if "search" in words[:2] and seed is not None and "--seed" not in words:
            words += ["--seed", str(seed)]
        commands.append(("The same experiment again, under a new id", shlex.join(words)))
    again = ["comparator", "report", str(experiment.get("id", "ID")), *kept]
    commands.append(("This page, made again", shlex.join(again)))
    return commands


def _words_of(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # not a line of ours: shown as it stands
        return command.split()


def _without_option(words: Sequence[str], option: str) -> list[str]:
    return [word for place, word in enumerate(words) if option not in (word, words[place - 1] if place else "")]


def _finding(summary: Summary, best: Evaluation) -> str:
    names = tuple(axis.name for axis in summary.axes)
    found = f"{show(best.difference)} at {point(best, names) or 'the fixed setting'} (evaluation {best.number})"
    if summary.kind == "single":
        return f"The {'highest' if summary.maximise else 'lowest'} {summary.metric} found is {found}."
    values = " and ".join(
        f"{show(metrics[summary.metric])} for {model}"
        for model, metrics in zip(summary.models, best.metrics, strict=True)
        if summary.metric in metrics
    )
    where = f", where {summary.metric} is {values}" if values else ""
    return f"The {'largest' if summary.maximise else 'smallest'} {summary.objective} found is {found}{where}."


def _limits(summary: Summary, best: Evaluation) -> str:
    total = summary.counts["ok"]
    if summary.kind == "single":
        return (
            f"The best of {total} evaluations is partly luck: it rests on {_seeds(best)}, and training "
            "it again with other seeds will show how much."
        )
    if best.replicates <= 1:
        return (
            "It rests on one seed: one seed a point can show that the two models differ, not that this "
            f"point is where they differ {'most' if summary.maximise else 'least'}, "
            f"since the best of {total} single results is partly luck."
        )
    return (
        f"It is the mean of {_seeds(best)}; as the best of {total} evaluations it is still partly luck "
        "until fresh seeds confirm it."
    )


def _seeds(best: Evaluation) -> str:
    return "one seed" if best.replicates <= 1 else f"{best.replicates} seeds"
