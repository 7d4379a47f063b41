"""Ten thousand workers, played over the very code of the resident rank: no MPI, and trainings that are made up.

    python test/bench/crowd.py [--workers 10000] [--strategy random] [--rounds 2]

begin       from the call of the resident rank to the last request
at once     all workers bring a result in the same moment, and have their next request: `ranks.exchange` of as many
            results at a time as `swift/comparator.tcl` takes
one by one  a result at a time, as where run times have spread

Seconds of the clock and of the CPU. What MPI adds is `swift_t.py`'s to measure.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from growth import result_of
from no_time import begin

from comparator import ranks
from comparator.engine.interface import MOST_AT_ONCE
from comparator.engine.launches import LAUNCH_FILE, make_launch, next_launch
from comparator.engine.swift_t import SwiftT
from comparator.engine.swift_t_launch import Launch, Layout, Resources

#: A training of ten minutes on every worker: so many results a second for each of them.
NEEDED = 1 / 600


def requests_in(tasks: str) -> list[str]:
    return [request for task in tasks.splitlines() for request in task.split(ranks.BETWEEN)] if tasks else []


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    rate = f"{count / clock:6.0f} a second, {1000 * cpu / count:.3f} CPU-ms each"
    print(f"{what:32} {clock:6.2f} s, {cpu:6.2f} CPU-s | {rate}", flush=True)


def launch(folder: Path, workers: int, evaluations: int, strategy: str) -> None:
    """Make the experiment and hand it over, as the launch host does."""
    os.environ["SITE_CORES"] = str(2 * workers)
    opened = begin(folder, "local", workers, evaluations, strategy, workers)
    made = Launch(opened.task, Resources(Layout(1, workers), walltime=None))
    name = next_launch(opened.path)
    opened.hand_over(name)
    make_launch(SwiftT.name, made.task, made.description())
    os.environ["COMPARATOR_LAUNCH"] = str(opened.path / name / LAUNCH_FILE)


def play(workers: int, strategy: str, rounds: int) -> None:
    with timed("begin", workers):
        waiting = requests_in(ranks.start())
    print(f"{len(waiting)} requests for {workers} workers")
    for turn in range(rounds):
        results, waiting = [result_of(request) for request in waiting], []
        with timed(f"at once, {turn + 1}", len(results)):
            while results:
                waiting += requests_in(ranks.exchange(results[:MOST_AT_ONCE]))
                del results[:MOST_AT_ONCE]
    results = [result_of(request) for request in waiting[:1000]]
    with timed("one by one", len(results)):
        for result in results:
            ranks.exchange([result])
    print(f"needed, where a training takes ten minutes: {workers * NEEDED:.0f} a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=10_000)
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    # The search goes on, and a thread of it may write its state while the folder is removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        launch(Path(folder), options.workers, options.workers * (options.rounds + 2), options.strategy)
        play(options.workers, options.strategy, options.rounds)
    sys.stdout.flush()
    os._exit(0)  # a rank's Python is not taken down


if __name__ == "__main__":
    main()
