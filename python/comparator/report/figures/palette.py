"""Colours, each with one meaning in all figures. A page may put its own, light or dark, in the place of these."""

from __future__ import annotations

from typing import Any

INK, MUTED, FAINT, PAPER = "#1f2328", "#6a737d", "#d8dee4", "#fffffe"
MODELS = ("#0072b2", "#d55e00")  # Okabe and Ito: told apart by colour-blind readers
MEAN, FAILED = "#009e73", "#a40e26"
#: Of parts of a variance: study, split, first weights, order of rows, other draws, what they do together.
PARTS = ("#4c9fd6", "#e69f00", "#cc79a7", "#8fb339", "#a98ed6", "#9aa3ad")
SHADES = ("#8d96a0", "#b9c1c9")  # of what has no meaning but to be told from its neighbour
SHAPES = ("circle", "square")  # of the models, beside their colours
DIFFERENCE = {"scheme": "viridis"}
METRIC = {"scheme": "redblue", "reverse": True}  # red high, blue low, white at the median; dark at both ends

#: How a chart looks that says nothing of its own.
CONFIG: dict[str, Any] = {
    "font": "system-ui, 'DejaVu Sans', sans-serif",
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "domainColor": MUTED,
        "tickColor": MUTED,
        "gridColor": FAINT,
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 11,
        "grid": False,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
    },
    "legend": {
        "orient": "top",
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 11,
        "titleLimit": 400,
        "labelLimit": 280,
        "gradientLength": 200,
        "gradientThickness": 10,
        "symbolStrokeWidth": 1.4,
    },
    "text": {"color": INK, "fontSize": 11},
}
