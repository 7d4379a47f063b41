"""What grows with an experiment, and how fast: each figure at three sizes, with its exponent.

    python test/bench/growth.py [--parts in-flight recorded ...] [--sizes 100 1000 10000] [--strategy random]

in-flight   CPU milliseconds of a `Session.tell_all` of one result, as more is in flight: the result is read, the
            evaluation recorded and the strategy told, and the next request is given; and of what a terminal shows
recorded    the same, as more is recorded
repeated    the same without a session, where all that is recorded is of one point, which is proposed again and again;
            and the bytes of a line
own-unit    the same of a difference in deviations without a pilot, whose unit each replicate changes
together    of one result where 256 come together
begin       of all first requests, by evaluations in flight
found       of a look for a run that the store has, by runs in it
opened      of opening an experiment that is to go on, whose record is read and replayed
level_set   of a proposal, by results
report      of a report, in CPU seconds

The trainings are made up, so that nothing else is counted. The exponent is that of the last two sizes: 0 where it costs
the same whatever there is, 1 where it grows as that does.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from no_time import SPACE, begin, host_of

from comparator.experiment.controller import Controller
from comparator.experiment.opening import open_session
from comparator.experiment.session import Session
from comparator.experiment.simulation import MemoryRecord
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.form import as_text
from comparator.results.requests import Result
from comparator.results.run_result import RunResult
from comparator.results.run_store import RESULT, RunStore
from comparator.space import ParameterSpace
from comparator.strategies import Proposal, Strategy, make_strategy
from comparator.strategies.replication import Replication

STARTED = "2026-01-01T00:00:00.000Z"
RESULTS = 200
LATEST = 8  # proposals whose cost is that of so many results


def result_of(text: str) -> str:
    """What a worker would answer to a request, whose trainings were made up."""
    request = json.loads(text)
    luck = random.Random(text)
    runs = [
        {
            "submodel": number,
            "replicate": request["replicate"],
            "seed": 1 + request["replicate"],
            "run": f"{luck.getrandbits(128):032x}",
            "status": "ok",
            "metrics": {"val_loss": luck.uniform(1, 2)},
        }
        for number in (0, 1)
    ]
    kept = {key: request[key] for key in ("evaluation", "replicate")}
    answer = {**kept, "status": "ok", "started": STARTED, "seconds": 1.0, "worker": "bench", "runs": runs}
    return json.dumps(answer)


def milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def opened_with(folder: Path, in_flight: int, evaluations: int, strategy: str = "random") -> Session:
    os.environ["SITE_CORES"] = str(2 * in_flight)
    return begin(folder, "local", in_flight, evaluations, strategy, in_flight)


def tell(opened: Session, requests: list[str], results: int) -> None:
    """Carry out so many requests, of which each is answered by another."""
    for _ in range(results):
        requests += opened.tell_all([result_of(requests.pop(0))])


def told(folder: Path, in_flight: int, recorded: int, strategy: str) -> tuple[float, float]:
    """What a result costs, and to show it, behind so many results."""
    opened = opened_with(folder, in_flight, in_flight + recorded + RESULTS + 100, strategy)
    requests = opened.start()
    tell(opened, requests, recorded)
    costs, shown = [], []
    with opened.progress() as show:
        for _ in range(RESULTS):
            result = result_of(requests.pop(0))
            costs.append(milliseconds(lambda result=result: requests.extend(opened.tell_all([result]))))
            shown.append(milliseconds(show))
    opened.end()
    return sum(costs) / len(costs), median(shown)


def of_in_flight(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    return told(folder, size, 20, strategy)


def of_recorded(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    return told(folder, 10, size, strategy)


class Again(Strategy):
    """Proposes one point, one at a time."""

    def start(self) -> list[Proposal]:
        return [self._propose({"x": 0.5, "y": 0.5})]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        return self.start()


def of_repeated(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    return _of_repeated(size, "relative", Replication())


def of_own_unit(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    return _of_repeated(size, "in_deviations", Replication(2, 2))


def _of_repeated(size: int, difference: str, replication: Replication) -> tuple[float, ...]:
    record, objective, costs = MemoryRecord(), Objective("val_loss", DIFFERENCES[difference]), []
    controller = Controller(record, Again(), objective, budget=size + RESULTS, replication=replication)
    requests = controller.start()
    while requests:
        result = Result.model_validate_json(result_of(as_text(requests.pop(0))))
        costs.append(milliseconds(lambda result=result: requests.extend(controller.tell_all([result]))))
    return sum(costs[-RESULTS:]) / RESULTS, len(as_text(record.records[-1]))


def of_together(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    opened = opened_with(folder, size, 2 * size + 1000, strategy)
    results = [result_of(request) for request in opened.start()[: min(size, 256)]]
    cost = milliseconds(lambda: opened.tell_all(results))
    opened.end()
    return (cost / len(results),)


def of_begin(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    opened = opened_with(folder, size, 2 * size, strategy)
    cost = milliseconds(opened.start)
    opened.end()
    return (cost,)


def of_found(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    store = RunStore(folder)
    names = fill(store, size)
    looked = random.Random(1).choices(names, k=RESULTS)
    return (milliseconds(lambda: [store.finished(name) for name in looked]) / len(looked),)


def fill(store: RunStore, runs: int) -> list[str]:
    """The names of so many runs that are put into a store."""
    luck, text = random.Random(0), json.dumps(RunResult(status="ok", metrics={"val_loss": 1.0}).as_json())
    names = [f"{luck.getrandbits(128):032x}" for _ in range(runs)]
    for name in names:
        place = store.folder_of(name)
        assert place is not None
        place.mkdir(parents=True)
        (place / RESULT).write_text(text)
    return names


def recorded(folder: Path, size: int, strategy: str) -> Session:
    """An experiment that is over, with so many evaluations."""
    opened = opened_with(folder, 10, size, strategy)
    requests = opened.start()
    while requests:
        requests = opened.tell_all([result_of(request) for request in requests])
    opened.end()
    return opened


def of_opened(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    opened = opened_with(folder, 10, 2 * size, strategy)
    tell(opened, opened.start(), size)
    opened.fail(KeyboardInterrupt())
    again: list[Session] = []
    cost = milliseconds(lambda: again.append(open_session(host_of(folder, "local", 10), opened.path.name)))
    replayed = milliseconds(again[0].start)
    again[0].end()
    return cost, replayed


def of_level_set(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    space = ParameterSpace.from_entries(SPACE, "space")
    made = make_strategy("level_set", space, seed=1, in_flight=1, options={"scattered": size - LATEST, "patience": 99})
    waiting, luck, costs = made.start(), random.Random(1), []
    for _ in range(size):
        proposal = waiting.pop(0)
        is_in = proposal.point["x"] < 0.4 and proposal.point["y"] < 0.5
        value = -(0.45 if is_in else 0.2) + luck.gauss(0, 0.08)
        costs.append(milliseconds(lambda each=proposal, value=value: waiting.extend(made.tell(each.number, value))))
    return (sum(costs[-LATEST:]) / LATEST,)


def of_report(folder: Path, size: int, strategy: str) -> tuple[float, ...]:
    from comparator.report import write_report

    opened = recorded(folder, size, strategy)
    return (milliseconds(lambda: write_report(opened.path)) / 1000,)


Part = Callable[[Path, int, str], tuple[float, ...]]
#: Of each part what it measures, its sizes, and what its numbers are.
PARTS: dict[str, tuple[Part, tuple[int, ...], tuple[str, ...]]] = {
    "in-flight": (of_in_flight, (100, 1000, 10_000), ("told, ms", "shown, ms")),
    "recorded": (of_recorded, (100, 1000, 10_000), ("told, ms", "shown, ms")),
    "repeated": (of_repeated, (100, 1000, 10_000), ("told, ms", "line, bytes")),
    "own-unit": (of_own_unit, (100, 1000, 10_000), ("told, ms", "line, bytes")),
    "together": (of_together, (100, 1000, 10_000), ("told, ms",)),
    "begin": (of_begin, (100, 1000, 10_000), ("all, ms",)),
    "found": (of_found, (100, 1000, 10_000), ("one, ms",)),
    "opened": (of_opened, (100, 1000, 10_000), ("read, ms", "replayed, ms")),
    "level_set": (of_level_set, (32, 64, 128), ("one, ms",)),
    "report": (of_report, (100, 200, 400), ("CPU-s",)),
}


def exponent(sizes: list[int], costs: list[float]) -> float:
    """Of the last two sizes."""
    return math.log(max(costs[-1], 1e-9) / max(costs[-2], 1e-9)) / math.log(sizes[-1] / sizes[-2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--strategy", default="random")
    options = parser.parse_args()
    for name in options.parts:
        part, usual, units = PARTS[name]
        sizes = options.sizes or list(usual)
        costs = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                costs.append(part(Path(folder), size, options.strategy))
        for number, unit in enumerate(units):
            of_unit = [cost[number] for cost in costs]
            told_sizes = ", ".join(f"{size}: {cost:.3g}" for size, cost in zip(sizes, of_unit, strict=True))
            grows = f" | exponent {exponent(sizes, of_unit):.2f}" if len(sizes) > 1 else ""
            print(f"{name:10} {unit:13} | {told_sizes}{grows}", flush=True)


if __name__ == "__main__":
    main()
