"""Which drugs and cell lines carry a difference: their influence, and both models' errors in each."""

from __future__ import annotations

from comparator.evidence.contributions import Contributions, Group
from comparator.findings.explanation import Explained, Explanation, called, plural
from comparator.findings.summary import Summary
from comparator.formats.numbers import round_to, show
from comparator.report.figures.channels import Row, clip, haloed, labels_in, lanes, number_channel, objective_label
from comparator.report.figures.figure import Choice, Figure, figure, layer
from comparator.report.figures.palette import FAINT, INK, MUTED, PAPER
from comparator.report.numbers import percent, printable

SECTION = "explained"
HIGHEST = 15  # groups in one figure
#: What the figures of several columns or places take turns by.
OF = "Groups"


def group_figures(summary: Summary, found: Explanation | None) -> list[Figure]:
    """Return for each column of each place the influence of its groups, and both models' metric in them."""
    if found is None or not found.places:
        return []
    shown = [(place, each) for place in found.places for each in place.columns]
    several = len(found.places) > 1
    drawn = []
    for number, (place, each) in enumerate(shown, start=1):
        label = plural(called(each.column)) + (f", {place.claim.name}" if several else "")
        choice = Choice(OF, label) if len(shown) > 1 else None
        drawn.append(_influence(summary, place, each, number, choice))
        drawn.append(_metrics(summary, found, each, number, choice))
    return drawn


def _influence(summary: Summary, place: Explained, found: Contributions, number: int, choice: Choice | None) -> Figure:
    named = {group.name for group in found.named}
    groups = found.groups[:HIGHEST]
    rows: list[Row] = [
        {
            "x": group.influence,
            "low": group.interval[0],
            "high": group.interval[1],
            "y": lane,
            "colour": INK if group.name in named else PAPER,
            "tip": _tip(summary, group),
        }
        for lane, group in enumerate(groups)
    ]
    y, labels = lanes([clip(group.name, 22) for group in groups])
    x = number_channel(
        "x",
        objective_label(summary, "influence on the ", apart=True),
        grid=True,
        **labels_in(summary.measure, apart=True),
    )
    fill = {"field": "colour", "type": "nominal", "scale": None}
    layers = [
        layer([{"x": 0}], "rule", {"color": INK, "strokeWidth": 0.8}, x=x),
        layer(rows, "rule", {"color": MUTED, "strokeWidth": 1.6}, x={**x, "field": "low"}, x2={"field": "high"}, y=y),
        layer(rows, "point", {"size": 60, "stroke": INK, "strokeWidth": 1.4}, x=x, y=y, fill=fill),
    ]
    kind = plural(called(found.column))
    caption = (
        f"By how much less the models differ where all rows of one of the {len(found.groups)} {kind} are left out;"
        f" those of the largest influence. Lines are 95 % intervals over {found.choosing + found.measuring} fresh"
        " blocks, each of one group alone. Full dots: shown to carry more or less than their share by blocks that did"
        " not choose them."
    )
    return figure(
        f"influence-{number}",
        f"Who carries the difference, {place.claim.name}",
        {"layer": layers},
        caption,
        height=30 + 22 * len(groups),
        params=[labels],
        section=SECTION,
        place="influence",
        choice=choice,
    )


def _metrics(
    summary: Summary, explanation: Explanation, found: Contributions, number: int, choice: Choice | None
) -> Figure:
    named = {group.name for group in found.named}
    known = [(group, *group.metrics) for group in found.groups]
    rows: list[Row] = [
        {
            "x": first,
            "y": second,
            "text": clip(group.name, 22),
            "tip": _tip(summary, group, explanation.metric),
            "colour": INK if group.name in named else PAPER,
            "size": group.rows,
        }
        for group, first, second in known
        if first is not None and second is not None
    ]
    ends = [end for row in rows for end in (row["x"], row["y"])] or [0.0, 1.0]
    x, y = (
        number_channel(which, clip(f"{explanation.metric}, {model}", 40), holding=ends, grid=True)
        for which, model in zip("xy", summary.models, strict=False)
    )
    fill = {"field": "colour", "type": "nominal", "scale": None}
    size = {"field": "size", "type": "quantitative", "legend": None, "scale": {"range": [16, 160], "zero": True}}
    line = [{"x": min(ends), "y": min(ends)}, {"x": max(ends), "y": max(ends)}]
    names = [row for row in rows if row["colour"] == INK]
    text = {"field": "text", "type": "nominal"}
    layers = [
        layer(line, "line", {"color": FAINT, "strokeWidth": 1.4}, x=x, y=y),
        layer(rows, "point", {"stroke": INK, "strokeWidth": 1.0, "opacity": 0.8}, x=x, y=y, size=size, fill=fill),
        *(haloed(names, {"dx": 8, "align": "left", "baseline": "middle"}, x=x, y=y, text=text) if names else []),
    ]
    kind = called(found.column)
    caption = (
        f"A dot is a {kind}, the larger the more rows it has: {explanation.metric} of both models among its rows, all"
        " fresh blocks together. On the line both are equal."
    )
    return figure(
        f"groups-{number}",
        f"Both models, {kind} by {kind}",
        {"layer": layers},
        caption,
        section=SECTION,
        place="groups",
        choice=choice,
    )


def _tip(summary: Summary, group: Group, metric: str = "") -> str:
    said = [
        group.name,
        f"influence {summary.measure.apart(group.influence, group.interval)}",
        f"{percent(group.rows)} of the rows",
    ]
    if group.share is not None:
        said.append(f"{round(100 * group.share)} % of the difference")
    if metric:
        said += [
            f"{metric}, {model}: {show(round_to(value, 3))}"
            for model, value in zip(summary.models, group.metrics, strict=True)
            if value is not None
        ]
    return printable("\n".join(said))
