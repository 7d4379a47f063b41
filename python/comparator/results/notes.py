"""Tags and a note that people give an experiment. They may change at any time, and are no part of what was frozen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from comparator.errors import InputError, nearest
from comparator.formats.text import shortened
from comparator.results.files import owner_of, read_form, share_as, write_whole
from comparator.results.form import Form

NOTES = "notes.json"
LONGEST_TAG = 40


class Notes(Form):
    """`notes.json` of an experiment: what people have said of it since. It is no part of what was frozen."""

    tags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    text: str = ""


def read_notes(folder: Path) -> Notes:
    """What was noted of the experiment in `folder`: nothing where there is no file, or it is damaged or hidden."""
    try:
        return read_form(Notes, folder / NOTES) or Notes()
    except OSError:
        return Notes()


def write_notes(folder: Path, notes: Notes) -> None:
    """Keep what was noted, in the place of what was there; raises `InputError` where the folder may not be written."""
    share_as(folder.parent)
    try:
        write_whole(folder / NOTES, notes.as_json())
    except PermissionError:
        raise InputError(
            f"experiment '{folder.name}' is {owner_of(folder)}'s, and its folder may not be written"
        ) from None


def changed(notes: Notes, text: str | None = None, tag: Sequence[str] = (), untag: Sequence[str] = ()) -> Notes:
    """Notes with another text, None for the same, and with tags more and fewer.

    Raises `InputError` where a tag cannot be one, or one is to go that is not there.
    """
    for name in untag:
        if name not in notes.tags:
            there = f"; there are: {', '.join(notes.tags)}" if notes.tags else "; there is none"
            raise InputError(f"tag '{shortened(name)}' is not there{nearest(name, notes.tags)}{there}")
    kept = [name for name in notes.tags if name not in untag]
    tags = tuple(dict.fromkeys([*kept, *map(_checked, tag)]))
    return notes.model_copy(update={"tags": tags, "text": notes.text if text is None else text.strip()})


def _checked(tag: str) -> str:
    name = tag.strip()
    if not name or not name.isprintable() or "," in name or len(name) > LONGEST_TAG:
        raise InputError(f"tag '{shortened(tag)}': may hold {LONGEST_TAG} characters of one line, and no comma")
    return name
