"""What the search promised at its best points, and what fresh blocks gave there."""

from __future__ import annotations

from comparator.findings.summary import Summary, drawn_anew
from comparator.report.figures.channels import Row, labels_in, lanes, names_of, number_channel, objective_label, series
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import FAINT, INK, MUTED, PAPER
from comparator.report.numbers import point_words, printable

SEARCHED, ANEW = "the search said", "on fresh blocks"


def confirmed_points(summary: Summary) -> list[Figure]:
    """Return a row for each point that was trained anew; none where nothing was."""
    found = [each for each in summary.reliability.confirmations if each.confirmed is not None]
    if not found:
        return []
    names, amount = names_of(summary), summary.measure.amount
    searched: list[Row] = []
    anew: list[Row] = []
    ends: list[Row] = []
    for lane, each in enumerate(found):
        where = point_words(each.point, names)
        of = {"y": lane, "evaluations": [one.number for one in summary.evaluations if one.point == each.point]}
        anew_on = "trained anew once, as every seed gives it" if each.is_exact else f"{each.seeds} fresh blocks"
        said, gave = f"{SEARCHED} {amount(each.searched, 4)}", f"{anew_on}: {amount(each.confirmed, 4)}"
        searched.append(
            {**of, "x": each.searched, "x2": each.confirmed, "series": SEARCHED, "tip": printable(f"{said}\n{where}")}
        )
        anew.append({**of, "x": each.confirmed, "series": ANEW, "tip": printable(f"{gave}\n{where}")})
        if each.interval is not None:
            ends.append({**of, "x": each.interval[0], "x2": each.interval[1]})
    y, labels = lanes([f"point {number}" for number in range(1, len(found) + 1)])
    x, to = number_channel("x", objective_label(summary), grid=True, **labels_in(summary.measure)), {"field": "x2"}
    look = series({SEARCHED: {"stroke": MUTED, "fill": PAPER}, ANEW: {"stroke": INK, "fill": INK}})
    layers = [
        layer(searched, "rule", {"color": FAINT}, x=x, x2=to, y=y),
        layer(ends, "rule", {"color": INK, "strokeWidth": 1.6}, x=x, x2=to, y=y),
        layer(searched, "point", {"size": 60, "strokeWidth": 1.6}, x=x, y=y, **look),
        layer(anew, "point", {"size": 60}, x=x, y=y, **look),
    ]
    drawn = drawn_anew(summary.evaluations)
    caption = (
        "A hollow dot is what the search reported, the full dot and its line what fresh blocks gave, with the interval "
        f"over {drawn} that were not looked at; what the search promised too much is the winner's curse."
    )
    title = "What was promised, and what came true"
    return [
        figure(
            "confirmed",
            title,
            {"layer": layers},
            caption,
            height=30 + 28 * len(found),
            params=[labels],
            section="confirmed",
        )
    ]
