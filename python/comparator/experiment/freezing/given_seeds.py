"""The hyperparameters by which a model takes the seed of a run, parts of it, and that of the data split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.engine.given import DEFAULT_SEED, UNSET
from comparator.errors import InputError
from comparator.formats.slips import misspelt
from comparator.formats.text import shortened, shown
from comparator.model.model import Model
from comparator.model.probe import LIKELY_SEEDS


def doubt_seed(model: Model, varied: Sequence[str]) -> list[str]:
    seed = model.description.seed
    if seed is None and not model.is_ready:
        return []
    known = model.description.hyperparameters
    if model.own_command is not None and known:  # else a name that is passed for nothing does no harm
        unknown = [f"{key} = '{shortened(name)}'" for key, name in _that_take_seeds(model) if name not in known]
        if unknown:
            return [
                f"{model.description_file}: {', '.join(unknown)}: the script that it calls has no such flag that can be"
                " seen; it is passed on, and ends trainings that do not know it"
            ]
    if seed is None:
        names = f"its {model.description_file.name} can name one"
        return [f"{model.name} takes no seed that is known ({names}): all its runs are alike to us"]
    if seed in varied:
        return [f"the space varies '{seed}', which is the seed of {model.name}: replicates vary it too"]
    return []


def check_seed(model: Model, given: Mapping[str, Any], source: Path) -> None:
    """Raise `InputError` where what takes a seed is a slip of another name, or the seed that is given is none."""
    for key, name in _that_take_seeds(model):
        # `seed` is no slip of a `speed`.
        meant = None if name in LIKELY_SEEDS else misspelt(name, model.description.hyperparameters)
        if meant is not None:
            raise InputError(
                f"{model.description_file}: {key} = '{shortened(name)}': the model has no such hyperparameter"
                f" (did you mean '{meant}'?)"
            )
    parts = [name for name in (model.description.seeds or {}).values() if given.get(name) not in UNSET]
    for name in (model.description.seed or "rng_seed", *parts):
        value = given.get(name, DEFAULT_SEED)
        if not str(value).isdigit():
            raise InputError(f"{source}: {name} = {shown(value)}: must be a whole number from 0")


def _that_take_seeds(model: Model) -> list[tuple[str, str]]:
    """The keys of a description that name what takes a seed, with these names."""
    told = model.description
    parts = {f"seeds.{part}": own for part, own in (told.seeds or {}).items()}
    named = {"seed": told.seed, "split": told.split, **parts}
    return [(key, name) for key, name in named.items() if name is not None]


def parts_of_seed(model: Model) -> dict[str, str] | None:
    """The hyperparameters that take a part of the seed; None where the model does not tell."""
    return None if model.description.seeds is None else dict(model.description.seeds.items())


def split_of(model: Model, given: Mapping[str, Any], source: Path) -> str | None:
    """The hyperparameter that takes the seed of the data split; None where there is none, or it changes nothing."""
    name, fixed = model.description.split, model.description.split_fixed
    if name is None or any(given.get(key) == value for key, value in fixed.items()):
        return None
    if not str(given.get(name, DEFAULT_SEED)).isdigit():
        raise InputError(f"{source}: {name} = {shown(given[name])}: must be a whole number from 0")
    return name
