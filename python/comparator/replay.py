"""The search of an experiment done again on noise alone: same strategy, budget and rules, other seeds, no training."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from comparator.evidence.luck import Luck, Noise, luck_alone
from comparator.evidence.replicates import pooled_deviation
from comparator.experiment import CONFIRM, Experiment, Runs
from comparator.plan import PILOT_SEEDS, Plan
from comparator.settings import is_own_algorithm
from comparator.space import Point
from comparator.store import pairs_in

SIGNED = "signed"


def measure_luck(plan: Plan, records: Sequence[Mapping[str, Any]]) -> Luck | None:
    """How far luck alone would bring a search of this size; None where the noise is not known, or is none.

    The noise is the deviation within points, pooled; the mean that of the points' means.
    """
    searched = [record for record in records if record["stage"] != CONFIRM and record.get(SIGNED)]
    points = {json.dumps(record["point"], sort_keys=True): record[SIGNED] for record in searched}
    deviation = pooled_deviation(list(points.values()))
    if not deviation:
        return None
    noise = Noise(fmean(map(fmean, points.values())), deviation, plan.objective.worth)
    pairs = pairs_in(records)
    # The user's own algorithm may keep things to itself from one call to the next.
    own = is_own_algorithm(plan.frozen["strategy"]["name"])
    again = None if own else lambda number: _search_again(plan, noise, pairs, number)
    return luck_alone(noise, again, [len(each) for each in points.values()])


def _search_again(plan: Plan, noise: Noise, pairs: int, number: int) -> float | None:
    """The best value of a search on noise; None where it has none."""
    rng = random.Random(f"luck {number}")
    record = MemoryRecord()
    experiment = Experiment(
        record,
        plan.strategy(seed=plan.frozen["strategy"]["seed"] + 1 + number),
        SignedNumber(noise.worth),
        budget=pairs,
        space_size=plan.space_size,
        replication=plan.replication,
        pilot=plan.pilot,
        pilot_seeds=PILOT_SEEDS,
        space=plan.space,
    )
    carry_out(experiment, lambda point: noise.draw(rng))
    latest = {json.dumps(line["point"], sort_keys=True): line["value"] for line in record.records}
    return min((value for value in latest.values() if value is not None), default=None)


def carry_out(experiment: Experiment, measure: Callable[[Point], float]) -> None:
    """Carry an experiment out, first come first served: a replicate at a point gives `measure(point)`, signed."""
    waiting = deque(experiment.start())
    while waiting:
        asked = json.loads(waiting.popleft())
        metrics = {SIGNED: measure(asked["point"])}
        run = {"submodel": 0, "replicate": asked["replicate"], "status": "ok", "metrics": metrics, "reused": False}
        outcome = {"status": "ok", "runs": [run], "started": "", "seconds": 0.0, "worker": "", "reason": None}
        waiting += experiment.tell(json.dumps({**asked, **outcome}))
    experiment.close()


class MemoryRecord:
    """A record that is kept nowhere."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.evaluations = Path("memory")

    def append(self, record: Mapping[str, Any]) -> None:
        self.records.append(dict(record))


class SignedNumber:
    """The objective of runs that report nothing but a signed difference; `worth` turns it into what is minimised."""

    in_deviations = False

    def __init__(self, worth: Callable[[float], float]) -> None:
        self._worth = worth

    def __call__(self, runs: Runs) -> float:
        return self._worth(runs[0]["metrics"][SIGNED])

    def signed(self, runs: Runs) -> float:
        number: float = runs[0]["metrics"][SIGNED]
        return number
