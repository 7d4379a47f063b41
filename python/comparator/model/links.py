"""Files of a model that a run finds in its own folder, as links (`links` in `model.toml`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.text import shortened


def linked_files(folder: Path, names: Sequence[str], where: str) -> list[tuple[Path, Path]]:
    """What is linked, each with its place below the folder of a run: that which it has below the model's, or its name.

    Names may be patterns, `*.txt`. Raises `InputError` where nothing is there.
    """
    found = []
    for name in names:
        bare = name.rstrip("/")
        has_pattern = any(each in bare for each in "*?[") and not Path(bare).is_absolute()
        paths = sorted(folder.glob(bare)) if has_pattern else [folder / bare]
        paths = [path for path in paths if path.exists()]
        if not paths or not bare:
            raise InputError(f"{where}: links: '{shortened(name)}': there is none in {folder}")
        found += [(path.resolve(), _place(path, folder)) for path in paths]
    return found


@contextmanager
def linked(
    files: Sequence[tuple[Path, Path]], run: Path, apart: Collection[Path] = (), seen: Callable[[Path], str] = str
) -> Iterator[None]:
    """Have the files linked in the folder of a run as long as it goes on, to where the run has them `seen`.

    Those `apart`, of which the run has its own, are not: a folder that holds one is made, with links in it.
    """
    made: list[Path] = []
    try:
        for target, place in files:
            made += _link(target, run / place, apart, seen)
        yield
    finally:
        for link in reversed(made):
            with suppress(OSError):
                link.unlink() if link.is_symlink() else link.rmdir()


def _link(target: Path, link: Path, apart: Collection[Path], seen: Callable[[Path], str]) -> list[Path]:
    """Make a link, and the folders above it; returns what was made, in its order."""
    if target in apart or link.is_symlink():
        return []
    made = [parent for parent in reversed(link.parents) if not parent.exists()]
    if any(target in each.parents for each in apart):
        if not link.exists():
            made.append(link)
        link.mkdir(parents=True, exist_ok=True)
        for each in sorted(target.iterdir()):
            made += _link(each, link / each.name, apart, seen)
        return made
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists():  # the run has its own
        return made
    link.symlink_to(seen(target))
    return [*made, link]


def _place(path: Path, folder: Path) -> Path:
    """Where below a run's folder a file is linked: as below the model's, by its name where it is elsewhere."""
    place = Path(os.path.relpath(path, folder))
    return Path(path.name) if ".." in place.parts else place
