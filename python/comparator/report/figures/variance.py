"""What makes trainings of one point differ: the variance in its parts, each with the interval of its share."""

from __future__ import annotations

from comparator.evidence.variance import Variance
from comparator.findings.variance import TrainingVariance
from comparator.objective.amounts import SHARES
from comparator.report.figures.channels import Row, labels_in, lanes, number_channel
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import INK, PARTS
from comparator.report.numbers import printable
from comparator.report.variance import share_words, title_of, words_of

SECTION = "variance"
HALF = 0.32  # of a bar's height, in lanes


def variance_figures(found: TrainingVariance | None, metric: str) -> list[Figure]:
    """Return a bar for the difference of one pair and one for the metric of one training."""
    if found is None:
        return []
    drawn = [_bar(found, found.difference, "variance-difference", "The difference of one pair of trainings")]
    if found.metric is not None:
        drawn.append(_bar(found, found.metric, "variance-metric", f"The {printable(metric)} of one training"))
    return drawn


def _bar(found: TrainingVariance, variance: Variance, name: str, title: str) -> Figure:
    colour_of = dict(zip(("study", "split", "initialisation", "order", "seed", "rest"), PARTS, strict=True))
    bars: list[Row] = []
    intervals: list[Row] = []
    done = 0.0
    for lane, part in enumerate(variance.parts, start=1):
        tip = printable(f"{title_of(part, found)}: {share_words(part)}\n{words_of(part, found)}")
        look = {"colour": colour_of[part.name], "tip": tip}
        bars.append({**look, "x": done, "x2": done + part.share, "y": -HALF, "y2": HALF})
        bars.append({**look, "x": 0.0, "x2": part.share, "y": lane - HALF, "y2": lane + HALF})
        intervals.append({"x": part.interval[0], "x2": part.interval[1], "y": lane, "tip": tip})
        done += part.share
    whole = "one pair" if variance is found.difference else "one training"
    y, labels = lanes([whole, *(title_of(part, found) for part in variance.parts)])
    x = number_channel("x", "share of the variance", domain=(0, 1), grid=True, **labels_in(SHARES))
    colour = {"field": "colour", "type": "nominal", "scale": None}
    layers = [
        layer(bars, "rect", {"opacity": 1.0}, x=x, x2={"field": "x2"}, y=y, y2={"field": "y2"}, color=colour),
        layer(intervals, "rule", {"color": INK, "strokeWidth": 1.6}, x=x, x2={"field": "x2"}, y=y),
    ]
    met = " and ".join(str(count) for count in dict.fromkeys(variance.levels.values()))
    caption = (
        f"The topmost bar is all of the variance; below it stand its parts, each with the 95 % interval of its share."
        f" {met} levels of each were met evenly. What two of them do together is in the last."
    )
    return figure(
        name,
        title,
        {"layer": layers},
        caption,
        height=34 + 30 * (len(variance.parts) + 1),
        params=[labels],
        section=SECTION,
    )
