"""The search of an experiment done again on noise alone: same strategy, budget and rules, other seeds, no training."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from comparator.evidence.luck import Luck, Noise, luck_alone
from comparator.evidence.replicates import pooled_deviation
from comparator.experiment import Experiment, Runs
from comparator.plan import PILOT_SEEDS, Plan
from comparator.points import best_of, done_in, values_of
from comparator.record import Evaluation, Metrics, Request, Result, Run, as_text
from comparator.settings import is_own_algorithm
from comparator.space import Point

SIGNED = "signed"


def measure_luck(plan: Plan, records: Sequence[Evaluation]) -> Luck | None:
    """How far luck alone would bring a search of this size; None where the noise is not known, or is none.

    The noise is the deviation within points, pooled; the mean that of the points' means.
    """
    points = [record.signed for record in values_of(records).values() if record.signed]
    deviation = pooled_deviation(points)
    if not deviation:
        return None
    noise = Noise(fmean(map(fmean, points)), deviation, plan.objective.worth)
    pairs = done_in(records)
    # The user's own algorithm may keep things to itself from one call to the next.
    own = is_own_algorithm(plan.frozen.strategy.name)
    again = None if own else lambda number: _search_again(plan, noise, pairs, number)
    return luck_alone(noise, again, [len(each) for each in points])


def _search_again(plan: Plan, noise: Noise, pairs: int, number: int) -> float | None:
    """The best value of a search on noise; None where it has none."""
    rng = random.Random(f"luck {number}")
    record = MemoryRecord()
    experiment = Experiment(
        record,
        plan.strategy(seed=plan.frozen.strategy.seed + 1 + number),
        SignedNumber(noise.worth),
        budget=pairs,
        space_size=plan.space_size,
        replication=plan.replication,
        pilot=plan.pilot,
        pilot_seeds=PILOT_SEEDS,
        space=plan.space,
    )
    carry_out(experiment, lambda point: noise.draw(rng))
    return next((best.value for best in best_of(record.records)), None)


def carry_out(experiment: Experiment, measure: Callable[[Point], float]) -> None:
    """Carry an experiment out, first come first served: a replicate at a point gives `measure(point)`, signed."""
    waiting = deque(experiment.start())
    while waiting:
        asked = Request.model_validate_json(waiting.popleft())
        metrics: Metrics = {SIGNED: measure(asked.point)}
        run = Run(submodel=0, replicate=asked.replicate, status="ok", metrics=metrics)
        result = Result(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            status="ok",
            started="",
            seconds=0.0,
            worker="",
            runs=[run],
        )
        waiting += experiment.tell(as_text(result))
    experiment.close()


class MemoryRecord:
    """A record that is kept nowhere."""

    def __init__(self) -> None:
        self.records: list[Evaluation] = []
        self.evaluations = Path("memory")

    def append(self, record: Evaluation) -> None:
        self.records.append(record)


class SignedNumber:
    """The objective of runs that report nothing but a signed difference; `worth` turns it into what is minimised."""

    in_deviations = False

    def __init__(self, worth: Callable[[float], float]) -> None:
        self._worth = worth

    def __call__(self, runs: Runs) -> float:
        return self._worth(self.signed(runs))

    def signed(self, runs: Runs) -> float:
        number = runs[0].metrics[SIGNED]
        assert number is not None
        return number
