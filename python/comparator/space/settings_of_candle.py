"""The `settings.json` of CANDLE's grid and random workflows, as entries of a space.

```json
{"parameters": {"epochs": [4, 6, 8], "batch_size": [30, 40]}}
{"parameters": {"epochs": [4, 8], "learning_rate": [1e-5, 0.1]}, "samples": {"num": [120]}}
```

The first, of a grid, has the values of each hyperparameter; the second its two ends, and how many points are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import shortened, shown
from comparator.space.entries import element_type_of
from comparator.space.parameters import Entry

PARAMETERS, SAMPLES = "parameters", "samples"


def entries_of(content: Mapping[str, Any], where: str) -> tuple[list[Entry], list[str]]:
    """The entries of a space, and a line on what of the settings is none of it; `where` opens each.

    Raises `InputError` where a hyperparameter has no list of values, or no two ends.
    """
    notes = []
    if SAMPLES in content:
        notes.append(
            f"{where}: '{SAMPLES}' = {shown(content[SAMPLES])} is the budget, which evaluations in [search] says"
        )
    notes += [
        f"{where}: the key '{shortened(key)}' is unknown; ignored"
        for key in content
        if key not in (PARAMETERS, SAMPLES)
    ]
    entries = []
    for name, values in content[PARAMETERS].items():
        own = f"{where}: '{shortened(name)}'"
        if not isinstance(values, list) or not values:
            raise InputError(f"{own} = {shown(values)} {'has no value' if values == [] else 'is not a list of values'}")
        if SAMPLES not in content:
            entries.append(_listed(name, values))
            continue
        entries.append(_drawn(name, values, own))
        if len(values) > 2:
            notes.append(f"{own}: the ends are the first two of {shown(values)}, as in CANDLE")
    return entries, notes


def _listed(name: str, values: list[Any]) -> Entry:
    element_type = element_type_of(values) or "string"
    kind = "ordered" if element_type in ("int", "float") else "categorical"
    return {"name": name, "type": kind, "element_type": element_type, "values": values}


def _drawn(name: str, values: list[Any], where: str) -> Entry:
    ends = values[:2]
    kind = element_type_of(ends)
    if len(ends) < 2 or kind not in ("int", "float"):
        raise InputError(f"{where} = {shown(values)}: with '{SAMPLES}' two numbers are needed, the ends of its range")
    return {"name": name, "type": kind, "lower": ends[0], "upper": ends[1]}
