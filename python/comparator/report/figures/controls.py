"""What became of a difference of two studies with equal rows, shared drugs, shared cell lines."""

from __future__ import annotations

from comparator.findings.controls import Controls
from comparator.findings.summary import Summary
from comparator.objective.amounts import POINTS
from comparator.report.controls import TITLES, sentence
from comparator.report.figures.channels import Row, labels_in, lanes, number_channel, objective_label, series
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import INK, MUTED, PAPER
from comparator.report.numbers import printable

SECTION = "controls"
WAS, NOW = "as it was", "by this design"
APART = 0.12  # lanes, above and below the middle


def control_figures(summary: Summary, found: Controls | None) -> list[Figure]:
    """Return a lane for each design and number: as it was, and as it is by the design; none where none was tried."""
    if found is None or not found.found:
        return []
    several = len({(each.found.claim, each.found.what) for each in found.found}) > 1
    names: list[str | list[str]] = []
    dots, ends = [], []
    for lane, each in enumerate(found.found):
        one = each.found
        more = "" if one.what == "difference" else ", more"
        names.append([TITLES[each.design], f"{one.claim}{more}"] if several else TITLES[each.design])
        tip = printable(sentence(each, summary.measure))
        for name, at, interval, mean in (
            (WAS, lane - APART, one.was_interval, one.was),
            (NOW, lane + APART, one.now_interval, one.now),
        ):
            dots.append({"x": mean, "y": at, "series": name, "tip": tip})
            ends.append({"x": interval[0], "x2": interval[1], "y": at, "series": name, "tip": tip})
    y, labels = lanes(names)
    label, has_more = objective_label(summary), any(each.found.what != "difference" for each in found.found)
    if has_more and summary.measure.is_share:
        label = [*label, f"per cent; what is more than elsewhere: {POINTS}"]
    x, look = number_channel("x", label, grid=True, **labels_in(summary.measure, apart=has_more)), _look()
    zero: list[Row] = [{"x": 0}]
    layers = [
        layer(zero, "rule", {"color": INK, "strokeWidth": 0.8}, x=x),
        layer(ends, "rule", {"strokeWidth": 1.6}, x=x, x2={"field": "x2"}, y=y, stroke=look["stroke"]),
        layer(dots, "point", {"size": 60, "strokeWidth": 1.6}, x=x, y=y, **look),
    ]
    caption = (
        "Hollow dots: what fresh blocks gave with each study as it is. Full dots: the same blocks with both studies cut"
        " by the design. Lines are 95 % intervals over blocks; that of the change, which pairs them, is in the table."
    )
    if has_more:
        caption += " More: than elsewhere."
    title = f"Is it the study, or only its size? {' and '.join(map(printable, found.studies))}"
    size = 44 + 34 * len(names)
    return [figure("controls", title, {"layer": layers}, caption, height=size, params=[labels], section=SECTION)]


def _look() -> dict[str, Row]:
    return series({WAS: {"stroke": MUTED, "fill": PAPER}, NOW: {"stroke": INK, "fill": INK}})
