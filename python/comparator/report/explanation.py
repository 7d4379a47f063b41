"""Who carries a difference, in words: for a terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparator.evidence.contributions import Contributions, Group, Without
from comparator.findings.explanation import Explained, Explanation, called, plural
from comparator.findings.summary import Summary
from comparator.report.numbers import listed, percent
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import CONFIRM
from comparator.space import ParameterSpace
from comparator.space.boxes import Box

#: Groups in a table, and in report.json; `comparator explain --json` has all.
SHOWN = 12
GAP = 2  # blanks between two columns


def sentences(found: Explanation, summary: Summary, experiment: FrozenExperiment) -> list[str]:
    """Return what is found, a sentence or two for each place and column; why nothing is, where that is so."""
    if found.reason:
        return [f"Who carries the difference is not told: {found.reason}."]
    said = [
        f"{place_words(place, experiment)}: {words}"
        for place in found.places
        for words in (_of_column(each, summary) for each in place.columns)
    ]
    return [*said, _rows(found, summary)]


def lines(found: Explanation, summary: Summary, experiment: FrozenExperiment, width: int | None = None) -> list[str]:
    """Return what a terminal shows: the sentences, and the groups of the largest influence, as many columns as fit."""
    said = sentences(found, summary, experiment)
    for place in found.places:
        for each in place.columns:
            said += ["", f"{place_words(place, experiment)}, {plural(called(each.column))} by influence:"]
            said += _aligned([["", *headings(summary, found.metric)], *rows(each, summary)], width)
    begins, mark, ends = note(found).partition(". The sentences")  # a message has its length
    return [*said, "", f"{begins}.", f"{mark.lstrip('. ')}{ends}"]


def _aligned(cells: Sequence[Sequence[str]], width: int | None) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while width is not None and len(widths) > 1 and sum(widths) + GAP * (len(widths) - 1) > width:
        widths.pop()
    lines = []
    for name, *others in cells:
        padded = [cell.rjust(room) for cell, room in zip(others, widths[1:], strict=False)]
        lines.append((" " * GAP).join([name.ljust(widths[0]), *padded]))
    return lines


@dataclass(frozen=True)
class Section:
    """The section of a page: its sentences, a table for each column of each place, and a note, empty without tables."""

    sentences: list[str]
    tables: list[tuple[str, list[str], list[list[str]]]]
    note: str


def section_of(found: Explanation | None, experiment: FrozenExperiment, summary: Summary) -> Section | None:
    """Return the section; None of a single model, and before anything was trained anew."""
    if found is None or experiment.kind == "single" or not summary.reliability.pairs.get(CONFIRM):
        return None
    tables = [
        (
            f"{place_words(place, experiment)}: {plural(called(each.column))}",
            headings(summary, found.metric),
            rows(each, summary),
        )
        for place in found.places
        for each in place.columns
    ]
    return Section(sentences(found, summary, experiment), tables, note(found) if found.places else "")


def place_words(place: Explained, experiment: FrozenExperiment) -> str:
    """Return which place it is: `Region 1, noise below 34`."""
    name = place.claim.name.capitalize()
    if place.claim.kind == "space":
        return "Over the whole space"
    if not experiment.space or place.claim.bounds is None:
        return name
    space = ParameterSpace.from_entries(experiment.space, experiment.id)
    return f"{name}, {Box.from_bounds(space, place.claim.bounds, place.claim.name).words()}"


def note(found: Explanation) -> str:
    """Return how the numbers come about."""
    first = found.places[0].columns[0]
    several = " at all places and columns together" if len(found.places) * len(found.places[0].columns) > 1 else ""
    return (
        "Influence: by how much less the models differ where a group's rows are left out of both models' predictions;"
        f" 0 where its rows are like all others. {first.choosing} of the fresh blocks chose up to three groups,"
        f" {first.measuring} others measured them: where no group carries more than its share, at most 1 of 20 such"
        f" experiments names one{several}. What has an influence below 5 % of the difference has no name. The"
        " sentences have the numbers of those that measured, tables and figures those of all blocks; their intervals"
        " are each of one group alone."
    )


def table(found: Contributions) -> list[Group]:
    """Return the groups that a table shows."""
    return list(found.groups[:SHOWN])


def _of_column(found: Contributions, summary: Summary) -> str:
    kind, count = called(found.column), len(found.groups)
    carrying = [group for group in found.named if group.influence > 0]
    against = [group for group in found.named if group.influence <= 0]
    if not found.named:
        return f"no {kind} of {count} is shown to carry more than its share, or less."
    said = []
    if carrying:
        many = f"{_number(len(carrying))} of {count} {plural(kind)} carr{'ies' if len(carrying) == 1 else 'y'}"
        said.append(f"{many} more than {'its' if len(carrying) == 1 else 'their'} share: {_each(carrying)}")
    if against:
        less = "carries" if len(against) == 1 else "carry"
        share = "" if carrying else f" than {'its' if len(against) == 1 else 'their'} share"
        said.append(f"{_each(against)} {less} less{share}")
    return f"{'; '.join(said)}.{_larger(found)}{_without(found, summary)}"


def _larger(found: Contributions) -> str:
    """Say which group has the largest influence, where that is not shown: silence would pass it over."""
    first = found.groups[0]
    if first.name in {group.name for group in found.named}:
        return ""
    return f" The largest influence is that of {_each([first])}, which is not shown to be more than chance."


def _without(found: Contributions, summary: Summary) -> str:
    if found.without is None:
        return ""
    said = f" Without {listed(found.without.groups)} the models differ by {_beside(found.without, summary)}"
    return said + (f"; elsewhere by {_beside(found.elsewhere, summary)}." if found.elsewhere is not None else ".")


def _beside(one: Without, summary: Summary) -> str:
    amounts = summary.measure.amounts
    without, whole = amounts(one.without, one.without_interval), amounts(one.difference, one.interval)
    return f"{without} instead of {whole}"


def _each(groups: Sequence[Group]) -> str:
    return listed([f"{group.name} ({_parts(group)})" for group in groups])


def _parts(group: Group) -> str:
    rows = f"{percent(group.rows)} of the rows"
    return rows if group.share is None else f"{rows}, {_share(group.share)} of the difference"


def _rows(found: Explanation, summary: Summary) -> str:
    models = " and ".join(summary.models)
    repeated = (
        f" {percent(found.repeated_rows)} of the rows have ids that another row of the same table has: what both"
        " predicted is told by the order of their labels."
        if found.repeated_rows
        else ""
    )
    others = f"; {percent(found.other_labels)} of these have another label with each" if found.other_labels else ""
    if found.same_rows == 1:
        what = "rows of the same ids" if others or repeated else "the same rows"
        return f"{models} predicted {what}{others}.{repeated}"
    if not found.same_rows:
        return f"{models} share no row.{repeated}"
    same = f"{percent(found.same_rows)} of them are the same cell line and drug"
    return f"{models} were validated on rows of their own; {same}{others}.{repeated}"


_NUMBERS = ("no", "one", "two", "three")


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def headings(summary: Summary, metric: str) -> list[str]:
    """Return the headings of the table of groups, but for its first column."""
    own = [f"{what}, {model}" for what in (metric, "variance of labels") for model in summary.models]
    influence = f"influence{summary.measure.in_units}"
    return ["of the rows", "of the difference", influence, *own, "labels correlate"]


def rows(found: Contributions, summary: Summary) -> list[list[str]]:
    """Return the lines of that table."""
    return [
        [
            group.name,
            percent(group.rows),
            "" if group.share is None else _share(group.share),
            summary.measure.apart(group.influence, group.interval, unit=False),
            *("" if each is None else f"{each:.3g}" for each in (*group.metrics, *group.variances)),
            "" if group.agreement is None else f"{group.agreement:.2f}",
        ]
        for group in table(found)
    ]


def _share(share: float) -> str:
    return f"{round(100 * share)} %"
