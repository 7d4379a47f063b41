"""The page, tables, figures and answer of a study of what is left out of training."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from comparator.evidence.omission import ALPHA, Mean
from comparator.formats.numbers import round_to, with_interval
from comparator.formats.text import write_text_whole
from comparator.objective.amounts import Measure, measure_of
from comparator.report.numbers import chance
from comparator.results.frozen import FrozenExperiment
from comparator.studies import figures, left_out_figures, page
from comparator.studies.left_out_changes import Change, Control, Effect, Found
from comparator.studies.left_out_predictions import Moved
from comparator.studies.next_step import asked_again

TABLE = "left_out.csv"


def write(folder: Path, frozen: FrozenExperiment, kind: str, found: Found) -> tuple[list[str], list[str]]:
    """Write `report.html`, `report.json`, table and figures; returns the answer in sentences, and the tables' names.

    `kind` is what was left out, in words: `drugs`.
    """
    said = answer(found, kind, frozen)
    drawn = left_out_figures.draw(found, kind, frozen)
    pictures = figures.write(folder / "figures", drawn)
    (folder / "tables").mkdir(exist_ok=True)
    write_text_whole(folder / "tables" / TABLE, _csv(found, frozen))
    sections = [_ranking(found, kind, frozen), *_predictions(found, frozen), *_failures(found)]
    own = {"difference": frozen.objective.name, "models": list(frozen.labels), **found.as_json()}
    more = "To see smaller changes, take more blocks; what is trained already is found"
    step = asked_again(frozen, more, f"left_out.blocks={2 * found.blocks}")
    short = _in_short(found, kind, measure_of(frozen))
    page.write(folder, frozen, said, short, pictures, sections, [TABLE], step, **own)
    return said, [TABLE]


def answer(found: Found, kind: str, frozen: FrozenExperiment) -> list[str]:
    """The sentence that the study is made for, and what stands behind it."""
    first = found.effects[0]
    change, count = first.omission.change, len(found.effects)
    many = f"{count} {kind} looked at" if count != 1 else "one subset looked at"
    if change is None:
        return [f"Nothing can be said: no training without any of the {kind} has a difference."]
    measure = measure_of(frozen)
    by = measure.apart(change.value, change.interval)
    to = f"from {measure.amount(found.whole.value, 2)} to {measure.amount(found.whole.value + change.value, 2)}"
    if not first.omission.shown:
        beyond = ", beyond what random rows change" if found.controls else ""
        said = [
            f"Of none of the {kind} is it shown that to leave it out changes the difference{beyond}; {many}.",
            f"The largest change that was seen is that without {first.subset.name}: by {by}, {to}; the chance of"
            f" as much by luck alone is {chance(first.omission.chance)}.",
        ]
        most = max(abs(end) for each in found.effects for end in _ends(each.omission.change))
        return [
            *said,
            f"A change of up to {_change(most, measure)} cannot be excluded.",
            *_moved_words(found, kind, frozen),
        ]
    lead = f"Leaving out {first.subset.name} changes the difference most: by {by}, {to}; {many}."
    rest = first.change.elsewhere
    if rest is not None:
        there = measure.apart(rest.change.value, rest.change.interval)
        whole = measure.amount(rest.whole, 2)
        lead = f"{lead} Over the held-out rows of other {kind} alone it changes by {there}, from {whole}."
    control = found.control_of(first)
    if control is not None and control.difference is not None:
        random_rows = measure.apart(control.difference.value, control.difference.interval)
        lead = f"{lead} As many random rows as {control.subset.name} has change it by {random_rows}."
    others = [each.subset.name for each in found.shown[1:]]
    also = f"Shown to change it too: {', '.join(others)}." if others else "Of no other is it shown."
    return [lead, also, *_moved_words(found, kind, frozen)]


def _in_short(found: Found, kind: str, measure: Measure) -> str:
    """The answer in a few words."""
    first, count = found.effects[0], len(found.effects)
    change = first.omission.change
    if change is None:
        return "nothing can be said"
    if not first.omission.shown:
        return f"shown of none of {count} {kind}" if count != 1 else "not shown"
    more = f", and of {len(found.shown) - 1} more" if len(found.shown) > 1 else ""
    return f"without {first.subset.name} {'+' * (change.value > 0)}{_change(change.value, measure)}{more}"


def _moved_words(found: Found, kind: str, frozen: FrozenExperiment) -> list[str]:
    """Without what the predictions of each model move most."""
    said = []
    for number, label in enumerate(frozen.labels):
        told = [(each, moved) for each in found.effects if (moved := each.change.moved[number]) is not None]
        if not told:
            continue
        most, moved = max(told, key=lambda each: each[1].everywhere.value)
        apart = _apart_words(moved, kind)
        control = found.control_of(most)
        of_random = None if control is None else control.change.moved[number]
        beside = "" if of_random is None else f", without as many random rows by {_number(of_random.everywhere.value)}"
        said.append(
            f"The predictions of {label} move most without {most.subset.name}: by"
            f" {_number(moved.everywhere.value)}, root mean square{apart}{beside}."
        )
    return said


def _apart_words(moved: Moved, kind: str) -> str:
    if moved.own is None or moved.others is None:
        return ""
    return f" ({_number(moved.own)} on its own rows, {_number(moved.others)} on those of other {kind})"


def _ranking(found: Found, kind: str, frozen: FrozenExperiment) -> page.Section:
    count = len(found.effects)
    second, first = (frozen.labels[1], frozen.labels[0])[:: found.direction]
    controls = (
        " Beyond random rows: by how much more it changes than where as many random rows are left out"
        + (f" as {found.controls[0].subset.name} has, the largest" if len(found.controls) == 1 else "")
        + ". Shown is what differs from no change and from theirs, in the same direction."
        if found.controls
        else ""
    )
    but_for = ", and one so far beyond random rows (the larger of the two)," if found.controls else ""
    measure = measure_of(frozen)
    whole = measure.amounts(found.whole.value, found.whole.interval)
    note = (
        f"The difference is the {frozen.objective.name}, of {second} against {first}, over {found.blocks} blocks, a"
        f" split of the data with seeds each: {whole} with all rows. Above 0 the two differ more without these rows."
        " Over other rows: the same of the held-out rows but for those of what is left out, which neither model has"
        f" seen. Intervals of the change hold for all {count} {kind} at once with 95 %, all others each for itself."
        f" Chance: how likely so large a change is{but_for} by luck alone, corrected for all of them (Holm's"
        f" procedure); {100 * ALPHA:.0f} % or less is called shown.{controls}"
    )
    columns = [
        *("left out", "", f"change of the difference{measure.in_units}", f"beyond random rows{measure.in_units}"),
        *("chance", f"change over other rows{measure.in_units}"),
        *(f"change of {frozen.metric}, {label}" for label in frozen.labels),
        "training rows",
    ]
    rows = [_row(each, measure) for each in found.effects]
    rows += [_control_row(each, measure) for each in found.controls]
    return page.Section("The difference, in numbers", note, columns, rows)


def _row(effect: Effect, measure: Measure) -> list[str]:
    one = effect.omission
    verdict = "shown" if one.shown else "not shown"
    return [
        _members(effect),
        verdict,
        _apart(one.change, measure),
        _apart(one.beyond, measure),
        chance(effect.omission.chance),
        *_common(effect.change, measure),
    ]


def _control_row(control: Control, measure: Measure) -> list[str]:
    changed = _apart(control.difference, measure)
    return [control.called, "control", changed, "", "", *_common(control.change, measure)]


def _common(change: Change, measure: Measure) -> list[str]:
    """The cells of other rows, of both models' metrics, and of the rows that they lost."""
    rest = None if change.elsewhere is None else change.elsewhere.change
    lost = ["?" if rows is None else f"{-rows:+.0f}" for rows in change.rows]
    return [_apart(rest, measure), *map(_mean, change.metrics), " and ".join(dict.fromkeys(lost))]


def _members(effect: Effect) -> str:
    """A subset's name, with what is in it where that is more."""
    name, members = effect.subset.name, effect.subset.members
    if members == [name]:
        return name
    listed = ", ".join(members[:6]) + (", ..." if len(members) > 6 else "")
    return f"{name} ({len(members)}: {listed})"


def _predictions(found: Found, frozen: FrozenExperiment) -> list[page.Section]:
    told = [each for each in found.lines if any(each.change.moved)]
    if not told:
        return []
    columns = ["left out"]
    for label in frozen.labels:
        columns += [f"{label}: all rows", "its own", "other rows"]
    note = (
        "How far each model's predictions of the same held-out rows are from those with all training rows: root mean"
        " squares, means over blocks. A network moves whenever its training rows change, by chance too: the random rows"
        " say by how much."
    )
    rows = [_moved_row(each.called, each.change) for each in told]
    return [page.Section("The predictions, in numbers", note, columns, rows)]


def _moved_row(name: str, change: Change) -> list[str]:
    cells = [name]
    for moved in change.moved:
        if moved is None:
            cells += ["", "", ""]
        else:
            own, others = ("" if part is None else _number(part) for part in (moved.own, moved.others))
            cells += [_mean(moved.everywhere), own, others]
    return cells


def _failures(found: Found) -> list[page.Section]:
    failed = [each for each in found.lines if each.failed]
    if not failed:
        return []
    rows = [[each.called, f"{each.failed} of {found.blocks}"] for each in failed]
    note = (
        "Blocks in which a training failed; evaluations.jsonl says why. What is said of these subsets is of the others."
    )
    return [page.Section("What failed", note, ["left out", "blocks"], rows)]


def _csv(found: Found, frozen: FrozenExperiment) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    quantities = [
        "change",
        "beyond",
        "change_over_others",
        *(f"{frozen.metric}_{number}" for number in (0, 1)),
        "moved_0",
        "moved_1",
    ]
    ends = [f"{name}{end}" for name in quantities for end in ("", "_low", "_high")]
    parts = [f"moved_{number}_{part}" for number in (0, 1) for part in ("own", "others")]
    lines.writerow(["left_out", "control", "shown", "chance", "rows_0", "rows_1", "failed", *ends, *parts])
    for each in found.effects:
        one = each.omission
        start = [each.subset.name, "no", "yes" if one.shown else "no", one.chance, *each.change.rows, each.failed]
        lines.writerow(_blank([*start, *_cells([one.change, one.beyond], each.change)]))
    for control in found.controls:
        start = [control.subset.name, "yes", "", "", *control.change.rows, control.failed]
        lines.writerow(_blank([*start, *_cells([control.difference, None], control.change)]))
    return text.getvalue()


def _cells(means: Sequence[Mean | None], change: Change) -> list[float | None]:
    moved = [None if each is None else each.everywhere for each in change.moved]
    parts = [None if each is None else part for each in change.moved for part in _parts(each)]
    cells: list[float | None] = []
    rest = None if change.elsewhere is None else change.elsewhere.change
    for mean in (*means, rest, *change.metrics, *moved):
        cells += [None, None, None] if mean is None else [mean.value, *(mean.interval or (None, None))]
    return [*cells, *parts]


def _parts(moved: Moved | None) -> tuple[float | None, float | None]:
    return (None, None) if moved is None else (moved.own, moved.others)


def _blank(cells: Sequence[object]) -> list[object]:
    return ["" if cell is None else cell for cell in cells]


def _mean(mean: Mean | None) -> str:
    return "" if mean is None else with_interval(mean.value, mean.interval)


def _apart(mean: Mean | None, measure: Measure) -> str:
    """A change of the difference, whose unit stands in the heading."""
    return "" if mean is None else measure.apart(mean.value, mean.interval, unit=False)


def _change(value: float, measure: Measure) -> str:
    """A change of the difference, with two digits that count."""
    return measure.apart(round_to(value, 2), None)


def _ends(mean: Mean | None) -> tuple[float, ...]:
    return () if mean is None else mean.interval or (mean.value,)


def _number(value: float) -> str:
    """Return a number with two digits that count, the last one too where it is 0."""
    places = max(0, 1 - math.floor(math.log10(abs(value)))) if value else 2
    return f"{value:.{places}f}"
