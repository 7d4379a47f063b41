"""EMA workbench's PRIM (Friedman and Fisher's bump hunting, as scenario discovery has it) on points of a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from comparator.evidence.coordinates import Array, Coordinates

MAJORITY = 0.5  # share of the points in a box that lie beyond the level, at the least
ANY = 1e-9  # as a threshold: every box is given, to be chosen from
FEWEST = 3  # points in a box, and beyond the level
MASS = 0.05  # share of all points that a box holds at the least, as PRIM has it

Points = Sequence[Mapping[str, Any]]


def inside_prim(
    coordinates: Coordinates, points: Points, is_beyond: Array, sample: Points, *, chosen: bool = False
) -> Array:
    """Which of `sample` lie in a box of PRIM's for those of `points` that are beyond the level.

    PRIM's own choice, by the workbench's defaults, is the last box of each trajectory of peels and pastes. With
    `chosen` the trajectory is Friedman and Fisher's, which a false step does not end, and of its boxes the one is taken
    that shares most with the points beyond the level, as a user may choose who sees coverage and density. Another box
    is looked for while the last one was dense enough.
    """
    from ema_workbench.analysis.prim import Prim, PRIMObjectiveFunctions

    objectives = PRIMObjectiveFunctions
    search = Prim(
        _table(coordinates, points),
        np.asarray(is_beyond, dtype=int),
        threshold=ANY if chosen else MAJORITY,
        obj_function=objectives.ORIGINAL if chosen else objectives.LENIENT1,
        mass_min=max(MASS, FEWEST / len(points)),
    )
    inside = np.zeros(len(sample), dtype=bool)
    table = _table(coordinates, sample)
    left = np.asarray(is_beyond, dtype=bool).copy()
    while left.sum() >= FEWEST:
        box = search.find_box()
        if box is None or box.mean < search.threshold:
            break
        if chosen:
            box.select(_most_shared(box.peeling_trajectory, int(left.sum())))
            if box.density < MAJORITY or box.coverage * is_beyond.sum() < FEWEST:
                break
        inside |= _holds(box.box_lim, search.box_init, table)
        left[box.yi] = False
    return inside


def _table(coordinates: Coordinates, points: Points) -> Any:
    """Numbers and ordered lists as fractions of their range, categories as texts."""
    import pandas as pd

    rows = coordinates.of(points)
    return pd.DataFrame(
        {
            name: [f"value {place:g}" for place in rows[:, column]]
            if coordinates.is_category[column]
            else rows[:, column]
            for column, name in enumerate(coordinates.names)
        }
    )


def _most_shared(trajectory: Any, beyond: int) -> int:
    return int((trajectory["k"] / (trajectory["n"] + beyond - trajectory["k"])).to_numpy(dtype=float).argmax())


def _holds(limits: Any, whole: Any, table: Any) -> Array:
    """Which rows lie within the limits; a limit that is that of all points leaves its side open."""
    inside = np.ones(len(table), dtype=bool)
    for name in limits.columns:
        low, high = limits[name]
        if isinstance(low, set):
            inside &= table[name].isin(low if low != whole[name][0] else set(table[name])).to_numpy()
            continue
        if low != whole[name][0]:
            inside &= (table[name] >= low).to_numpy()
        if high != whole[name][1]:
            inside &= (table[name] <= high).to_numpy()
    return inside
