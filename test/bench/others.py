"""The strategies beside other packages' optimisers: regret, as `strategies.py` has it, and CPU time.

    python test/bench/others.py [--optimisers bayesian ax smac hyperopt scikit-optimize] [--functions held_out]
        [--only Branin trees] [--seeds 200 208] [--evaluations 56 200] [--noise 0 0.1] [--workers 2] [--processes 2]
        --record FILE

An optimiser is a strategy's name, or one of `optimisers.py`, each of which needs a package that the Comparator does
not: `pip install ax-platform smac hyperopt scikit-optimize`. All have the same functions, seeds, noise, times of
evaluations and way of being told; each budget is a search of its own. The table has the regret of the point of the best
mean, then that of the optimiser's own recommendation where it has one, and CPU seconds a proposal, telling included;
errors are those of the mean over the functions, which are given, not drawn. `--record` keeps each search as a line of
JSON; what is recorded there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from optimisers import OPTIMISERS, Optimiser, missing
from strategies import FUNCTIONS, made, reported, typical

from comparator.space import ParameterSpace
from comparator.strategies import STRATEGIES, Proposal, Strategy


@dataclass(frozen=True)
class Trial:
    """One search."""

    optimiser: str
    functions: str
    function: str
    noise: float
    evaluations: int
    workers: int
    seed: int


class Timed(Strategy):
    """A strategy whose CPU seconds are counted."""

    def __init__(self, own: Strategy) -> None:
        self._own, self.seconds, self.proposals = own, 0.0, 0

    def start(self) -> list[Proposal]:
        return self._timed(self._own.start)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        return self._timed(lambda: self._own.tell(number, value))

    def _timed(self, ask: Callable[[], list[Proposal]]) -> list[Proposal]:
        before = time.process_time()
        answer = ask()
        self.seconds += time.process_time() - before
        self.proposals += len(answer)
        return answer


def carry_out(trial: Trial) -> dict[str, Any]:
    """The regret of one search, by both rules, and its CPU seconds a proposal."""
    warnings.simplefilter("ignore")
    problems, least = FUNCTIONS[trial.functions]
    entries, function = problems[trial.function]
    mean, deviation = typical(trial.functions, trial.function)
    space = ParameterSpace.from_entries(entries, "bench")
    other = OPTIMISERS.get(trial.optimiser)
    own = (
        other(space, trial.seed, trial.workers, trial.evaluations)
        if other
        else made(trial.optimiser, space, trial.seed, trial.workers, trial.evaluations)
    )
    timed = Timed(own)
    (best,) = reported(timed, function, trial.noise * deviation, [trial.evaluations], trial.workers, trial.seed)
    line = {**asdict(trial), "regret": (function(best) - least) / (mean - least)}
    if isinstance(own, Optimiser):
        line["recommended"] = (function(own.recommended()) - least) / (mean - least)
    own.close()
    return {**line, "seconds": timed.seconds / timed.proposals}


def results(trials: list[Trial], processes: int, record: Path) -> list[dict[str, Any]]:
    """All lines of the trials; those that the record has are not made again."""
    kept = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    fields = list(Trial.__dataclass_fields__)
    known = {Trial(**{name: line[name] for name in fields}): line for line in kept}
    lacking = [trial for trial in trials if trial not in known]
    with ProcessPoolExecutor(processes) as pool:
        for done in as_completed([pool.submit(carry_out, trial) for trial in lacking]):
            line = done.result()
            known[Trial(**{name: line[name] for name in fields})] = line
            with record.open("a") as file:
                file.write(json.dumps(line) + "\n")
    return [known[trial] for trial in trials]


def mean_and_error(lines: list[dict[str, Any]], of: str) -> str:
    """The mean over the functions, and its standard error: the functions are given, not drawn."""
    by_function: dict[str, list[float]] = {}
    for line in lines:
        by_function.setdefault(line["function"], []).append(line[of])
    columns = list(by_function.values())
    mean = statistics.fmean(map(statistics.fmean, columns))
    if min(map(len, columns)) < 2:
        return f"{mean:.3f}"
    error = math.sqrt(sum(statistics.variance(each) / len(each) for each in columns)) / len(columns)
    return f"{mean:.3f} ±{error:.3f}"


def table(lines: list[dict[str, Any]], optimisers: list[str]) -> str:
    functions = list(dict.fromkeys(line["function"] for line in lines))
    heads = ["optimiser", *functions, "all", "its own recommendation", "CPU s a proposal"]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for optimiser in optimisers:
        own = [line for line in lines if line["optimiser"] == optimiser]
        cells = [mean_and_error([line for line in own if line["function"] == name], "regret") for name in functions]
        cells.append(mean_and_error(own, "regret"))
        cells.append(mean_and_error(own, "recommended") if "recommended" in own[0] else "")
        cells.append(f"{np.mean([line['seconds'] for line in own]):.3f}")
        rows.append(f"| `{optimiser}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimisers", nargs="+", default=["bayesian", *OPTIMISERS])
    parser.add_argument("--functions", default="held_out", choices=list(FUNCTIONS))
    parser.add_argument("--only", nargs="+", help="of these functions, those of these names")
    parser.add_argument("--seeds", type=int, nargs=2, default=[200, 208], help="the first, and the one after the last")
    parser.add_argument("--evaluations", type=int, nargs="+", default=[56, 200])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.1], help="in deviations of the function")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path, required=True)
    arguments = parser.parse_args()
    known = [*OPTIMISERS, *STRATEGIES]
    if unknown := [name for name in arguments.optimisers if name.partition(":")[0] not in known]:
        parser.error(f"--optimisers: {' '.join(unknown)}: unknown; known: {', '.join(known)}")
    names = arguments.only or list(FUNCTIONS[arguments.functions][0])
    if unknown := [name for name in names if name not in FUNCTIONS[arguments.functions][0]]:
        parser.error(f"--only: {' '.join(unknown)}: unknown; known: {', '.join(FUNCTIONS[arguments.functions][0])}")
    if lacking := missing(arguments.optimisers):
        parser.error(f"a package is missing: pip install {' '.join(lacking)}")

    trials = [
        Trial(optimiser, arguments.functions, name, noise, evaluations, arguments.workers, seed)
        for evaluations, noise, seed, optimiser, name in product(
            arguments.evaluations, arguments.noise, range(*arguments.seeds), arguments.optimisers, names
        )
    ]
    lines = results(trials, arguments.processes, arguments.record)
    for evaluations, noise in product(arguments.evaluations, arguments.noise):
        print(f"\n{evaluations} evaluations, noise {noise:g}: regret\n")
        chosen = [line for line in lines if (line["evaluations"], line["noise"]) == (evaluations, noise)]
        print(table(chosen, arguments.optimisers))


if __name__ == "__main__":
    main()
