"""A figure as a file: SVG, PNG or PDF, on white."""

from __future__ import annotations

import json
import re
from typing import Any

from comparator.errors import InputError
from comparator.report.figures.figure import Figure

FORMS = ("svg", "png", "pdf")
WIDTH = 520  # pixels
SCALE = 3  # of PNG: dots for a pixel
FONT = "DejaVu Sans, Liberation Sans, sans-serif"  # no browser is there to know what "system-ui" is


def figure_file(figure: Figure, form: str, *, width: int = WIDTH) -> bytes:
    """Return `figure` as a file of a `form`, one of FORMS, `width` pixels wide; raises InputError for another form."""
    import vl_convert

    if form not in FORMS:
        raise InputError(f"--format {form}: a figure is one of {', '.join(FORMS)}")
    chart = json.dumps(standing(figure, width))
    if form == "svg":
        return vl_convert.vegalite_to_svg(chart).encode("utf-8", "replace")
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(chart, scale=SCALE))
    return bytes(vl_convert.vegalite_to_pdf(chart))


def inline_svg(svg: str, prefix: str) -> str:
    """Return an SVG file for a page that holds several: each of its identifiers begins with `prefix`."""
    _, tag, picture = svg.partition("<svg")
    return tag + re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{prefix}-", picture)


def standing(figure: Figure, width: int = WIDTH) -> dict[str, Any]:
    """Return the chart of `figure` for itself: of the width that it has of its own, else of `width`; on white."""
    config = {**figure.chart["config"], "font": FONT, "background": "white"}
    own = figure.chart["width"]
    return {**figure.chart, "width": width if own == "container" else own, "background": "white", "config": config}
