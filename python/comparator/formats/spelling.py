"""How the names of hyperparameters are spelt. Standard library only, as `hyperparameters` is.

A name is kept as its user wrote it, and matched whatever its case: `LR` of a file, `lr` of a parameter space and `Lr`
of a model are one hyperparameter, which the model is given as it writes it itself. So two names that differ in case
alone never stand beside each other in one place.

The names that CANDLE and the Comparator have given a meaning (`WORKFLOW`, `ckpt_*`) and the prefixes of submodels are
in lower case, whatever the user's writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from comparator.errors import InputError
from comparator.formats.text import shown

#: Names that any CANDLE model takes, whatever its own description says; `ckpt_*` are known too.
COMMON = frozenset(
    {"train_bool", "experiment_id", "run_id", "verbose", "logfile", "shuffle", "rng_seed", "timeout"}
    | {"data_type", "output_dir", "model_name", "config_file"}
)
#: Names that belong to the comparison itself and that no submodel is given.
NOT_PASSED_DOWN = frozenset({"data_type", "data_dir", "save", "instance_directory", "framework", "model_name"})
#: Names that tell a workflow what to run, or whose values do not survive a command line; no flags.
NOT_FLAGS = frozenset({"id", "candle_image", "solr_root"})
#: The names of a file of hyperparameters that lie below all others.
CONFIG_FILE = ("config", "config_file")
#: All names that have a meaning of their own here; `input_dir` is what IMPROVE calls the data folder.
WORKFLOW = COMMON | NOT_PASSED_DOWN | NOT_FLAGS | {*CONFIG_FILE, "input_dir"}

_PREFIX = re.compile(r"(cmp_([01]_)?)?", re.IGNORECASE)

Value = TypeVar("Value")


def as_kept(name: str) -> str:
    """The name of a hyperparameter as it is kept: as written, but for prefixes and the names of `WORKFLOW`."""
    own = without_prefix(name)
    common = own.lower()
    return name.removesuffix(own).lower() + (common if common in WORKFLOW or common.startswith("ckpt_") else own)


def without_prefix(name: str) -> str:
    """The name of a hyperparameter without the prefix that says which submodels it is of."""
    prefix = _PREFIX.match(name)
    assert prefix is not None
    return name[prefix.end() :]


def is_same(one: str, other: str) -> bool:
    """Whether two names are one but for their case."""
    return one.casefold() == other.casefold()


def spelling(name: str, known: Iterable[str]) -> str:
    """The one of the known names that `name` is, as it is or in another case; else `name` itself."""
    listed = list(known)
    return name if name in listed else next((each for each in listed if is_same(each, name)), name)


def merged(*sources: Mapping[str, Value]) -> dict[str, Value]:
    """The hyperparameters of all sources: of one that several give, whatever its case, the last source's counts."""
    together: dict[str, tuple[str, Value]] = {}
    for source in sources:
        together.update({name.casefold(): (name, value) for name, value in source.items()})
    return dict(together.values())


def check_once(names: Iterable[str], where: str) -> None:
    """Raise `InputError` where a name stands twice, as it is or in another case; `where` opens its line."""
    earlier: dict[str, str] = {}
    for name in names:
        other = earlier.get(name.casefold())
        if other is not None:
            if other == name:
                raise InputError(f"{where}: {shown(name)} stands twice")
            raise InputError(
                f"{where}: {shown(other)} and {shown(name)} differ in case alone, and are one hyperparameter"
            )
        earlier[name.casefold()] = name
