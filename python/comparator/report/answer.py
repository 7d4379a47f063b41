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
from comparator.findings.controls import is_control
from comparator.findings.summary import EvaluationSummary, Summary, search_settings
from comparator.report.words import (
    NO_PLACE,
    amount,
    amounts,
    chance,
    command_of,
    listed,
    point_words,
    round_to,
    show,
    typed_command,
    where_options,
    with_interval,
    with_settings,
    without_option,
)
from comparator.results.frozen import FrozenExperiment
from comparator.results.state import ALIVE

if TYPE_CHECKING:
    from comparator.evidence.confirmation import Confirmation
    from comparator.evidence.regions import Evidence, Region
    from comparator.findings.verdict import Condition, Findings

CUT_SHORT = ("stopped", "interrupted", "failed")
#: Why nothing is said of evaluations that are shown before they are looked at together.
BEING_READ = "what the evaluations say together is being worked out"
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

LEVELS = "very likely takes 1 % at most, likely 5 %"
NO_MORE_THAN_LIKELY = "nothing is called more than likely where nothing was trained anew"


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


#: Of the mean difference: a difference between places that may have been missed is said beside it where it is more.
MUCH = 0.5

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


def answer_of(
    experiment: FrozenExperiment,
    summary: Summary,
    findings: Findings,
    state: str = "finished",
    again: Sequence[str] = (),
) -> Answer:
    """Return the answer that the findings give; `state` is what the experiment does (`engine.jobs.state_of`).

    `again` says what became of what the experiment tries again, where it searches nothing itself.
    """
    if experiment.rechecks is not None:
        return _of_recheck(experiment, summary, again)
    claims = tuple(_claims(summary, findings))
    first, *others = _sentences(summary, findings, claims)
    if findings.evidence is not None and others:
        others[-1] = [*others[-1], *_on_one_seed(summary)]
    return Answer(
        short_question(summary),
        (first, *others),
        claims,
        _next(experiment, summary, findings, state),
    )


def _of_recheck(experiment: FrozenExperiment, summary: Summary, said: Sequence[str]) -> Answer:
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
        Step(
            "What became of each claim, beside what it was, is said by"
            if is_recheck and not said
            else "The same at a terminal",
            shlex.join(words),
        ),
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
    return [
        [f"{_on_average(summary, evidence)}{_no_place(summary, evidence)}."],
        ["That they differ is ", by_name["difference"], *_not_where(summary, findings, by_name)],
    ]


def _on_one_seed(summary: Summary) -> list[str]:
    """That one of the two was trained on one seed, where the other had several; empty where it is not so."""
    seeded = _seeded_alone(summary)
    if seeded is None:
        return []
    (name,) = summary.seedless
    return [
        f" {name} was trained on one seed only, for it takes none that is known: other seeds are those of {seeded}."
    ]


def _seeded_alone(summary: Summary) -> str | None:
    """The model that has several seeds where the other takes none; None where both are alike in that."""
    if summary.is_exact or len(summary.models) == 1 or len(summary.seedless) != 1:
        return None
    return next(each for each in summary.models if each not in summary.seedless)


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
            f"Trained anew {_anew(first.seeds, summary)} it comes to {with_interval(first.confirmed, first.interval)};"
            f" the search said {_short(first.searched)}, and the best of {points} points is partly luck."
        )
    return f"It was not trained anew: the best of {points} points is partly luck, and other seeds will show how much."


def _best_of_two(summary: Summary, best: EvaluationSummary) -> str:
    most = "largest" if summary.maximise else "smallest"
    where = _settings(summary, best.point)
    return f"The {most} {summary.objective} that was found is {amount(summary, best.difference, 3)}, with {where}."


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
    said: list[str | Claim] = ["That they differ more there than elsewhere is ", claims["region 1"]]
    if first.blocks:
        said.append(f": it held {_anew(first.blocks, summary)}")
    elif summary.is_exact:
        said.append(", as read from the points that were tried: training them again gives the same numbers")
    else:
        said.append(", by the search's own trainings alone: nothing was trained anew")
    best = _first_tried(summary)
    if best is not None:
        came = "has" if summary.is_exact else "came to"
        anew = "" if summary.is_exact else f" {_anew(best.seeds, summary)}"
        said += [
            f"; the point where the search saw most ({_point(summary, best.point)}) {came}"
            f" {_amount(summary, best.confirmed or 0.0)}{anew}, more than elsewhere: ",
            claims["best 1"],
        ]
    return [*said, "."]


def _on_average(summary: Summary, evidence: Evidence) -> str:
    mean, ends = evidence.overall or 0.0, evidence.overall_interval
    if evidence.overall is None:
        return f"{' and '.join(summary.models)} differ in {summary.metric}"
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
            f": it is {_amount(summary, best.confirmed or 0.0)} there ({_point(summary, best.point)})."
            if summary.is_exact
            else f": {_amount(summary, best.searched)} there ({_point(summary, best.point)}) came to"
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


def _no_place(summary: Summary, evidence: Evidence) -> str:
    """That no place is shown where they differ more, and what may have been missed where that is much of the mean."""
    if evidence.p_where is None:
        return ""
    missed, mean = evidence.missed_contrast, abs(evidence.overall or 0.0)
    if missed is None or missed <= MUCH * mean:
        return f"; {NO_PLACE}"
    return f"; {NO_PLACE}, but places where it is up to {_amount(summary, missed)} more cannot be excluded"


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
    mean = amounts(summary, evidence.overall, evidence.overall_interval)
    what = f"The mean signed difference is {mean}"
    if evidence.fresh_blocks:
        over = f"{sureness.over_the_space(evidence)}, {_on(evidence.fresh_blocks, summary)}"
    elif evidence.overall_interval is not None:
        over = f"over {_points(evidence.points)} of the search"
    else:
        over = f"over {_points(evidence.points)} of the search, which do not lie evenly: so it has no interval"
    tested = (
        f" The chance of as much where there is none: {chance(evidence.p_differ)}, by flipped signs of the search's"
        f" differences{' and t-tests over the fresh blocks, both taken together' if evidence.fresh_blocks else ''}."
    )
    word = sureness.of_difference(evidence)
    if summary.is_exact:
        tested = (
            " Training a point again gives the same number, so that no chance is in it but which points were tried."
        )
    statement = f"{' and '.join(summary.models)} differ in {summary.metric}"
    return Claim("difference", word, statement, f"{what} {over}.{tested}{_why_this_word(word, summary, evidence)}")


def _why_this_word(word: str, summary: Summary, evidence: Evidence) -> str:
    """What relates the word for the difference to the chance beside it, which may be as small as that of another."""
    if word == sureness.LIKELY and not evidence.fresh_blocks:
        return f" However small the chance, {NO_MORE_THAN_LIKELY}."
    if summary.is_exact:
        return ""
    if word == sureness.LIKELY and evidence.p_differ is not None and evidence.p_differ <= sureness.STRICT:
        return " Very likely takes an interval of the mean that lies clear of 0 as well, and this one does not."
    return f" {_sentence(LEVELS)}." if word != sureness.VERY_LIKELY else ""


def _of_region(name: str, summary: Summary, evidence: Evidence, condition: Condition) -> Claim:
    region = condition.region
    statement = f"They differ more with {condition.condition} than elsewhere"
    return Claim(name, sureness.of_region(region, evidence), statement, _basis_of_region(summary, evidence, region))


def _basis_of_region(summary: Summary, evidence: Evidence, region: Region) -> str:
    chances = sureness.chance_of_region(region, evidence)
    if not region.blocks or chances is None:
        more = "" if region.contrast is None else f" The points inside have {amount(summary, region.contrast, 3)} more."
        if summary.is_exact:
            return f"Read from {_points(evidence.points)}; training them again gives the same numbers.{more}"
        return (
            "Nothing was trained anew. The search's own trainings: the chance of such a contrast where all places are"
            f" alike is {chance(evidence.p_where)}, corrected for having looked at all of them.{more} The same"
            " trainings have chosen the region, so that this is rather too much, and has no interval; and however small"
            f" the chance, {NO_MORE_THAN_LIKELY}."
        )
    tried = len(evidence.regions) + len(evidence.rejected)
    together = "" if tried == 1 else f", the {tried} regions that were tried taken together"
    basis = (
        f"{_sentence(_on(region.blocks, summary))} the difference was"
        f" {amounts(summary, region.contrast, region.contrast_interval)} more inside than outside all regions (mean and"
        f" 95 % interval over {_units(summary)}). A one-sided t-test: the chance of as much where it is not more is"
        f" {chance(chances)}{together}; {LEVELS}."
    )
    if evidence.verdict == "none":
        return f"{basis} As no difference is shown at all, neither is this."
    if region in evidence.regions and region.contrast_interval is not None and region.contrast_interval[0] <= 0:
        basis += " The interval has two sides and is the wider one for that: it reaches 0 though the test does not."
    return basis


def _of_point(name: str, word: str, summary: Summary, one: Confirmation) -> Claim:
    statement = f"They differ more with {_point(summary, one.point)} than elsewhere"
    where = "Trained again" if summary.is_exact else _sentence(_on(one.seeds, summary))
    came = f"{where} it came to {amounts(summary, one.confirmed, one.interval)}"
    if one.confirmed is None:
        return Claim(name, word, statement, "It could not be trained anew.")
    luck = (
        ""
        if summary.is_exact
        else f" The search said {amount(summary, one.searched, 3)}: the best of many is partly luck."
    )
    if one.contrast is None:
        return Claim(name, word, statement, f"{came}, which nothing can be compared with.{luck}")
    tried = len(summary.reliability.confirmations)
    together = "" if tried == 1 else f", the {tried} points that were tried taken together"
    return Claim(
        name,
        word,
        statement,
        f"{came}; less what places elsewhere gave that were trained beside it, this is"
        f" {amounts(summary, one.contrast, one.contrast_interval)}. A one-sided t-test: the chance of as much"
        f" where it is not more is {chance(one.p)}{together}; {LEVELS}.{luck}",
    )


def _anew(blocks: int, summary: Summary) -> str:
    """What was trained anew, in plain words."""
    if summary.is_exact:
        return _on(blocks, summary)
    several = "s" * (blocks != 1)
    if not summary.reliability.given_this_split:
        return f"on {blocks} fresh split{several} of the data"
    seeded = _seeded_alone(summary)
    return f"on {blocks} fresh seed{several}{'' if seeded is None else f' of {seeded}'}"


def _on(blocks: int, summary: Summary) -> str:
    """What was trained anew, with its number."""
    several = blocks != 1
    if summary.is_exact:
        return f"at {blocks} place{'s' * several} drawn anew"
    each = "each with seeds" if summary.reliability.given_this_split else "each a split of the data and seeds"
    seeded = _seeded_alone(summary)
    if seeded is not None:
        each = f"each with seeds of {seeded} alone"
    return f"on {blocks} fresh block{'s' * several} ({each} that the search never used)"


def _units(summary: Summary) -> str:
    return "places" if summary.is_exact else "blocks"


# -- what to do next ---------------------------------------------------------------------------------------


def _next(experiment: FrozenExperiment, summary: Summary, findings: Findings, state: str) -> Step:
    """The step that says most more, for this outcome; what is under way, or broken off, goes on first."""
    typed = typed_command(experiment)
    if state in ALIVE:
        return Step(_goes_on(experiment, summary, state))
    if state in CUT_SHORT and not experiment.imported:
        mended = "Mend what went wrong, then go" if state == "failed" else "Go"
        goes_on = ["comparator", "search", "--resume", experiment.id, *where_options(typed)]
        return Step(f"{mended} on with it; everything finished is kept", shlex.join(goes_on))
    again = _search_again(experiment)
    if summary.best is None:
        if not summary.evaluations:
            return Step("Wait for the first results")
        return Step("Mend what went wrong (below), then run it again", shlex.join(again))
    if findings.verdict is None and findings.reason == BEING_READ:
        return Step("Wait some seconds: what the evaluations say together is worked out")
    if findings.regions:
        number_one = findings.regions[0]
        if again and number_one.region.blocks:
            return Step("Look closer: search within the region", shlex.join([*again, "--focus", f"{experiment.id}:1"]))
        if again:
            return Step("Try it on fresh trainings", _with(again, "confirm.points=1", "confirm.regions=true"))
        if number_one.region.blocks:
            return Step(f"Look closer: ask the same in a space that is narrowed to {number_one.condition}", "")
        return Step("Try the region on fresh trainings: ask the same again, and have it confirmed", "")
    if not again:
        return Step("All runs as a table, to look further", shlex.join(command_of(experiment, "export")))
    if summary.kind == "single":
        return _more_of(experiment, summary, "Search further: more evaluations")
    evidence = findings.evidence
    if summary.is_climb and summary.find not in ("regions", "both") and evidence is not None:
        return Step("Ask where they differ more, with points all over the space", _with(again, "search.find=both"))
    if evidence is not None and findings.rejected:
        blocks = 2 * evidence.fresh_blocks
        return Step(
            "To see smaller differences between places, try them on more fresh blocks",
            _with(again, f"confirm.seeds={blocks}"),
        )
    return _more_of(experiment, summary, "To see smaller differences, search with more evaluations")


def _goes_on(experiment: FrozenExperiment, summary: Summary, state: str) -> str:
    """What an experiment that runs does next, by itself."""
    budget, stages = experiment.budget.evaluations, experiment.stages
    left = 0 if budget is None else max(0, budget - summary.number.done)
    steps = [f"{left} more evaluation{'s' * (left != 1)}"] if left else []
    if stages.first is not None and summary.number.in_full < stages.first.points:
        steps.append(f"the best {stages.first.points} trained in full")
    if stages.confirm is not None:
        fresh = "splits and seeds" if stages.confirm.splits else "seeds"
        steps.append(f"what was found tried on {stages.confirm.seeds} fresh {fresh}")
    begins = "It waits for its turn, then goes on by itself" if state == "queued" else "It goes on by itself"
    return f"{begins}: {', then '.join(steps)}" if steps else begins


def _more_of(experiment: FrozenExperiment, summary: Summary, words: str) -> Step:
    return Step(words, larger_search(experiment, summary.number.done))


def larger_search(experiment: FrozenExperiment, done: int) -> str:
    """Return the command of the same search with twice the evaluations; empty where none made the experiment.

    `done` is how many there are, which counts where the budget was another.
    """
    again = _search_again(experiment)
    budget = search_settings(experiment).get("evaluations")
    if not isinstance(budget, int):
        budget = done
    return _with(again, f"search.evaluations={2 * budget}") if again else ""


def _search_again(experiment: FrozenExperiment) -> list[str]:
    """The words of the search that made the experiment; none where no search of the command line did."""
    typed = typed_command(experiment)
    return without_option(typed, "--id") if "search" in typed[:2] else []


def _with(words: Sequence[str], *settings: str) -> str:
    """The command with these settings."""
    return shlex.join(with_settings(words, *settings))


# -- numbers in words --------------------------------------------------------------------------------------


def _amount(summary: Summary, number: float) -> str:
    return amount(summary, number, 2)


def _apart(summary: Summary, one: float, other: float | None) -> tuple[str, str | None]:
    """Two amounts with as many digits as tell them apart, at most four."""
    if other is None:
        return amount(summary, one, 2), None
    for digits in (2, 3, 4):
        both = amount(summary, one, digits), amount(summary, other, digits)
        if both[0] != both[1]:
            break
    return both if digits < 4 or both[0] != both[1] else (amount(summary, one, 2), amount(summary, other, 2))


def _short(number: float | None) -> str:
    return "unknown" if number is None else show(round_to(number, 3))


def _point(summary: Summary, point: Any) -> str:
    return listed([point_words(point, (axis.name,)) for axis in summary.axes if axis.name in point])


def _settings(summary: Summary, point: Any) -> str:
    """A point in words; lines of a UPF that set different hyperparameters have no axis in common."""
    return _point(summary, point) or point_words(point, ()) or "the settings as given"


def _points(count: int) -> str:
    return f"{count} point{'s' * (count != 1)}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
