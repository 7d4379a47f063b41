"""What a model's data are: enough to tell one data set from another, and a data set from itself after a change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from comparator.model.fingerprint import content_of, digest_of, latest_below, tree_of
from comparator.model.model import Model

#: Where CANDLE's library has models write: DATA_FOLDER/MODEL/Output. What is there is no model's data.
OUTPUT = re.compile(r"[^/]*/[^/]+/Output")


@dataclass(frozen=True)
class Data:
    """The data of a model: `digest` None where it cannot be told, and then `untold` says why in a line.

    `until` is set where all of the data folder counts, in which a model may also write: files changed after it
    (nanoseconds since 1970) came later, and do not make the data others.
    """

    digest: str | None
    until: int | None = None
    untold: str | None = None


def data_of(model: Model, data_folder: Path, until: int | None = None, *, everything: bool = False) -> Data:
    """The data of `model`: what its description says that a training reads of the data folder, else all that is there.

    `until` leaves out what was written there later, see `Data`. `everything`: what a test reads may count too.
    """
    manifest, reads = model.description.data_manifest, None if everything else model.description.reads
    if manifest is None and reads is None:
        return _whole(data_folder, until)
    parts: list[str | None] = []
    if manifest is not None:
        parts.append(content_of(data_folder / manifest))
    if reads is not None:
        tree = tree_of((name, data_folder / name) for name in reads)
        if tree.digest is None:
            return Data(None, untold=tree.unknown)
        parts.append(tree.digest)
    return Data(digest_of(parts))


def has_changed(model: Model, data_folder: Path, digest: str | None, until: int | None) -> str | None:
    """Say in a line that a model's data are not those of `digest` any more; None where they are."""
    if digest is None or data_of(model, data_folder, until).digest == digest:
        return None
    if until is None:
        return f"the data in {data_folder} have changed"
    last = latest_below(("", data_folder)) or "removed"
    return f"the data in {data_folder} have changed (last: {last})"


def _whole(data_folder: Path, until: int | None) -> Data:
    tree = tree_of([("", data_folder)], skip=lambda name: OUTPUT.fullmatch(name) is not None, until=until)
    return Data(tree.digest, tree.latest if until is None else until, tree.unknown)
