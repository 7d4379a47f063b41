"""What one result costs the process that hosts a search, as more is in flight and more is done.

    python test/bench/growth.py [--in-flight 10 100 1000 10000] [--recorded 0 1000 10000] [--strategy random]
        [--results 200]

CPU milliseconds of a `Session.tell`: the result is read, the evaluation recorded and the strategy told, what runs is
said in `state.json`, and the next request is given; of the progress that a terminal shows, beside it. The trainings
are made up, so that nothing else is counted. The exponent is that of the last two sizes: 0 where a result costs the
same whatever there is.
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

from no_time import begin

from comparator.experiment.session import Session

STARTED = "2026-01-01T00:00:00.000Z"


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


def told(opened: Session, requests: list[str], recorded: int, results: int) -> tuple[float, float]:
    """The median cost of a result, and of showing it, behind so many results."""
    costs, shown = [], []
    with opened.progress() as show:
        for number in range(recorded + results):
            result = result_of(requests.pop(0))
            cost = milliseconds(lambda result=result: requests.extend(opened.tell_all([result])))
            if number >= recorded:
                costs.append(cost)
                shown.append(milliseconds(show))
    return sum(costs) / len(costs), median(shown)


def measure(in_flight: int, recorded: int, strategy: str, results: int) -> tuple[float, float]:
    os.environ["SITE_CORES"] = str(2 * in_flight)
    with tempfile.TemporaryDirectory() as folder:
        evaluations = in_flight + recorded + results + 100
        opened = begin(Path(folder), "local", in_flight, evaluations, strategy, in_flight)
        return told(opened, opened.start(), recorded, results)


def exponent(sizes: list[int], costs: list[float]) -> float:
    """Of the last two sizes."""
    return math.log(costs[-1] / costs[-2]) / math.log(max(1, sizes[-1]) / max(1, sizes[-2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--recorded", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--results", type=int, default=200)
    options = parser.parse_args()
    print("CPU-ms of a result | told | shown")
    of_flight = []
    for size in options.in_flight:
        of_flight.append(measure(size, 20, options.strategy, options.results))
        print(f"{size:6} in flight, 20 recorded | {of_flight[-1][0]:7.2f} | {of_flight[-1][1]:7.2f}", flush=True)
    of_record = []
    for size in options.recorded:
        of_record.append(measure(10, size, options.strategy, options.results))
        print(f"10 in flight, {size:6} recorded | {of_record[-1][0]:7.2f} | {of_record[-1][1]:7.2f}", flush=True)
    for name, sizes, costs in (("in flight", options.in_flight, of_flight), ("recorded", options.recorded, of_record)):
        if len(sizes) > 1:
            of_tell, of_show = (exponent(sizes, [cost[part] for cost in costs]) for part in (0, 1))
            print(f"exponent, {name}: told {of_tell:.2f}, shown {of_show:.2f}")


if __name__ == "__main__":
    main()
