"""The answer that a page and the terminal begin with: the question, two sentences, how sure, and what to do next.

Where, how much there and elsewhere, how sure; every word of sureness (`comparator.findings.sureness`) stands with what
it rests on: what was tested, on how much, and with what outcome.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.findings import sureness
from comparator.findings.summary import EvaluationSummary, Summary, search_settings
from comparator.report.words import (
    chance,
    command_of,
    is_relative,
    listed,
    point_words,
    round_to,
    show,
    typed_command,
    with_interval,
    without_option,
)
from comparator.results.record import FrozenExperiment

if TYPE_CHECKING:
    from comparator.evidence.confirmation import Confirmation
    from comparator.evidence.regions import Evidence, Region
    from comparator.findings.verdict import Condition, Findings

MEANINGS = (
    (
        sureness.VERY_LIKELY,
        "Fresh trainings, which the search never saw, show it at level 1 %: where it is not so, at most 1 of 100 such"
        " experiments says it.",
    ),
    (
        sureness.LIKELY,
        "Fresh trainings show it at level 5 %. Where nothing was trained anew the search's own trainings do, corrected"
        " for all the places that were looked at; they are never called more than likely.",
    ),
    (
        sureness.NOT_SHOWN,
        "Neither. That is not to say that it is not so: how large a difference may have been missed stands below.",
    ),
    (sureness.NOT_TESTED, "Fewer than two blocks of fresh trainings gave both sides of the comparison."),
)


@dataclass(frozen=True)
class Claim:
    """What is said with a word of sureness: `about` is its name, `basis` what the word rests on."""

    about: str
    word: str
    statement: str
    basis: str

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return "sure-" + self.about.replace(" ", "-")


#: Text with words of sureness in it.
Sentence = Sequence["str | Claim"]


@dataclass(frozen=True)
class Step:
    """What to do next: in words, and as a command, empty where there is none."""

    words: str
    command: str = ""


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


def answer_of(experiment: FrozenExperiment, summary: Summary, findings: Findings) -> Answer:
    """Return the answer that the findings give."""
    claims = tuple(_claims(summary, findings))
    return Answer(
        short_question(summary),
        tuple(_sentences(summary, findings, claims)),
        claims,
        _next(experiment, summary, findings),
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
    if summary.kind == "single":
        return [[_best_of_one(summary, best)], [_trust_of_one(summary)]]
    if evidence is None:
        return [[_best_of_two(summary, best)], [f"Whether that is luck cannot be said: {findings.reason}."]]
    by_name = {each.about: each for each in claims}
    if findings.regions:
        return [[_more_there(summary, findings.regions)], _sure_of_region(summary, findings, by_name)]
    if evidence.verdict == "none":
        return [
            [f"{' and '.join(summary.models)} show no difference in {summary.metric}: {evidence.reason}."],
            ["That they differ is ", by_name["difference"], f".{_missed(summary, evidence)}"],
        ]
    alike = ", about alike everywhere that was searched" if evidence.p_where is not None else ""
    return [
        [f"{_on_average(summary, evidence)}{alike}."],
        ["That they differ is ", by_name["difference"], *_not_where(summary, findings, by_name)],
    ]


def _nothing(summary: Summary) -> list[Sentence]:
    total = len(summary.evaluations)
    if not total:
        return [["No evaluation has finished yet."]]
    reason, numbers = next(iter(summary.reasons.items()), ("no reason was recorded", []))
    return [
        [f"None of the {total} evaluations gave a result, so there is no answer."],
        [f"The most frequent reason ({len(numbers)} of {total}): {reason}"],
    ]


def _best_of_one(summary: Summary, best: EvaluationSummary) -> str:
    extreme = "highest" if summary.maximise else "lowest"
    return (
        f"The {extreme} {summary.metric} that was found is {_short(best.difference)}, with"
        f" {_point(summary, best.point) or 'the fixed setting'} (evaluation {best.number})."
    )


def _trust_of_one(summary: Summary) -> str:
    points = summary.number.points - summary.number.without_value
    first = next((each for each in summary.reliability.confirmations if each.confirmed is not None), None)
    if summary.is_exact:
        return (
            "Training it again gives the same number: the model takes no seed that is known (if it has randomness, let"
            " its hyperparameter `rng_seed` seed it)."
        )
    if first is not None:
        return (
            f"Trained anew {_anew(first.seeds, summary)} it comes to {with_interval(first.confirmed, first.interval)};"
            f" the search said {_short(first.searched)}, and the best of {points} points is partly luck."
        )
    return f"It was not trained anew: the best of {points} points is partly luck, and other seeds will show how much."


def _best_of_two(summary: Summary, best: EvaluationSummary) -> str:
    most = "largest" if summary.maximise else "smallest"
    where = _point(summary, best.point) or "the fixed setting"
    return f"The {most} {summary.objective} that was found is {_short(best.difference)}, with {where}."


def _more_there(summary: Summary, regions: Sequence[Condition]) -> str:
    first, *others = regions
    region, gap = first.region, _Gap(summary, first.region.larger)
    elsewhere = "" if region.outside is None else f", and {gap.also(region.outside, region.mean)} elsewhere"
    more = f" ({len(others)} more such region{'s' * (len(others) > 1)} below)" if others else ""
    mostly = f" ({region.share:.0%} of the space)".replace("%", " %") if region.share > 0.5 else ""
    return f"With {first.condition}{mostly} {gap.is_below(region.mean, region.outside)}{elsewhere}{more}."


def _sure_of_region(summary: Summary, findings: Findings, claims: dict[str, Claim]) -> Sentence:
    first = findings.regions[0].region
    said: list[str | Claim] = ["That they differ more there than elsewhere is ", claims["region 1"]]
    if first.blocks:
        said.append(f": it held {_anew(first.blocks, summary)}")
    elif summary.is_exact:
        said.append(", as read from the points that were tried: training them again gives the same numbers")
    else:
        said.append(", by the search's own trainings alone: nothing was trained anew")
    best = _first_tried(summary)
    if best is not None:
        said += [
            f"; the point where the search saw most ({_point(summary, best.point)}) came to"
            f" {_amount(summary, best.confirmed or 0.0)} {_anew(best.seeds, summary)}, more than elsewhere: ",
            claims["best 1"],
        ]
    return [*said, "."]


def _on_average(summary: Summary, evidence: Evidence) -> str:
    mean, ends = evidence.overall or 0.0, evidence.overall_interval
    if ends is not None and ends[0] * ends[1] <= 0:
        both = " and ".join(summary.models)
        return f"{both} differ in {summary.metric}, but neither has the larger one on the whole"
    gap = _Gap(summary, int(mean > 0)).is_below(abs(mean), None)
    return gap[0].upper() + gap[1:]


def _not_where(summary: Summary, findings: Findings, claims: dict[str, Claim]) -> Sentence:
    """That no place is shown where they differ more, and what became of where the search saw most."""
    best, evidence = _first_tried(summary), findings.evidence
    if best is not None and summary.find != "regions":
        tail = (
            f": {_amount(summary, best.searched)} there ({_point(summary, best.point)}) came to"
            f" {_amount(summary, best.confirmed or 0.0)} on fresh trainings. The best of many is partly luck."
        )
        return ["; that they differ more where the search saw most is ", claims["best 1"], tail]
    if findings.rejected:
        region = findings.rejected[0].region
        inside, outside = _apart(summary, region.mean, region.outside)
        against = "" if outside is None else f", and {outside} elsewhere"
        tail = f": with {findings.rejected[0].condition}, where it seemed so, fresh trainings gave {inside}{against}."
        return ["; that they differ more somewhere is ", claims["rejected 1"], tail]
    reason = "" if evidence is None else evidence.reason
    for said in ("they differ; ", "they differ, and "):
        reason = reason.removeprefix(said)
    return [f"; of where they differ more nothing is said: {reason}."]


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


# -- what the words of sureness rest on --------------------------------------------------------------------


def _claims(summary: Summary, findings: Findings) -> list[Claim]:
    evidence = findings.evidence
    found: list[Claim] = []
    if evidence is not None:
        found.append(_of_difference(summary, evidence))
        for name, conditions in (("region", findings.regions), ("rejected", findings.rejected)):
            found += [
                _of_region(f"{name} {number}", summary, evidence, each)
                for number, each in enumerate(conditions, start=1)
            ]
    for number, each in enumerate(summary.reliability.confirmations, start=1):
        word = sureness.of_point(each)
        if word is not None:
            found.append(_of_point(f"best {number}", word, summary, each))
    return found


def _of_difference(summary: Summary, evidence: Evidence) -> Claim:
    mean = with_interval(evidence.overall, evidence.overall_interval)
    what = f"The mean signed difference is {mean}"
    if evidence.fresh_blocks:
        over = f"over the space, {_on(evidence.fresh_blocks, summary)}"
    elif evidence.overall_interval is not None:
        over = f"over {_points(evidence.points)} of the search"
    else:
        over = f"over {_points(evidence.points)} of the search, which do not lie evenly: so it has no interval"
    tested = (
        f" The chance of as much where there is none: {chance(evidence.p_differ)}, by flipped signs of the search's"
        f" differences{' and t-tests over the fresh blocks, both taken together' if evidence.fresh_blocks else ''}."
    )
    if summary.is_exact:
        tested = " Training a point again gives the same number, so that no chance is in it."
    return Claim(
        "difference",
        sureness.of_difference(evidence),
        f"{' and '.join(summary.models)} differ in {summary.metric}",
        f"{what} {over}.{tested}",
    )


def _of_region(name: str, summary: Summary, evidence: Evidence, condition: Condition) -> Claim:
    region = condition.region
    statement = f"They differ more with {condition.condition} than elsewhere"
    return Claim(name, sureness.of_region(region, evidence), statement, _basis_of_region(summary, evidence, region))


def _basis_of_region(summary: Summary, evidence: Evidence, region: Region) -> str:
    chances = sureness.chance_of_region(region, evidence)
    if not region.blocks or chances is None:
        more = "" if region.contrast is None else f" The points inside have {_short(region.contrast)} more."
        if summary.is_exact:
            return f"Read from {_points(evidence.points)}; training them again gives the same numbers.{more}"
        return (
            "Nothing was trained anew. The search's own trainings: the chance of such a contrast where all places are"
            f" alike is {chance(evidence.p_where)}, corrected for having looked at all of them.{more} The same"
            " trainings have chosen the region, so that this is rather too much, and has no interval."
        )
    tried = len(evidence.regions) + len(evidence.rejected)
    together = "" if tried == 1 else f", the {tried} regions that were tried taken together"
    basis = (
        f"{_sentence(_on(region.blocks, summary))} the difference was"
        f" {with_interval(region.contrast, region.contrast_interval)} more inside than outside all regions (mean and"
        f" 95 % interval over {_units(summary)}). A one-sided t-test: the chance of as much where it is not more is"
        f" {chance(chances)}{together}; very likely takes 1 % at most, likely 5 %."
    )
    if evidence.verdict == "none":
        return f"{basis} As no difference is shown at all, neither is this."
    if region in evidence.regions and region.contrast_interval is not None and region.contrast_interval[0] <= 0:
        basis += " The interval has two sides and is the wider one for that: it reaches 0 though the test does not."
    return basis


def _of_point(name: str, word: str, summary: Summary, one: Confirmation) -> Claim:
    statement = f"They differ more with {_point(summary, one.point)} than elsewhere"
    came = f"{_sentence(_on(one.seeds, summary))} it came to {with_interval(one.confirmed, one.interval)}"
    if one.confirmed is None:
        return Claim(name, word, statement, "It could not be trained anew.")
    luck = f" The search said {_short(one.searched)}: the best of many is partly luck."
    if one.contrast is None:
        return Claim(name, word, statement, f"{came}, which nothing can be compared with.{luck}")
    tried = len(summary.reliability.confirmations)
    together = "" if tried == 1 else f", the {tried} points that were tried taken together"
    return Claim(
        name,
        word,
        statement,
        f"{came}; less what places elsewhere gave that were trained beside it, this is"
        f" {with_interval(one.contrast, one.contrast_interval)}. A one-sided t-test: the chance of as much"
        f" where it is not more is {chance(one.p)}{together}.{luck}",
    )


def _anew(blocks: int, summary: Summary) -> str:
    """What was trained anew, in plain words."""
    if summary.is_exact:
        return _on(blocks, summary)
    what = "seed" if summary.reliability.given_this_split else "split"
    return f"on {blocks} fresh {what}{'s' * (blocks != 1)}{'' if what == 'seed' else ' of the data'}"


def _on(blocks: int, summary: Summary) -> str:
    """What was trained anew, with its number."""
    several = blocks != 1
    if summary.is_exact:
        return f"at {blocks} place{'s' * several} drawn anew"
    each = "each with seeds" if summary.reliability.given_this_split else "each a split of the data and seeds"
    return f"on {blocks} fresh block{'s' * several} ({each} that the search never used)"


def _units(summary: Summary) -> str:
    return "places" if summary.is_exact else "blocks"


# -- what to do next ---------------------------------------------------------------------------------------


def _next(experiment: FrozenExperiment, summary: Summary, findings: Findings) -> Step:
    """The step that says most more, for this outcome."""
    typed = typed_command(experiment)
    again = without_option(typed, "--id") if "search" in typed[:2] else []
    if summary.best is None:
        step = (
            "Mend what went wrong (below), then run it again" if summary.evaluations else "Wait for the first results"
        )
        return Step(step, shlex.join(again) if again and summary.evaluations else "")
    if findings.regions:
        number_one = findings.regions[0]
        if again and number_one.region.blocks:
            return Step("Look closer: search within the region", shlex.join([*again, "--focus", f"{experiment.id}:1"]))
        if again:
            return Step("Try it on fresh trainings", _with(again, "confirm.points=1", "confirm.regions=true"))
        return Step("Try the region on fresh trainings: search the same space", "")
    if not again:
        return Step("All runs as a table, to look further", shlex.join(command_of(experiment, "export")))
    if summary.kind == "single":
        return _more_of(experiment, summary, again, "Search further: more evaluations")
    evidence = findings.evidence
    if summary.is_climb and summary.find not in ("regions", "both") and evidence is not None:
        return Step("Ask where they differ more, with points all over the space", _with(again, "search.find=both"))
    if evidence is not None and findings.rejected:
        blocks = 2 * evidence.fresh_blocks
        return Step(
            "To see smaller differences between places, try them on more fresh blocks",
            _with(again, f"confirm.seeds={blocks}"),
        )
    return _more_of(experiment, summary, again, "To see smaller differences, search with more evaluations")


def _more_of(experiment: FrozenExperiment, summary: Summary, again: Sequence[str], words: str) -> Step:
    budget = search_settings(experiment).get("evaluations")
    if not isinstance(budget, int):
        budget = summary.number.done
    return Step(words, _with(again, f"search.evaluations={2 * budget}"))


def _with(words: Sequence[str], *settings: str) -> str:
    """The command with these settings, instead of those that it gave to the same keys."""
    keys = tuple(each.partition("=")[0] + "=" for each in settings)
    kept = list(words)
    for place in reversed(range(1, len(kept))):
        if kept[place - 1] == "--set" and kept[place].startswith(keys):
            del kept[place - 1 : place + 1]
    return shlex.join([*kept, *(word for each in settings for word in ("--set", each))])


# -- numbers in words --------------------------------------------------------------------------------------


def _amount(summary: Summary, number: float) -> str:
    return _in_words(summary, number, 2)


def _apart(summary: Summary, one: float, other: float | None) -> tuple[str, str | None]:
    """Two amounts with as many digits as tell them apart, at most four."""
    if other is None:
        return _in_words(summary, one, 2), None
    for digits in (2, 3, 4):
        both = _in_words(summary, one, digits), _in_words(summary, other, digits)
        if both[0] != both[1]:
            break
    return both if digits < 4 or both[0] != both[1] else (_in_words(summary, one, 2), _in_words(summary, other, 2))


def _in_words(summary: Summary, number: float, digits: int) -> str:
    """`42 %` of a relative difference, which is a share of the larger metric; else `0.12`, with its unit."""
    if is_relative(summary):
        share = 100 * number
        places = max(0, digits - (2 if abs(share) >= 10 else 1))
        text = f"{share:.{places}f}"
        return f"{text if float(text) else '0'} %"
    unit = f" {summary.unit}" if summary.unit and summary.unit != "fraction" else ""
    return f"{show(round_to(number, digits))}{unit}"


def _short(number: float | None) -> str:
    return "unknown" if number is None else show(round_to(number, 3))


def _point(summary: Summary, point: Any) -> str:
    return listed([point_words(point, (axis.name,)) for axis in summary.axes if axis.name in point])


def _points(count: int) -> str:
    return f"{count} point{'s' * (count != 1)}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
