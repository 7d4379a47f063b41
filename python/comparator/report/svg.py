"""From a figure to SVG and PNG, and to the SVG inside the page: its colours, its marks, its identifiers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from xml.etree import ElementTree

from comparator.report.figures import drawing as figures
from comparator.report.figures.drawing import Drawing, Mark
from comparator.report.words import printable

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
DRAWN = {f"{{{SVG}}}use", f"{{{SVG}}}path"}
PAGE_COLOURS = {
    figures.INK: "var(--ink)",
    figures.MUTED: "var(--muted)",
    figures.FAINT: "var(--faint)",
    figures.PAPER: "var(--paper)",
    figures.MODELS[0]: "var(--model-0)",
    figures.MODELS[1]: "var(--model-1)",
    figures.MEAN: "var(--mean)",
    figures.FAILED: "var(--failed)",
    figures.SHADES[0]: "var(--shade-0)",
    figures.SHADES[1]: "var(--shade-1)",
}
DOTS_PER_INCH = 200

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def settle(drawing: Drawing) -> None:
    """Lay the figure out, once for all its forms."""
    with _quiet():
        drawing.figure.get_layout_engine().execute(drawing.figure)
    drawing.figure.set_layout_engine("none")
    drawing.figure.set_facecolor("white")


def png(drawing: Drawing) -> bytes:
    """Return the figure, once settled, as PNG, on white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    drawing.figure.set_dpi(DOTS_PER_INCH)
    with _quiet():
        FigureCanvasAgg(drawing.figure).print_png(buffer)
    return buffer.getvalue()


def svg(drawing: Drawing) -> bytes:
    """Return the figure, once settled, as a standing SVG document, on white; the same bytes for the same figure."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    drawing.figure.set_dpi(DOTS_PER_INCH)  # of what is drawn as an image
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _quiet(), matplotlib.rc_context({"svg.hashsalt": drawing.name}):
        FigureCanvasSVG(drawing.figure).print_svg(buffer, metadata=nothing)
    return buffer.getvalue()


def inline(document: bytes, drawing: Drawing) -> str:
    """Return `document`, the figure's SVG, for the page.

    Transparent, in the page's colours, with identifiers of its own, scaled by its box; each mark carries
    `data-tip` (what it says) and `data-evaluations` (their numbers, with blanks between).
    """
    root = ElementTree.fromstring(document)
    for gid, marks in drawing.marks.items():
        _attach(root, gid, marks, gid in drawing.lines)
    for element in root.iter():
        _own_identifiers(element, PurePath(drawing.name).name)
        if "style" in element.attrib:
            element.set("style", _page_colours(element.get("style", "")))
    background = root.find(f".//*[@id='{drawing.name}:patch_1']")
    if background is not None:
        background.clear()
    del root.attrib["width"], root.attrib["height"]
    root.set("role", "img")
    root.set("aria-label", drawing.title)
    return ElementTree.tostring(root, encoding="unicode")


@contextmanager
def _quiet() -> Iterator[None]:
    """A name in a script that the font lacks shows as boxes in the PNG; nothing to tell the user here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        yield


def _attach(root: ElementTree.Element, gid: str, marks: list[Mark], lines: bool) -> None:
    group = root.find(f".//*[@id='{gid}']")
    if group is None:
        return
    shapes = {id(shape) for defs in group.iter(f"{{{SVG}}}defs") for shape in defs.iter()}
    drawn = [element for element in group.iter() if element.tag in DRAWN and id(element) not in shapes]
    # A figure of very many points holds them as one image, which has no marks.
    for element, mark in zip(drawn, marks, strict=bool(drawn)):
        element.set("data-tip", printable(mark.text))
        element.set("data-evaluations", " ".join(map(str, mark.evaluations)))
        if lines:
            element.set("data-line", "")


def _own_identifiers(element: ElementTree.Element, prefix: str) -> None:
    """Put the figure's name before each identifier and each reference: all figures share the page."""
    if "id" in element.attrib:
        element.set("id", f"{prefix}:{element.get('id')}")
    for name, value in list(element.attrib.items()):
        if name in ("href", f"{{{XLINK}}}href") and value.startswith("#"):
            element.set(name, f"#{prefix}:{value[1:]}")
        elif name != "data-tip" and "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{prefix}:"))


def _page_colours(declarations: str) -> str:
    for colour, variable in PAGE_COLOURS.items():
        declarations = declarations.replace(colour, variable)
    return declarations
