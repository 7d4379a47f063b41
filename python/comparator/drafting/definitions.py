"""Find what a model takes: its hyperparameters with their types, defaults and what is said of them.

Told by, the more certain later: its source (`argparse`, the lists of definitions of CANDLE and IMPROVE, what `run`
takes out of its dict), the files of settings that its scripts name, its default-model file, its
`initialize_parameters()`, and its description.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.hyperparameters import read_hyperparameters
from comparator.formats.spelling import as_kept, is_same, spelling
from comparator.model.definitions import TYPES, Definition, typed
from comparator.model.model import Model, told_by
from comparator.model.own_files.told import unreadable_settings
from comparator.model.probe import cannot_be_run
from comparator.model.runners.warm import ServerEnded, WarmRunner
from comparator.site.profile import Slot


def find_definitions(
    model: Model, slot: Slot, data_folder: Path, doubt: Callable[[str], None] = lambda words: None
) -> dict[str, Definition]:
    """The hyperparameters of a model by name, as it writes them, in the order of the most certain source.

    A default-model file, or one of settings, that cannot be read is told to `doubt` in a line, and passed over.
    Raises `InputError` where its module cannot be imported.
    """
    sources: list[Iterable[Definition]] = [_described(model)]
    if model.own_command is None and model.stages is None:  # else they have told what they take
        sources += [_defaults(model, slot, data_folder), _of_file(model, doubt), told_by(model)]
        for fault in unreadable_settings(model.path) if model.is_folder else ():
            doubt(f"{fault}; so what it sets is passed over")
    found: dict[str, Definition] = {}
    for source in sources:
        for definition in source:
            name = spelling(definition.name, found)
            found[name] = found[name].over(definition) if name in found else definition
    if model.variant is not None:  # its module and its files tell of the other variants too
        found = {name: found[name] for name in found if name in model.description.names}
    # To a module values come as they are, and to steps as the words that they read.
    has_words = model.module is None and model.own_command is None and model.stages is None
    return {name: typed(each if has_words else replace(each, builtin=None)) for name, each in found.items()}


def _described(model: Model) -> Iterator[Definition]:
    for name, each in model.description.hyperparameters.items():
        more = each.model_extra or {}
        values = more.get("values") or more.get("choices") or ()
        yield Definition(
            name,
            TYPES.get(each.type, each.type),
            more.get("default"),
            each.description,
            tuple(values) if isinstance(values, list | tuple) else (),
            each.effect != "none",
        )


def _defaults(model: Model, slot: Slot, data_folder: Path) -> list[Definition]:
    """What `initialize_parameters()` tells, by a server that imports the module."""
    if model.module is None:
        return []
    runner = WarmRunner(model, slot, data_folder)
    with tempfile.TemporaryDirectory() as folder:
        try:
            defaults = runner.defaults(Path(folder) / "model.log") or {}
        except ServerEnded as ended:
            raise cannot_be_run(model, ended) from None
        finally:
            runner.close()
    return [Definition(as_kept(name), default=value) for name, value in defaults.items()]


def _of_file(model: Model, doubt: Callable[[str], None]) -> list[Definition]:
    """What CANDLE's default-model file says, one that lies in the model's folder and is called after it.

    Other files may be called alike: one that cannot be read is passed over, which `doubt` is told.
    """
    if not model.is_folder:
        return []
    names = ("*default_model*.txt", "*_model.txt", "*_params.txt")
    for path in dict.fromkeys(path for pattern in names for path in sorted(model.path.glob(pattern))):
        try:
            given = read_hyperparameters(path)
        except InputError as error:
            doubt(f"{error}; so its defaults are passed over")
            continue
        return [Definition(name, default=value) for name, value in given.items()]
    return []


def shared(known: Sequence[Mapping[str, Definition]]) -> dict[str, Definition]:
    """What all models take; of those of which nothing is known it is not doubted that they take it too."""
    telling = [each for each in known if each]
    if not telling:
        return {}
    first, *others = telling
    found = {}
    for name, definition in first.items():
        alike = [each[other] for each in others for other in each if is_same(name, other)]
        if len(alike) == len(others):
            for each in alike:
                definition = definition.over(each)
            found[name] = definition
    return found
