"""Records of searches whose points are tried again and again, and the same as earlier versions wrote them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from hypothesis import strategies as st
from test_controller import OBJECTIVE, Listed, deterministic, noisy, result_of, xs

from comparator.errors import ComparatorError
from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.experiment.controller import Controller
from comparator.experiment.simulation import MemoryRecord
from comparator.objective.differences import DIFFERENCES, NoValue
from comparator.results.frozen import FrozenExperiment, ObjectiveWords, Submodel
from comparator.results.record import PILOT, Evaluation, Run
from comparator.strategies.replication import Replication

FROZEN = FrozenExperiment(
    id="try",
    format=3,
    metric="val_loss",
    models=[Submodel(submodel=0, name="a"), Submodel(submodel=1, name="b")],
    objective=ObjectiveWords(name="relative difference of val_loss", maximise=True),
    space=[{"name": "x", "type": "float", "lower": 0, "upper": 9}],
    settings={"cmp": {"difference": "relative"}},
)
#: What lines of earlier versions do not say.
NEW = ("after", "replicates", "unit")
IN_DEVIATIONS = replace(OBJECTIVE, difference=DIFFERENCES["in_deviations"])


def carried_out(
    points: list[int],
    draw: random.Random,
    objective: Any = OBJECTIVE,
    begun: Sequence[Evaluation] = (),
    **asked: Any,
) -> list[Evaluation]:
    """The record of a search of these points whose trainings end in any order, some of them badly.

    `begun` are the lines that it had when it was stopped, and gone on with.
    """
    record = MemoryRecord()
    record.records = list(begun)
    model = deterministic if asked.pop("is_deterministic", False) else noisy
    controller = Controller(record, Listed(xs(*points), ahead=asked.pop("ahead")), objective, **asked)
    waiting = controller.start()
    with suppress(ComparatorError):  # where the first all fail
        while waiting:
            request = waiting.pop(draw.randrange(len(waiting)))
            status = draw.choices(["ok", "failed", "timeout"], [6, 1, 1])[0] if request.evaluation else "ok"
            waiting += controller.tell(result_of(request, model, status))
    return record.records


def as_earlier(lines: list[Evaluation], objective: Any = OBJECTIVE) -> list[Evaluation]:
    """The lines as versions up to format 2 wrote them: each with all replicates of its point that had a value."""
    points: dict[str, dict[int, list[Run]]] = {}
    for line in lines:
        if line.stage == PILOT:  # all of it ends before its first line is written
            points.setdefault(line.point_key, {}).update(valued(asked_by(line), objective))
    of_pilot = [[objective.signed(runs) for runs in known.values()] for known in points.values()]
    found = []
    for line in lines:
        known, own = points.setdefault(line.point_key, {}), asked_by(line)
        earlier = {replicate: runs for replicate, runs in known.items() if replicate not in own}
        known |= valued(own, objective)
        is_ok = line.status == "ok"
        signed = [objective.signed(runs) for _, runs in sorted(known.items())] if is_ok else []
        unit = (pooled_deviation(of_pilot or [signed]) or 0.0) if objective.needs_unit and is_ok else 1.0
        signed = [number / unit for number in signed]
        reused = [run for _, runs in sorted(earlier.items()) for run in runs] if is_ok else []
        interval = mean_interval(signed)
        old = {
            "value": fmean(objective(runs) for runs in known.values()) / unit if is_ok else None,
            "signed": signed,
            "blocks": [runs[0].block for _, runs in sorted(known.items())] if is_ok else [],
            "deviation": pooled_deviation([signed]),
            "interval": None if interval is None else list(interval),
            "runs": [run.model_copy(update={"reused": True}) for run in reused] + list(itertools.chain(*own.values())),
        }
        written = line.as_json() | old | {"runs": [run.as_json() for run in old["runs"]]}
        found.append(Evaluation.model_validate({k: v for k, v in written.items() if k not in NEW}))
    return found


def asked_by(line: Evaluation) -> dict[int, list[Run]]:
    """The runs of the replicates that an evaluation asked for."""
    return {part.replicate: [run for run in line.runs if run.replicate == part.replicate] for part in line.asked or ()}


def valued(replicates: dict[int, list[Run]], objective: Any) -> dict[int, list[Run]]:
    """Those of them that have a value."""
    found = {}
    for replicate, runs in replicates.items():
        with suppress(NoValue):
            objective(runs)
            found[replicate] = runs
    return found


def said(line: Evaluation) -> dict[str, Any]:
    """What a line says, without what earlier versions did not say, and without when."""
    return {key: value for key, value in line.as_json().items() if key not in (*NEW, "started")}


def nearly(line: Evaluation) -> dict[str, Any]:
    """The same, to be compared with: numbers to the last digits but one."""
    numbers = {key: value for key, value in said(line).items() if key in ("value", "deviation", "interval", "signed")}
    close = {key: pytest.approx(value, rel=1e-13, abs=1e-13) for key, value in numbers.items() if value is not None}
    return said(line) | close


SEARCHES = st.fixed_dictionaries(
    {
        "points": st.lists(st.integers(0, 3), min_size=1, max_size=14),
        "ahead": st.integers(1, 5),
        "replication": st.sampled_from([Replication(), Replication(2, 2), Replication(1, 4)]),
        "budget": st.integers(4, 25),
        "is_deterministic": st.booleans(),
        "pilot": st.sampled_from([[], [], [{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 1}]]),
    }
)
