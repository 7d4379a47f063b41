"""What is said with a word of sureness, and what the word rests on: what was tested, on how much, with what outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.findings import sureness
from comparator.findings.summary import Summary
from comparator.report.numbers import chance, listed, point_words

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


def seeded_alone(summary: Summary) -> str | None:
    """The model that has several seeds where the other takes none; None where both are alike in that."""
    if summary.is_exact or len(summary.models) == 1 or len(summary.seedless) != 1:
        return None
    return next(each for each in summary.models if each not in summary.seedless)


def claims_of(summary: Summary, findings: Findings) -> list[Claim]:
    evidence = findings.evidence
    found: list[Claim] = []
    if evidence is not None:
        found.append(_of_difference(summary, evidence))
        for name, conditions in (("region", findings.regions), ("rejected", findings.rejected)):
            found += [_of_region(f"{name} {each.region.number}", summary, evidence, each) for each in conditions]
    for number, each in enumerate(summary.reliability.confirmations, start=1):
        word = sureness.of_point(each)
        if word is not None:
            found.append(_of_point(f"best {number}", word, summary, each))
    return found


def _of_difference(summary: Summary, evidence: Evidence) -> Claim:
    mean = summary.measure.amounts(evidence.overall, evidence.overall_interval)
    what = f"The mean signed difference is {mean}"
    if evidence.fresh_blocks:
        over = f"{sureness.over_the_space(evidence)}, {on_fresh(evidence.fresh_blocks, summary)}"
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


def _levels(word: str) -> str:
    """What a stronger word takes; nothing is stronger than very likely."""
    return "" if word == sureness.VERY_LIKELY else f"; {LEVELS}"


def _of_region(name: str, summary: Summary, evidence: Evidence, condition: Condition) -> Claim:
    region = condition.region
    statement = f"They differ more with {condition.condition} than elsewhere"
    word = sureness.of_region(region, evidence)
    return Claim(name, word, statement, _basis_of_region(word, summary, evidence, region))


def _basis_of_region(word: str, summary: Summary, evidence: Evidence, region: Region) -> str:
    chances = sureness.chance_of_region(region, evidence)
    if not region.blocks or chances is None:
        apart = summary.measure.apart(region.contrast)
        more = "" if region.contrast is None else f" The points inside have {apart} more."
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
        f"{_sentence(on_fresh(region.blocks, summary))} the difference was"
        f" {summary.measure.apart(region.contrast, region.contrast_interval)} more inside than outside all regions"
        f" (mean and 95 % interval over {_units(summary)}). A one-sided t-test: the chance of as much where it is not"
        f" more is {chance(chances)}{together}{_levels(word)}."
    )
    if evidence.verdict == "none":
        return f"{basis} As no difference is shown at all, neither is this."
    if region in evidence.regions and region.contrast_interval is not None and region.contrast_interval[0] <= 0:
        basis += " The interval has two sides and is the wider one for that: it reaches 0 though the test does not."
    return basis


def _of_point(name: str, word: str, summary: Summary, one: Confirmation) -> Claim:
    statement = f"They differ more with {point_on_axes(summary, one.point)} than elsewhere"
    where = "Trained again" if summary.is_exact else _sentence(on_fresh(one.seeds, summary))
    came = f"{where} it came to {summary.measure.amounts(one.confirmed, one.interval)}"
    if one.confirmed is None:
        return Claim(name, word, statement, "It could not be trained anew.")
    why = ": the best of many is partly luck" if (one.winners_curse or 0.0) > 0 else ""
    luck = "" if summary.is_exact else f" The search said {summary.measure.amount(one.searched, 3)}{why}."
    if one.contrast is None:
        return Claim(name, word, statement, f"{came}, which nothing can be compared with.{luck}")
    tried = len(summary.reliability.confirmations)
    together = "" if tried == 1 else f", the {tried} points that were tried taken together"
    return Claim(
        name,
        word,
        statement,
        f"{came}; less what places elsewhere gave that were trained beside it, this is"
        f" {summary.measure.apart(one.contrast, one.contrast_interval)}. A one-sided t-test: the chance of as much"
        f" where it is not more is {chance(one.p)}{together}{_levels(word)}.{luck}",
    )


def anew(blocks: int, summary: Summary) -> str:
    """What was trained anew, in plain words."""
    if summary.is_exact:
        return on_fresh(blocks, summary)
    several = "s" * (blocks != 1)
    if not summary.reliability.given_this_split:
        return f"on {blocks} fresh split{several} of the data"
    seeded = seeded_alone(summary)
    return f"on {blocks} fresh seed{several}{'' if seeded is None else f' of {seeded}'}"


def on_fresh(blocks: int, summary: Summary) -> str:
    """What was trained anew, with its number."""
    several = blocks != 1
    if summary.is_exact:
        return f"at {blocks} place{'s' * several} drawn anew"
    each = "each with seeds" if summary.reliability.given_this_split else "each a split of the data and seeds"
    seeded = seeded_alone(summary)
    if seeded is not None:
        each = f"each with seeds of {seeded} alone"
    return f"on {blocks} fresh block{'s' * several} ({each} that the search never used)"


def _units(summary: Summary) -> str:
    return "places" if summary.is_exact else "blocks"


def point_on_axes(summary: Summary, point: Any) -> str:
    return listed([point_words(point, (axis.name,)) for axis in summary.axes if axis.name in point])


def _points(count: int) -> str:
    return f"{count} point{'s' * (count != 1)}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
