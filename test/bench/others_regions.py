"""`level_set` beside the level-set searches of others: overlap with a planted truth, as `planted.py` has it.

    python test/bench/others_regions.py [--searches level_set straddle mutual_information volume sobol]
        [--cases held-out] [--deviation 0.084] [--evaluations 56] [--repeats 200 208] [--processes 2] --record FILE

It takes `pip install botorch`, which the Comparator does not need. The others' points are chosen by the acquisition
functions that AEPsych has for level sets, on a Gaussian process of BoTorch (`SingleTaskGP`, its own priors and fit):
the straddle (Bryan et al., 2005), and one step ahead over the whole space the information gained on what lies above
the level ("GlobalMI") and the change of its volume ("EAVC"), both in closed form for normal noise (Letham et al.,
2022). They are told the true level, halfway between the planted differences, which `level_set` has to find. They begin
with ten points of a Sobol sequence, and choose among as many points as `level_set` does; one may be tried again.

Each search is read in three ways, on the same places: by boxes and by place as the Comparator reads evaluations, and by
the other's own Gaussian process at the true level (inside is what is likelier above it than not).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import random
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from planted import Trial, chosen_cases, evaluated, mean_overlap, standard_error, strategy_of
from planted_model import CASES, INSIDE, OUTSIDE
from scipy.special import ndtr, xlogy

from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.paired import Paired
from comparator.evidence.reading import overlap, read_regions
from comparator.space import ParameterSpace, Point
from comparator.strategies import STRATEGIES, Proposal, Strategy
from comparator.strategies.sampling import sobol_points

LEVEL = (INSIDE + OUTSIDE) / 2
FIRST = 10
#: Candidates drawn each time out of so many, and the places over which a step ahead is looked at.
POOL, CANDIDATES, PLACES = 2048, 400, 512
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(8)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
#: Results between two fits of the process's hyperparameters.
REFIT = 4
TINY = 1e-9


class Process:
    """BoTorch's Gaussian process of values told so far; categories are columns of 0 and 1."""

    def __init__(self, space: ParameterSpace) -> None:
        self._coordinates = Coordinates(space)
        self._known: dict[str, Any] | None = None

    def rows(self, points: list[Point]) -> Any:
        import torch

        columns = []
        for column, parameter, is_category in zip(
            self._coordinates.of(points).T,
            self._coordinates.parameters,
            self._coordinates.is_category,
            strict=True,
        ):
            count = parameter.count if is_category and parameter.count is not None else 1
            columns += [column == place for place in range(count)] if count > 2 else [column]
        return torch.tensor(np.column_stack(columns).astype(float))

    def fit(self, points: list[Point], values: list[float], anew: bool) -> None:
        import torch
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        self._mean, self._scale = float(np.mean(values)), float(np.std(values, ddof=1)) or 1.0
        heights = torch.tensor((np.array(values)[:, None] - self._mean) / self._scale)
        self._model = SingleTaskGP(self.rows(points), heights, outcome_transform=None)
        if self._known is not None:
            self._model.load_state_dict(self._known)
        if anew or self._known is None:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(self._model.likelihood, self._model))
            self._known = self._model.state_dict()
        self._model.eval()

    def with_pending(self, points: list[Point]) -> None:
        """Take the points in flight to come to what is expected there."""
        import torch

        if points:
            rows = self.rows(points)
            with torch.no_grad():
                expected = self._model.posterior(rows).mean
                self._model.posterior(self.rows(points))  # the caches that conditioning takes
                self._model = self._model.condition_on_observations(rows, expected)

    @property
    def noise(self) -> float:
        return float(self._model.likelihood.noise.item()) * self._scale**2

    def predict(self, points: list[Point]) -> tuple[Array, Array]:
        """Mean and covariance of the function at the points."""
        import torch

        with torch.no_grad():
            posterior = self._model.posterior(self.rows(points))
            mean = posterior.mean.reshape(-1).numpy()
            covariance = posterior.mvn.covariance_matrix.reshape(len(points), -1).numpy()
        return mean * self._scale + self._mean, covariance * self._scale**2


class OtherSearch(Strategy):
    """Answers each result with the candidate of the largest `acquisition`."""

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, acquisition: str) -> None:
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(1)
        self._acquisition, self._in_flight = acquisition, in_flight
        self._rng = random.Random(seed)
        self._first = iter(list(islice(sobol_points(space, seed), FIRST)))
        self._pool = dense_sample(space, POOL, seed)
        self._process = Process(space)
        self._open: dict[int, Point] = {}
        self._means: dict[str, tuple[float, int]] = {}
        self.points: list[Point] = []
        self.values: list[float] = []

    def start(self) -> list[Proposal]:
        return [self._proposal() for _ in range(self._in_flight)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        assert value is not None
        point = self._open.pop(number)
        before, count = self._means.get(json.dumps(point), (0.0, 0))
        self._means[json.dumps(point)] = (value, count + 1)
        self.points.append(point)
        self.values.append(-((count + 1) * value - count * before))  # what the newest replicate came to
        return [self._proposal()]

    def above(self, places: list[Point]) -> Array:
        """Where a value above the level is likelier than not, by the process of all results."""
        self._process.fit(self.points, self.values, anew=True)
        return np.concatenate(
            [
                self._process.predict(places[first : first + PLACES])[0] > LEVEL
                for first in range(0, len(places), PLACES)
            ]
        )

    def _proposal(self) -> Proposal:
        point = next(self._first, None) or self._next()
        proposal = self._propose(point)
        self._open[proposal.number] = proposal.point
        return proposal

    def _next(self) -> Point:
        self._process.fit(self.points, self.values, anew=len(self.values) % REFIT == 0)
        self._process.with_pending(list(self._open.values()))
        tried = list({json.dumps(point): point for point in self.points}.values())
        candidates = [*self._rng.sample(self._pool, CANDIDATES), *tried]
        if self._acquisition == "straddle":
            mean, covariance = self._process.predict(candidates)
            gain = 1.96 * np.sqrt(np.diag(covariance)) - np.abs(mean - LEVEL)
        else:
            gain = self._one_step_ahead(candidates)
        return candidates[int(np.argmax(gain))]

    def _one_step_ahead(self, candidates: list[Point]) -> Array:
        """What one more result at each candidate is expected to change over places of the whole space."""
        count = len(candidates)
        mean, covariance = self._process.predict([*candidates, *self._pool[:PLACES]])
        variance = np.diag(covariance)
        spread = np.sqrt(variance[:count] + self._process.noise)
        moves = covariance[:count, count:] / spread[:, None]
        left = np.sqrt(np.maximum(variance[count:] - moves**2, 0.0)) + TINY
        now = ndtr((mean[count:] - LEVEL) / (np.sqrt(variance[count:]) + TINY))
        gain = np.zeros(count)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            then = ndtr((mean[count:] + node * moves - LEVEL) / left)
            if self._acquisition == "volume":
                gain += weight * np.abs(then.sum(axis=1) - now.sum())
            else:
                gain += weight * (entropy(now).sum() - entropy(then).sum(axis=1))
        return gain


def entropy(share: Array) -> Array:
    return np.asarray(-xlogy(share, share) - xlogy(1 - share, 1 - share))


OTHERS = ("straddle", "mutual_information", "volume")


@dataclass(frozen=True)
class Search:
    """One search, and who reads it."""

    search: str
    case: str
    deviation: float
    evaluations: int
    repeat: int


def carry_out(search: Search) -> dict[str, Any]:
    """The overlaps of what was found, by way of reading it."""
    case = CASES[search.case]
    space = ParameterSpace.from_entries(case.space, search.case)
    trial = Trial(search.search, search.case, search.deviation, (search.evaluations,), search.repeat)
    is_other = search.search in OTHERS
    before = time.process_time()
    strategy = (
        OtherSearch(space, search.repeat, 2, search.search)
        if is_other
        else strategy_of(trial, space, search.evaluations)
    )
    done = evaluated(strategy, trial, search.evaluations)
    seconds = (time.process_time() - before) / search.evaluations
    read = read_regions(space, Paired.of([(point, [value]) for point, value in done]))
    places = list(read.places.points)
    truth = np.array([case.is_inside(point) for point in places])
    boxes = np.any([part.box.contains(places) for part in read.parts] or [np.zeros(len(places), dtype=bool)], axis=0)
    line = {
        **asdict(search),
        "boxes": overlap(boxes, truth),
        "places": overlap(read.places.direction != 0, truth),
        "own": overlap(strategy.above(places), truth) if isinstance(strategy, OtherSearch) else math.nan,
    }
    return {**line, "seconds": seconds}


def results(searches: list[Search], processes: int, record: Path) -> list[dict[str, Any]]:
    """All lines of the searches; those that the record has are not made again."""
    kept = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    fields = list(Search.__dataclass_fields__)
    known = {Search(**{name: line[name] for name in fields}): line for line in kept}
    with ProcessPoolExecutor(processes) as pool:
        for done in as_completed([pool.submit(carry_out, search) for search in searches if search not in known]):
            line = done.result()
            known[Search(**{name: line[name] for name in fields})] = line
            with record.open("a") as file:
                file.write(json.dumps(line) + "\n")
    return [known[search] for search in searches]


def table(lines: list[dict[str, Any]], cases: list[str], searches: list[str]) -> str:
    heads = ["points by", "read by", *cases, "all", "CPU s a proposal"]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for search in searches:
        own = [line for line in lines if line["search"] == search]
        ways = {"own": "its own process, level known", "places": "our reading, by place", "boxes": "our boxes"}
        for way, name in ways.items():
            if any(math.isnan(line[way]) for line in own):
                continue
            cells = [f"{mean_overlap([line for line in own if line['case'] == case], way):.2f}" for case in cases]
            cells.append(f"{mean_overlap(own, way):.3f} ± {standard_error(own, way):.3f}")
            cells.append(f"{np.mean([line['seconds'] for line in own]):.2f}")
            rows.append(f"| `{search}` | {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [*OTHERS, *(name for name in STRATEGIES if name != "eqsql")]
    parser.add_argument("--searches", nargs="+", default=["level_set", *OTHERS, "sobol"], choices=known)
    parser.add_argument("--cases", nargs="+", default=["held-out"], choices=["all", "chosen", "held-out", *CASES])
    parser.add_argument("--deviation", type=float, default=0.084)
    parser.add_argument("--evaluations", type=int, default=56)
    parser.add_argument(
        "--repeats", type=int, nargs=2, default=[200, 208], help="the first, and the one after the last"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path, required=True)
    arguments = parser.parse_args()
    if set(arguments.searches) & set(OTHERS) and importlib.util.find_spec("botorch") is None:
        parser.error("a package is missing: pip install botorch")
    cases = chosen_cases(arguments.cases)
    searches = [
        Search(search, case, arguments.deviation, arguments.evaluations, repeat)
        for repeat in range(*arguments.repeats)
        for search in arguments.searches
        for case in cases
    ]
    lines = results(searches, arguments.processes, arguments.record)
    print(table(lines, cases, arguments.searches))


if __name__ == "__main__":
    main()
