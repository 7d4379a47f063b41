"""What is said of two models that were, or were not, trained and judged alike: a line, and a box of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comparator.findings.like_for_like import Effect, Fact, LikeForLike, Recomputed
from comparator.formats.numbers import is_number, round_to, show

DIGITS = 4


def in_a_line(found: LikeForLike, models: Sequence[str]) -> str:
    """Say in one sentence what differs beside what is varied, or what is known to be the same."""
    unlike = unlikenesses(found, models)
    idle = idle_words(found)
    if unlike:
        return f"not like for like: {'; '.join([*unlike, *([idle] if idle else [])])}"
    known = [f"{fact.what} {_number(fact.values[0])}" for fact in found.facts if fact.pairs]
    changing = [effect.hyperparameter for effect in found.effects if effect.changes == (True, True)]
    known += [f"{' and '.join(changing)} change{'s' * (len(changing) == 1)} both"] if changing else []
    known += [idle] if idle else []
    return f"like for like, as far as they tell: {', '.join(known)}" if known else "like for like: neither model tells"


def unlikenesses(found: LikeForLike, models: Sequence[str], *, in_table: bool = False) -> list[str]:
    """Return what differs, a phrase each; what a table says whole is left out where it is `in_table`."""
    first, second = models
    phrases = [
        f"{fact.what} {_number(fact.values[0])} of {first}, {_number(fact.values[1])} of {second}{_share(fact)}"
        for fact in found.unlike_facts
        if not in_table or _share(fact)
    ]
    phrases += [_unfounded(models[number], each) for number, each in found.unfounded]
    return phrases + [effect_words(effect, models) for effect in found.one_sided]


def idle_words(found: LikeForLike) -> str:
    """Say which hyperparameters changed neither model; empty where there are none."""
    names = [effect.hyperparameter for effect in found.idle]
    return f"{' and '.join(names)} changed neither model where nothing else was changed" if names else ""


def effect_words(effect: Effect, models: Sequence[str]) -> str:
    """Say which model a hyperparameter changes."""
    name = effect.hyperparameter
    changed = [model for model, changes in zip(models, effect.changes, strict=True) if changes]
    unmoved = [model for model, changes in zip(models, effect.changes, strict=True) if changes is False]
    unknown = [model for model, changes in zip(models, effect.changes, strict=True) if changes is None]
    if not unmoved:
        words = f"{name} changes {' and '.join(changed)}"
    else:
        words = f"{name} changes {' and '.join(changed) or 'nothing'}" + (" alone" if changed and not unknown else "")
        words += f"; {' and '.join(unmoved)} gave the same number at {_values(effect.tried)}"
    return words + (f" (not known of {unknown[0]})" if unknown else "")


@dataclass(frozen=True)
class Box:
    """The box of a report: whether something differs; what of that its table does not tell; the table; a note."""

    unlike: bool
    more: list[str]
    idle: str
    rows: list[tuple[str, list[str], bool]]
    note: str


def box_of(found: LikeForLike | None, models: Sequence[str]) -> Box | None:
    """Return what the box shows; None where nothing is known."""
    if found is None or not (lines := rows(found)):
        return None
    pairs = max((fact.pairs for fact in found.facts), default=0)
    note = (
        "The numbers are those of one pair of trainings."
        if pairs == 1
        else f"{pairs} pairs of trainings were compared. A line shows the numbers of one of them: the first in which"
        " the two differ or, where they differ in none, the first of all."
        if pairs
        else ""
    )
    if found.effects:
        note += (
            " What changes a model is read from trainings that differ in nothing else, with equal seed and split: there"
            " are few such, and at other places of the space it may be otherwise."
        )
    unlike = bool(unlikenesses(found, models))
    return Box(unlike, unlikenesses(found, models, in_table=True), idle_words(found), lines, note.strip())


def rows(found: LikeForLike) -> list[tuple[str, list[str], bool]]:
    """Return the lines of the box's table: what, a value for each model, whether they differ."""
    facts = [
        (fact.what, [_number(value) for value in fact.values], bool(fact.differing))
        for fact in found.facts
        if fact.values != (None, None)
    ]
    if any(found.recomputed):
        metric = next(each.metric for each in found.recomputed if each is not None)
        values = [_followed(each) for each in found.recomputed]
        facts.append((f"{metric}, of the written predictions", values, bool(found.unfounded)))
    effects = [
        (f"changes with {one.hyperparameter}", [_CHANGES[each] for each in one.changes], one in found.one_sided)
        for one in found.effects
    ]
    return facts + effects


_CHANGES = {True: "yes", False: "no", None: "not known"}


def _followed(each: Recomputed | None) -> str:
    if each is None:
        return "none"
    words = "as reported" if each.follows else f"reported {_number(each.reported)}"
    return f"{_number(each.recomputed)}, {words}"


def _unfounded(model: str, each: Recomputed) -> str:
    told = f"{each.metric} {_number(each.reported)}"
    return f"{told} of {model} is not that of its written predictions, {_number(each.recomputed)}"


def _share(fact: Fact) -> str:
    return f" (in {fact.differing} of {fact.pairs} pairs)" if fact.differing < fact.pairs else ""


def _values(tried: Sequence[Any]) -> str:
    if len(tried) < 4:
        return " and ".join(map(show, tried))
    if not all(is_number(value) for value in tried):
        return f"{len(tried)} values"
    return f"{len(tried)} values from {show(min(tried))} to {show(max(tried))}"


def _number(value: float | None) -> str:
    if value is None:
        return "not told"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e12 else show(round_to(value, DIGITS))
