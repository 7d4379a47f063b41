"""What the search promised at its best points, and what fresh blocks gave there."""

from __future__ import annotations

from comparator.findings.axes import show
from comparator.findings.summary import Summary
from comparator.report.figures.drawing import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    Drawing,
    Mark,
    legend,
    names_of,
    new_drawing,
    objective_label,
)
from comparator.report.words import point_words


def confirmed_points(summary: Summary) -> list[Drawing]:
    """Return a row for each point that was trained anew; none where nothing was."""
    found = [each for each in summary.reliability.confirmations if each.confirmed is not None]
    if not found:
        return []
    drawing, axes = new_drawing("confirmed", "What was promised, and what came true", 1.5 + 0.42 * len(found))
    for row, each in enumerate(found):
        axes.plot([each.searched, each.confirmed], [row, row], color=FAINT, lw=1, zorder=1)
    with_ends = [(row, each.interval) for row, each in enumerate(found) if each.interval is not None]
    axes.hlines(
        [row for row, _ in with_ends], [ends[0] for _, ends in with_ends], [ends[1] for _, ends in with_ends],
        color=INK, lw=1.6, zorder=2,
    )  # fmt: skip
    names = names_of(summary)
    searched = axes.scatter(
        [each.searched for each in found], range(len(found)),
        s=42, facecolor=PAPER, edgecolor=MUTED, linewidth=1.4, zorder=3, label="the search said",
    )  # fmt: skip
    drawing.mark(
        searched,
        [Mark(f"the search said {show(each.searched)}\n{point_words(each.point, names)}", ()) for each in found],
    )
    anew = axes.scatter(
        [each.confirmed for each in found], range(len(found)), s=42, color=INK, zorder=4, label="on fresh blocks"
    )
    drawing.mark(
        anew,
        [
            Mark(f"{each.seeds} fresh blocks: {show(each.confirmed)}\n{point_words(each.point, names)}", ())
            for each in found
        ],
    )
    axes.set_yticks(range(len(found)), [f"point {number}" for number in range(1, len(found) + 1)])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlabel(objective_label(summary))
    axes.grid(True, axis="x")
    legend(axes)
    drawing.section = "confirmed"
    drawing.caption = (
        "A hollow dot is what the search reported, the full dot and its line what fresh blocks gave, with the interval "
        "over splits and seeds that were not looked at; what lies between the two dots is the winner's curse."
    )
    return [drawing]
