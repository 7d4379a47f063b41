"""What an experiment file that is drafted, and the models in it, are called; and the files that call functions."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from comparator.drafting.functions import model_of_function
from comparator.errors import InputError
from comparator.formats.names import as_file_name, home_written_out
from comparator.formats.text import write_text_whole
from comparator.model.references import with_path_written


def file_for(output: Path | None, references: Sequence[str], *, force: bool) -> Path:
    """Where the file goes; one that is there is kept."""
    stems = [as_file_name(short_name(each)) for each in references]
    proposed = "-".join(["compare" if len(stems) == 2 else "search", *dict.fromkeys(stems)]) + ".toml"
    file = home_written_out(output) if output is not None else Path(proposed)
    if file.suffix != ".toml":
        raise InputError(f"--output {file}: an experiment file is called NAME.toml")
    if not file.absolute().parent.is_dir():
        raise InputError(f"--output {file}: there is no folder {file.parent}")
    if file.exists() and not force:
        raise InputError(f"{file}: is there already; --output FILE names another, --force writes over it")
    return file


@contextlib.contextmanager
def functions_written(references: Sequence[str], folder: Path, *, force: bool) -> Iterator[list[str]]:
    """The models as the file names them, with a file for each function; these go where no experiment comes of it."""
    names, made = [], []
    try:
        for reference in references:
            found = model_of_function(reference, folder)
            if found is None:
                names.append(named_from(folder, reference))
                continue
            path, text = found
            if path.exists() and path.read_bytes() != text.encode() and not force:
                raise InputError(f"{path}: is there already, and is to call {reference}; --force writes over it")
            if not path.exists():
                made.append(path)
            write_text_whole(path, text)
            names.append(path.name)
        yield names
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def named_from(folder: Path, reference: str) -> str:
    """A model as a file in `folder` names it: by a relative path, or as it is where that is none."""
    return with_path_written(reference, lambda place: os.path.relpath(place.absolute(), folder))


def short_name(reference: str) -> str:
    """What a model is called in a file's name and in reports: its function, or the end of its path."""
    path, _, function = reference.rpartition(".py:")
    return function if path else re.sub(r"\.(py|sif)$", "", home_written_out(reference).absolute().name)


def labels_of(references: Sequence[str]) -> tuple[str, ...]:
    """What reports call two functions, which would be called by the files that call them."""
    names = tuple(map(short_name, references))
    return names if any(".py:" in each for each in references) and len(set(names)) == 2 else ()
