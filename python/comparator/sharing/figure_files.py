"""One figure of an experiment as a file for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from comparator.errors import InputError, nearest
from comparator.evidence.threads import one_thread
from comparator.formats.text import file_made_whole, shortened
from comparator.report.reading import read_in
from comparator.sharing.bundle import file_for
from comparator.studies import study_of

if TYPE_CHECKING:
    from comparator.report.figures import Figure

FORMS = ("pdf", "svg", "png")
#: The figure that the report begins with, whatever it is called.
MAP = "map"


def write_figure(
    folder: Path, name: str, form: str | None = None, target: Path | None = None, *, replace: bool = True
) -> Path:
    """Write a figure of the experiment in `folder`, `map` for the first, and return the path of its file.

    `form` is that of the file's name, pdf where it has none. The file is `target`, `ID-NAME.FORM` in `target` where
    that is a folder, else there in the current one; without `replace` one that is there stays, unless `target` names
    it. Raises `InputError` where there is no such figure or form, or the file cannot be put there.
    """
    from comparator.report.figures.files import figure_file

    form = form or _form_of(target)
    if form not in FORMS:
        raise InputError(f"--format {shortened(form)}: a figure is one of {', '.join(FORMS)}{nearest(form, FORMS)}")
    if study_of(folder) is not None:
        raise InputError(f"'{folder.name}' has figures of its own, as PNG and SVG: {folder / 'figures'}")
    path = file_for(target, f"{folder.name}-{name}.{form}", replace=replace)
    content = figure_file(_figure(folder, name), form)
    with file_made_whole(path) as temporary:
        temporary.write_bytes(content)
    return path


def _form_of(target: Path | None) -> str:
    return target.suffix.removeprefix(".").lower() if target is not None and target.suffix else FORMS[0]


def _figure(folder: Path, name: str) -> Figure:
    """The figure of a name; raises `InputError` that says which there are."""
    from comparator.report import figures

    with one_thread():
        material = read_in(folder).material
        drawn = (figures.leading(material) if name == MAP else []) or figures.draw(material)
    if name == MAP and drawn:
        return drawn[0]
    by_name = {figure.name: figure for figure in drawn}
    if name not in by_name:
        there = f"figures: {', '.join([MAP, *by_name])}" if by_name else "there is none before the first result"
        raise InputError(
            f"--figure {shortened(name)}: '{folder.name}' has no such figure{nearest(name, [MAP, *by_name])}; {there}"
        )
    return by_name[name]
