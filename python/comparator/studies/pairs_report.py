"""The page, table and answer of all pairs of several models."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from comparator.formats.text import write_text_whole
from comparator.objective.amounts import Measure, measure_of
from comparator.report.next_step import Step
from comparator.report.numbers import chance
from comparator.results.frozen import FrozenExperiment
from comparator.studies import figures, page, pairs_figure
from comparator.studies.next_step import asked_again, look_at
from comparator.studies.pairs import ALPHA, EVERYWHERE, NONE, REGIONS, Judged, answer, most_different

TABLE = "pairs.csv"
COLUMNS = ("first", "second", "verdict", "condition", "mean", "low", "high", "inside", "outside", "p_differ", "p_where")
WORDS = {REGIONS: "differ, more under a condition", EVERYWHERE: "differ", NONE: "not shown to differ"}


def write(
    folder: Path, frozen: FrozenExperiment, entries: Sequence[Mapping[str, Any]], judged: Sequence[Judged]
) -> list[str]:
    """Write `report.html`, `report.json`, table and figure into a study's folder; returns the answer in sentences."""
    metric, difference, measure = frozen.metric, frozen.objective.name, measure_of(frozen)
    said = answer(judged, metric, measure)
    drawn = pairs_figure.draw(frozen.labels, entries, judged, difference, measure)
    pictures = figures.write(folder / "figures", [drawn])
    (folder / "tables").mkdir(exist_ok=True)
    write_text_whole(folder / "tables" / TABLE, _csv(judged))
    most = most_different(judged)
    page.write(
        folder,
        frozen,
        said,
        "no two shown to differ" if most is None else f"{' and '.join(most.pair.labels)} differ most",
        pictures,
        [_verdicts(judged, metric, measure), *_failures(judged)],
        [TABLE],
        _next(frozen, most, judged),
        difference=difference,
        most_different=None if most is None else most.pair.identifier,
        pairs=[each.as_json() for each in judged],
    )
    return said


def _next(frozen: FrozenExperiment, most: Judged | None, judged: Sequence[Judged]) -> Step:
    """The report of the two that differ most; where none are shown to differ, the same with more points."""
    if most is not None:
        words = f"Look closer at {' and '.join(most.pair.labels)}: their report has the map, and says what to do next"
        return look_at(frozen, most.pair.identifier, words)
    points = max(len(each.pair.paired.points) for each in judged)
    return asked_again(frozen, "To see smaller differences, train more points", f"all_pairs.evaluations={2 * points}")


def _csv(judged: Sequence[Judged]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for each in judged:
        low, high = each.interval or (None, None)
        place = each.place
        inside, outside = (None, None) if place is None else (place.mean, place.outside)
        condition = "" if place is None else place.condition
        numbers = [each.pair.mean, low, high, inside, outside, each.chance_differ, each.chance_where]
        lines.writerow([*each.pair.labels, each.verdict, condition, *("" if n is None else n for n in numbers)])
    return text.getvalue()


def _verdicts(judged: Sequence[Judged], metric: str, measure: Measure) -> page.Section:
    ranked = sorted(judged, key=lambda each: (each.verdict == NONE, -abs(each.largest)))
    return page.Section(
        "Verdicts",
        f"The largest difference first, as the second's {metric} against the first's. Chances are those of what was"
        f" seen were there nothing, corrected for all {len(judged)} pairs (Holm): where one is"
        f" {100 * ALPHA:.0f} % or less, it is called shown. Intervals hold for all pairs at once with 95 %, over data"
        " splits and seeds. Unless the file has a [confirm], a region is read off the same trainings that show it, so"
        " that its mean is rather too large.",
        ["pair", "verdict", "where", "mean", "there", "elsewhere", "chance: alike", "chance: alike everywhere"],
        [_row(each, measure) for each in ranked],
    )


def _row(judged: Judged, measure: Measure) -> list[str]:
    pair, place = judged.pair, judged.place
    link = Markup('<a href="../{}/report.html">{} and {}</a>').format(pair.identifier, *pair.labels)
    if pair.reason:
        return [link, "nothing to say", pair.reason, *[""] * 5]
    return [
        link,
        WORDS[judged.verdict],
        "" if place is None else place.condition,
        _signed(pair.mean, judged.interval, measure),
        "" if place is None else _signed(place.mean, None, measure),
        "" if place is None else _signed(place.outside, None, measure),
        chance(judged.chance_differ),
        chance(None if pair.p_where is None else judged.chance_where),
    ]


def _signed(mean: float | None, interval: Sequence[float] | None, measure: Measure) -> str:
    """Which of the two has the larger metric, by how much; empty where that is not known."""
    return "" if mean is None else f"{'+' if mean > 0 else ''}{measure.amounts(mean, interval)}"


def _failures(judged: Sequence[Judged]) -> list[page.Section]:
    failed = [each for each in judged if each.pair.failed]
    if not failed:
        return []
    rows = [
        [" and ".join(each.pair.labels), str(len(each.pair.failed)), str(len(each.pair.paired.points))]
        for each in failed
    ]
    note = "Points at which one of the two gave no result, and those at which both did; the pair's report says why."
    return [page.Section("What failed", note, ["pair", "failed", "compared"], rows)]
