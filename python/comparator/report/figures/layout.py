"""Where the axes of a figure lie: as large as what stands around them lets them be, measured once.

matplotlib's own engines measure each part of a figure several times, which takes longer than to draw it.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.layout_engine import LayoutEngine
from matplotlib.textpath import text_to_path

# All lengths are in points.
EDGE = 3.0  # left free at the figure's edges
BAR, BAR_GAP = 11.0, 8.0  # breadth of a colour bar, and its distance from the axes
LINE = 1.2  # of the font's size: the height of a line


class Fitted(LayoutEngine):
    """The layout of a figure with one pair of axes, and at most a colour bar right of it."""

    _adjust_compatible, _colorbar_gridspec = False, False

    def execute(self, fig: Any) -> None:
        """Place the axes, the colour bar and the names of both."""
        axes, *bars = fig.axes
        width, height = (72 * inches for inches in fig.get_size_inches())
        below, beside = _Side(axes.xaxis), _Side(axes.yaxis)
        right_of = [_Side(bar.yaxis) for bar in bars]
        foot = EDGE + below.depth + below.name
        head = EDGE + max(_legend(axes), beside.half_line)
        left = EDGE + beside.depth + beside.name
        right = EDGE + sum(BAR_GAP + BAR + side.depth + side.name for side in right_of)
        across = width - left - right
        left = max(left, EDGE + below.before(across))
        right = max(right, EDGE + below.behind(across))
        across, up = max(width - left - right, 1.0), max(height - foot - head, 1.0)
        axes.set_position((left / width, foot / height, across / width, up / height))
        axes.xaxis.set_label_coords(0.5, -(below.depth + below.pad) / up)
        axes.yaxis.set_label_coords(-(beside.depth + beside.pad) / across, 0.5)
        for bar, side in zip(bars, right_of, strict=True):
            bar.set_position(((left + across + BAR_GAP) / width, foot / height, BAR / width, up / height))
            bar.yaxis.set_label_coords(1 + (side.depth + side.pad) / BAR, 0.5)


class _Side:
    """What stands at one side of the axes: `depth` of ticks and their labels, `name` of the axis' name with its pad."""

    def __init__(self, axis: Any) -> None:
        self._labels = [_Label(label, share) for label, share in _labels(axis)]
        across = axis.axis_name == "x"
        self.depth = max((label.height if across else label.width for label in self._labels), default=0.0)
        if self._labels:
            self.depth += axis.get_tick_padding() + axis.get_major_ticks()[0].get_pad()
        text = axis.label.get_text()
        self.pad = axis.labelpad
        self.name = self.pad + _size(axis.label)[1] if text else 0.0
        self.half_line = max((label.height / 2 for label in self._labels), default=0.0)

    def before(self, length: float) -> float:
        """How far the labels reach out before the axis' beginning, if it is so long."""
        return max((label.before - label.share * length for label in self._labels), default=0.0)

    def behind(self, length: float) -> float:
        """How far they reach out behind its end."""
        return max((label.behind - (1 - label.share) * length for label in self._labels), default=0.0)


class _Label:
    """A tick's label as it is turned: how high and wide it is, and how far it reaches before and behind its tick.

    `share` is the part of the axis that lies before the tick.
    """

    def __init__(self, label: Any, share: float) -> None:
        width, height = _size(label)
        angle = math.radians(label.get_rotation())
        self.share = share
        self.width = width * math.cos(angle) + height * math.sin(angle)
        self.height = width * math.sin(angle) + height * math.cos(angle)
        ends_there = label.get_horizontalalignment() == "right"
        self.before, self.behind = (self.width, height / 2) if ends_there else (self.width / 2, self.width / 2)


def _labels(axis: Any) -> list[tuple[Any, float]]:
    """The labels that are seen, each with the part of the axis before it."""
    transform = axis.get_transform()
    first, last = transform.transform(axis.get_view_interval())
    which = 0 if axis.axis_name == "x" else 1
    places = [(label, transform.transform(label.get_position()[which])) for label in axis.get_ticklabels()]
    shares = [(label, (place - first) / ((last - first) or 1.0)) for label, place in places if label.get_text()]
    return [(label, share) for label, share in shares if -1e-6 <= share <= 1 + 1e-6]


def _size(text: Any) -> tuple[float, float]:
    """How wide and high a text is before it is turned."""
    lines, font = text.get_text().split("\n"), text.get_fontproperties()
    width = max(text_to_path.get_text_width_height_descent(line, font, False)[0] if line else 0.0 for line in lines)
    return width, LINE * text.get_fontsize() * len(lines)


def _legend(axes: Any) -> float:
    """How high a legend above the axes is."""
    legend = axes.get_legend()
    if legend is None:
        return 0.0
    around = 2 * legend.borderaxespad * legend.get_texts()[0].get_fontsize()
    return float(legend.get_window_extent().height * 72 / axes.figure.dpi + around)
