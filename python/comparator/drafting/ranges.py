"""Propose what a hyperparameter is varied over, by its type, its default and its name; read what a user wants instead.

A proposal is an entry of a parameter space. It is a first guess, made wide: half a decade or so to each side of a
default, on a logarithmic scale where sizes and rates are meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.hyperparameters import parse_value
from comparator.formats.slips import misspelt
from comparator.formats.spelling import WORKFLOW, is_same, spelling
from comparator.formats.text import shortened, shown
from comparator.model.definitions import EITHER, Definition
from comparator.space import ParameterSpace

Entry = dict[str, Any]

#: What is no setting of a model but of how it is run, or where its files are.
NO_SETTING = (
    r"seed|split|fold|_dir$|^dir|path|folder|file|(^|_)(id|out|output|input|save|log|verbose|debug|jobs?|threads?|workers?"
    r"|gpus?|cuda|device|patience|timeout|cp|cache|url|format|columns?|metrics?|metric_name|profiling|tol)(_|$)|^n_jobs$|state"
)
#: By what its name says: lower bound, upper bound, whether on a logarithmic scale. The first that fits counts.
USUAL: tuple[tuple[str, tuple[float, float, bool]], ...] = (
    (r"dropout|drop_?rate|(^|_)drop$", (0.0, 0.8, False)),
    (r"learning_?rate|(^|_)lr(_|$)|(^|_)eta", (1e-4, 1e-1, True)),
    (r"alpha|lambda|ridge|decay|penalty|regulari|(^|_)(reg|l1|l2|c)$", (1e-4, 1e2, True)),
    (r"momentum|beta", (0.0, 0.99, False)),
    (r"subsample|fraction|ratio|share|max_features|max_samples|train_size", (0.1, 1.0, False)),
    (r"noise", (0.0, 1.0, False)),
)
SIZES = r"layer|units?|width|hidden|neurons|dim|size|estimators|trees|leaves|components|channels|filters|batch"
#: Of how much data a training has: there may be no more than by default.
ROWS = r"rows|n_train|samples|train_size|sample_size"
#: What tells most of two models comes first, what is bought by it last.
FIRST = (
    r"noise",
    r"layer|units|width|hidden|estimators|trees|leaves",
    r"learning_?rate|(^|_)lr(_|$)",
    r"alpha|lambda|ridge|decay|penalty|regulari|(^|_)c$",
    r"drop",
    r"depth",
    rf"{ROWS}|fraction|subsample",
)
LAST = r"epoch|iter|batch"
#: Why a script cannot be told of a value by a word.
UNREAD = {
    "bool": "its script takes every word for true, 'False' too (type=bool)",
    "list": "its script makes a list of a word's letters (type=list)",
}
MOST = 1e12  # of a default: what is larger stands for infinity
MOST_VARIED = 2  # that are proposed unasked: what some fifty evaluations see


def proposals(known: Mapping[str, Definition], *, without: frozenset[str] | set[str] = frozenset()) -> dict[str, Entry]:
    """An entry for each hyperparameter that can be varied, what tells most of two models first."""
    found = {
        name: entry
        for name, definition in known.items()
        if not any(is_same(name, other) for other in without) and (entry := propose(definition)) is not None
    }
    return dict(sorted(found.items(), key=lambda each: (each[1]["type"] not in ("int", "float"), _rank(each[0]))))


def most_telling(proposed: Mapping[str, Entry]) -> list[Entry]:
    """Those of the proposals that are taken unasked: the first ones, each of another kind than those before it."""
    of_each_kind: dict[int, Entry] = {}
    for name, entry in proposed.items():
        of_each_kind.setdefault(_rank(name), entry)
    return list(of_each_kind.values())[:MOST_VARIED]


def propose(definition: Definition) -> Entry | None:
    """What to vary a hyperparameter over; None where nothing is known that would tell, or it is no setting."""
    name = definition.name
    if definition.builtin is not None:
        return None
    if not definition.has_effect or name.casefold() in WORKFLOW or name.startswith("ckpt_") or _says(NO_SETTING, name):
        return None
    entry = _proposed(definition)
    try:
        if entry is not None:
            ParameterSpace.from_entries([entry], "proposed")
    except InputError:  # a name or a default that no space can have
        return None
    return entry


def _proposed(definition: Definition) -> Entry | None:
    name, default = definition.name, definition.default
    if definition.choices:
        return _of_values(name, list(definition.choices))
    if definition.type == "bool":
        return {"name": name, "type": "logical"}
    if default is not None and (
        not isinstance(default, int | float) or isinstance(default, bool) or abs(default) > MOST
    ):
        return None
    if definition.type == EITHER:
        return _whole(name, default) if _usual(name) is None else _fraction(name, default, definition.description)
    if definition.type == "int" or (definition.type == "any" and default is None and _says(SIZES, name)):
        return _whole(name, default)
    if definition.type in ("float", "any"):
        return _fraction(name, default, definition.description)
    return None


def _not_known(name: str, known: Mapping[str, Definition], of_each: Sequence[Mapping[str, Definition]]) -> str:
    """That `name` cannot be varied, since it is none of `known`, which all of the models `of_each` have."""
    having = next((number for number, each in enumerate(of_each) if spelling(name, each) in each), None)
    names = shortened(", ".join(known))
    if having is None:
        return f"no such hyperparameter{nearest(name, known) or f'; there are {names}'}"
    alone = f"the {('first', 'second')[having]} model alone has it; cmp_{having}_{shortened(name)} varies it there"
    return f"{alone} (both have {names})"


def read_vary(text: str, known: Mapping[str, Definition], of_each: Sequence[Mapping[str, Definition]] = ()) -> Entry:
    """The entry that `NAME=LOWER:UPPER`, `NAME=LOWER:UPPER:log` or `NAME=VALUE,VALUE,...` says.

    `NAME` alone takes what is proposed for it; `cmp_0_NAME` is of the first model alone, of those that are known
    `of_each`. Raises `InputError`, also for a name that is none of those that are known, where any are.
    """
    where = f"--vary {shortened(text)}"
    written, given, said = text.partition("=")
    name = spelling(written.strip(), known)
    bare = re.sub(r"^cmp_([01]_)?", "", name)
    own = re.match(r"cmp_([01])_", name)
    known = of_each[int(own[1])] if own and int(own[1]) < len(of_each) else known
    definition = known.get(name) or known.get(spelling(bare, known))
    meant = misspelt(bare, known)
    if meant is not None:
        raise InputError(f"{where}: no such hyperparameter (did you mean '{meant}'?)")
    if definition is None and known and bare.isidentifier() and bare.casefold() not in WORKFLOW:
        raise InputError(f"{where}: {_not_known(bare, known, () if own else of_each)}")
    if definition is not None and definition.builtin is not None:
        raise InputError(f"{where}: it cannot be varied: {UNREAD[definition.builtin]}")
    if not given:
        entry = None if definition is None else propose(definition)
        if entry is None:
            hint = nearest(name, known) if definition is None else ""
            raise InputError(f"{where}: nothing is known to propose{hint}; say it, as {name}=0:50 or {name}=a,b")
        return {**entry, "name": name}
    usual = propose(definition or Definition(bare))
    said_type = None if definition is None or definition.type in ("any", EITHER) else definition.type
    kind = said_type or (usual or {}).get("type")
    parts = [part.strip() for part in said.split(":")]
    if len(parts) == 1:
        written_values = said.split(",")
        if not all(each.strip() for each in written_values):
            raise InputError(f"{where}: a value is missing; say it, as {name}=0:50 or {name}=a,b")
        values = [parse_value(each, where) for each in written_values]
        _check_type(values, definition, where)
        _check_varied(values, where)
        entry = _of_values(name, values) or {"name": name, "type": "constant", "value": values[0]}
    else:
        bounds = [parse_value(part, where) for part in parts[:2]]
        if any(isinstance(bound, bool) or not isinstance(bound, int | float) for bound in bounds):
            raise InputError(f"{where}: a range is LOWER:UPPER, two numbers; with :log behind it on a log scale")
        if parts[2:] not in ([], ["log"]):
            raise InputError(f"{where}: behind LOWER:UPPER there may stand :log, not :{shortened(':'.join(parts[2:]))}")
        _check_type(bounds, definition, where)
        _check_varied(bounds, where)
        is_whole = kind != "float" and bounds != [0, 1] and all(isinstance(bound, int) for bound in bounds)
        entry = _number(name, *bounds, whole=is_whole, log=len(parts) == 3)
    ParameterSpace.from_entries([entry], where)
    return entry


def _check_type(values: Sequence[Any], definition: Definition | None, where: str) -> None:
    """See to it that what takes numbers is given numbers, and what takes whole ones whole ones."""
    if definition is None or definition.type not in ("int", "float", EITHER):
        return
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}: {definition.name} takes numbers, and {shown(value)} is none")
        # A default of 0 or 1 is often written so where any number between will do.
        if definition.type == "int" and definition.default not in (0, 1) and value != int(value):
            raise InputError(f"{where}: {definition.name} takes whole numbers, and {shown(value)} is none")


def _check_varied(values: Sequence[Any], where: str) -> None:
    if len(values) > 1 and all(value == values[0] for value in values):
        raise InputError(f"{where}: {shown(values[0])} and {shown(values[-1])} are the same, so nothing is varied")


def words(entry: Mapping[str, Any]) -> str:
    """What an entry varies over, as `read_vary` reads it."""
    if entry["type"] in ("int", "float"):
        scale = ":log" if entry.get("use_log_scale") else ""
        return (
            f"{entry['lower']:g}:{entry['upper']:g}{scale}"
            if entry["type"] == "float"
            else (f"{entry['lower']}:{entry['upper']}{scale}")
        )
    if entry["type"] == "constant":
        return str(entry["value"])
    return ",".join(map(str, entry.get("values", [False, True])))


def middle(entry: Mapping[str, Any]) -> Any:
    """The value in the middle of what an entry varies over."""
    return ParameterSpace.from_entries([dict(entry)], "space").at([0.5])[entry["name"]]


def _rank(name: str) -> int:
    if _says(LAST, name):
        return len(FIRST) + 1
    return next((place for place, part in enumerate(FIRST) if _says(part, name)), len(FIRST))


def _says(words: str, name: str) -> bool:
    """Whether a name, or a part of the way to a setting of a table (`optimizer.lr`), says one of the words."""
    return re.search(words, name.replace(".", "_"), re.IGNORECASE) is not None


def _of_values(name: str, values: list[Any]) -> Entry | None:
    """A list of values: in an order where they are numbers."""
    if {str(value).lower() for value in values} == {"false", "true"}:
        return {"name": name, "type": "logical"}
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if len(set(map(str, values))) < 2:
        return None
    if not numbers:
        return {"name": name, "type": "categorical", "element_type": "string", "values": [str(v) for v in values]}
    kind = "int" if all(isinstance(value, int) for value in values) else "float"
    return {"name": name, "type": "ordered", "element_type": kind, "values": values}


def _number(name: str, lower: float, upper: float, *, whole: bool, log: bool) -> Entry:
    entry: Entry = {"name": name, "type": "int" if whole else "float", "lower": lower, "upper": upper}
    return {**entry, "use_log_scale": True} if log else entry


def _whole(name: str, default: Any) -> Entry | None:
    if default is None:
        return _number(name, 8, 512, whole=True, log=True) if _says(SIZES, name) else None
    if default < 0 or default != int(default):
        return None
    default = int(default)
    if default >= 8 and _says(ROWS, name):
        return _number(name, max(1, default // 10), default, whole=True, log=True)
    if default >= 8:
        return _number(name, max(1, default // 4), default * 4, whole=True, log=True)
    return _number(name, min(1, default), max(2 * default, default + 3), whole=True, log=False)


def _fraction(name: str, default: Any, description: str) -> Entry | None:
    usual = _usual(name)
    if usual is None and default is None:
        return None
    is_percent = re.search(r"per ?cent|%", description) is not None
    if usual is not None:
        lower, upper, log = usual
        if "noise" in name.lower() and is_percent:
            upper = 50.0
        if log and default is not None and default > 0:
            lower, upper = _decades(default, 1)
        if default is None or lower <= default <= upper:
            return _number(name, lower, upper, whole=False, log=log)
    if default == 0:
        return _number(name, 0.0, 50.0 if is_percent else 1.0, whole=False, log=False)
    if default < 0:
        return _number(name, 2.0 * default, 0.0, whole=False, log=False)
    if default < 0.05:
        return _number(name, *_decades(default, 1), whole=False, log=True)
    if default <= 1:
        return _number(name, 0.0, 1.0, whole=False, log=False)
    return _number(name, _neat(default / 4), _neat(default * 4), whole=False, log=True)


def _usual(name: str) -> tuple[float, float, bool] | None:
    return next((bounds for words, bounds in USUAL if _says(words, name)), None)


def _decades(value: float, count: int) -> tuple[float, float]:
    return _neat(value / 10**count), _neat(value * 10**count)


def _neat(value: float) -> float:
    """A number of two digits."""
    return float(f"{value:.1e}") if value and math.isfinite(value) else value
