"""Searches of stages, with strategies and models that take no time, and who carries them out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from test_controller import BARE, xs

from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Observation, Paired
from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.results.frozen import Claim
from comparator.results.points import observations_in, values_of
from comparator.results.record import Evaluation
from comparator.results.requests import Request, Result
from comparator.results.store import ExperimentFolder

Model = Callable[[dict[str, Any]], tuple[float, float]]


def noisy(asked: dict[str, Any]) -> tuple[float, float]:
    """Losses 1 and about 2 + x."""
    return 1.0, 2.0 + asked["point"]["x"] + random.Random(f"{asked['point']} {asked['replicate']}").gauss(0, 0.1)


def deterministic(asked: dict[str, Any]) -> tuple[float, float]:
    return 1.0, 2.0 + asked["point"]["x"]


class Worker:
    """Carries out requests; remembers what it was asked, and what of that it had trained before."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.asked: list[dict[str, Any]] = []
        self.trained: set[str] = set()

    def result(self, request: Request, status: str = "ok") -> Result:
        asked = request.model_dump()
        self.asked.append(asked)
        run = json.dumps([asked["point"], asked["replicate"], asked["split"]])
        found = run in self.trained
        if status == "ok":
            self.trained.add(run)
        runs = [
            {
                "submodel": number,
                "replicate": asked["replicate"],
                "block": asked["block"],
                "status": status,
                "metrics": {"val_loss": loss} if status == "ok" else {},
                "reused": found,
                "reason": None,
                **({} if asked["split"] is None else {"split": 1 + asked["split"]}),
            }
            for number, loss in enumerate(self.model(asked))
        ]
        reason = None if status == "ok" else "it broke"
        fixed = {"started": "2026-01-01T00:00:00.000Z", "seconds": 2.0, "worker": "w", "reason": reason, "value": None}
        return Result.model_validate({**asked, **fixed, "runs": runs, "status": status})

    def finish(self, controller: Controller, *, at_most: int = 10**6) -> list[Request]:
        """Carry out up to `at_most` requests, first come first served; returns those left."""
        waiting = controller.start()
        while waiting and at_most:
            waiting += controller.tell(self.result(waiting.pop(0)))
            at_most -= 1
        return waiting


def two_best(records: Any) -> list[Claim]:
    best = [(line.point, line.value or 0.0) for line in values_of(records).values()]
    paired = Paired.of([Observation(*each) for each in observations_in(records)])
    return find_claims(None, paired, best, Asked(points=2, blocks=3, regions=False, elsewhere=True))


AnyWorker = TypeVar("AnyWorker", bound=Worker)


STAGES: dict[str, Any] = {
    "budget": 20,
    "pilot": xs(2, 8),
    "to_confirm": ToConfirm(two_best, None, splits=True),
}
POINTS = xs(1, 2, 3, 9, 9.5, 4, 3, 6, 5, 1, 9, 0, 8, 7)


def lines(folder: ExperimentFolder, stage: str = "search") -> list[Evaluation]:
    return [line for line in folder.records if line.stage == stage]


def stopped_anywhere(
    path: Path, controller: Callable[[ExperimentFolder], Controller], worker: Callable[[], AnyWorker]
) -> Iterator[tuple[ExperimentFolder, AnyWorker]]:
    """What a whole search has recorded and who carried it out; then the same of one that was stopped and gone on with.

    That is done after each of its results, and once more where there is nothing left to do.
    """
    with closing(ExperimentFolder.create(path, "whole", None, BARE)) as whole:
        first = worker()
        first.finish(controller(whole))
        yield whole, first
        for stopped_after in range(len(first.asked) + 1):
            again = worker()
            with closing(ExperimentFolder.create(path, "stopped", None, BARE)) as folder:
                again.finish(controller(folder), at_most=stopped_after)
            with closing(ExperimentFolder(folder.path)) as folder:
                again.finish(controller(folder))
                yield folder, again
                once_more = worker()
                once_more.finish(controller(folder))
                assert not once_more.asked
