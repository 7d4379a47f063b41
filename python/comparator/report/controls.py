"""Is it the study, or only its size, in words: for a terminal, and for the page."""

from __future__ import annotations

from dataclasses import dataclass

from comparator.findings.controls import Controlled, Controls, Design
from comparator.findings.recheck import Rechecked
from comparator.objective.amounts import Measure
from comparator.report.numbers import listed
from comparator.report.recheck import as_they_are

CAUSES: dict[Design, str] = {
    "rows": "the number of rows, or of the steps that go with it",
    "drugs": "the drugs that only one study has",
    "cells": "the cell lines that only one study has",
}
TITLES: dict[Design, str] = {"rows": "equal rows", "drugs": "shared drugs", "cells": "shared cell lines"}
BEGINS = {
    "stays": "It is not {cause}",
    "weaker": "A part of it is {cause}",
    "gone": "It is {cause}",
    "not settled": "Whether it is {cause} is not settled",
}


@dataclass(frozen=True)
class Section:
    """The section of a page: its sentences, the rows of its table, and a command that is left to be run, or none."""

    sentences: list[str]
    rows: list[list[str]]
    command: str = ""


def sentences(found: Controls, measure: Measure) -> list[str]:
    """Return what became of each number by each design, why a design has nothing to do, and what was not tried.

    `measure` puts a number into words.
    """
    said = [sentence(each, measure) for each in found.found]
    if any(each.found.claim.startswith("region") for each in found.found):
        said.append(f"All {as_they_are(found.id).removeprefix('these ')}.")
    said += [f"{TITLES_OF_IDLE.get(reason.partition(':')[0], '')}{reason.partition(': ')[2]}." for reason in found.idle]
    if found.left:
        what = listed([TITLES[design] for design in found.left])
        said.append(
            f"Whether the difference of {' and '.join(found.studies)} is one of size was not tried with {what}:"
            f" {found.pairs} pairs of trainings each."
        )
    return said


TITLES_OF_IDLE = {"rows": "Equal rows: ", "drugs": "Shared drugs: ", "cells": "Shared cell lines: "}


def sentence(one: Controlled, measure: Measure) -> str:
    """Return what became of one number by a design."""
    found = one.found
    begins = f"{BEGINS[one.verdict].format(cause=CAUSES[one.design])}: with {TITLES[one.design]} {_what(found)}"
    if turns_round(found):
        begins = f"With {TITLES[one.design]} {_what(found)} turns round: it"
    said = measure.of(found.what)
    now, was = said(found.now, found.now_interval), said(found.was, found.was_interval)
    return f"{begins} is {now}, where it was {was}, on the same {found.blocks} blocks."


def turns_round(found: Rechecked) -> bool:
    """Whether a number has the other sign now, with all of its interval."""
    return found.now_interval is not None and all(end * found.was < 0 for end in found.now_interval)


def verdict_of(one: Controlled) -> str:
    """Return the verdict in a word or two, for a table."""
    return "turns round" if turns_round(one.found) else one.verdict


def _what(found: Rechecked) -> str:
    if found.what != "difference":
        return f"what {found.claim} has more than elsewhere"
    where = {"elsewhere": "elsewhere", "space": "over the space"}.get(found.claim)
    if where is None:
        where = f"at the best point ({found.claim})" if found.claim.startswith("best") else f"in {found.claim}"
    return f"the difference {where}"


HEADINGS = ("with", "what", "as it was", "by this design", "changed by", "blocks", "verdict")


def section_of(found: Controls | None, measure: Measure, command: str) -> Section | None:
    """Return the section; None where two studies are not compared. `command` tries the designs that are left."""
    if found is None:
        return None
    rows = [
        [
            TITLES[each.design],
            f"{each.found.claim}, {each.found.what}",
            measure.of(each.found.what)(each.found.was, each.found.was_interval),
            measure.of(each.found.what)(each.found.now, each.found.now_interval),
            measure.apart(each.found.change, each.found.change_interval),
            str(each.found.blocks),
            verdict_of(each),
        ]
        for each in found.found
    ]
    return Section(sentences(found, measure), rows, command if found.left else "")
