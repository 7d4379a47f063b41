"""What the Swift/T engine costs and how busy it keeps its workers; needs swift-t on the PATH.

    python test/bench/swift_t.py [overhead | utilisation | exchanges]

overhead     wall time an evaluation of a model that takes no time, at 4, 8 and 16 ranks, beside that of a bare
             `python_persist` call of the same Swift/T on as many ranks
utilisation  the share of the workers' time that passes in trainings, of the steady-state and of the generational
             search, where run times vary threefold, at 50 evaluations a worker
exchanges    results a second that the resident rank records and answers, alone, beside bare calls of a resident rank
             through Swift/T

More ranks than cores measure the machine's scheduler as well.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import no_time
from busy import seconds_of, time_in_trainings

from comparator.engine.swift_t_launch import import_path
from comparator.site.folders import project_root

RANKS = (4, 8, 16)
SERVING = 2  # the resident rank and the server, on one node
BARE_CALLS = 2000
EVALUATIONS = 400
BUSY_WORKERS, EVALUATIONS_A_WORKER, SLEEP = 6, 50, 0.4
EXCHANGES = 2000

BARE_LOOP = """
import python;
foreach i in [1:%d] {
  trace(python_persist("import time", "'clock: %%s' %% time.time()"));
}
"""
BARE_RESIDENT = """
import location;
import python;
import string;
import sys;
pragma worktypedef resident_work;
@dispatch=resident_work
(string answer) resident(string call) "turbine" "0.1.0"
  [ "set <<answer>> [ turbine::python 1 1 {} <<call>> ]" ];
location RESIDENT = locationFromRank(string2int(getenv("RESIDENT_WORK_RANKS")));
foreach i in [1:%d] {
  string answer = @location=RESIDENT resident("'clock: %%s' %% __import__('time').time()");
  trace(answer);
}
"""


def main() -> None:
    parts = {"overhead": overhead, "utilisation": utilisation, "exchanges": exchanges}
    for name in sys.argv[1:] or parts:
        parts[name]()


def overhead() -> None:
    print(f"{'ranks':>6}{'workers':>9}{'an evaluation':>16}{'a bare call':>14}{'ratio':>8}")
    for ranks in RANKS:
        workers = ranks - SERVING
        ours = evaluation_seconds(workers)
        bare = call_seconds(BARE_LOOP, ranks)
        print(f"{ranks:6}{workers:9}{ours * 1e3:13.2f} ms{bare * 1e3:11.3f} ms{ours / bare:8.1f}")


def evaluation_seconds(workers: int) -> float:
    """Wall seconds an evaluation while all workers evaluate."""
    os.environ["SITE_CORES"] = str(workers)
    with tempfile.TemporaryDirectory() as folder:
        records = no_time.begin(Path(folder), "swift-t", workers, EVALUATIONS, population=50).search()
    # The first evaluation of a worker starts its models; a third of the search leaves that behind.
    settled = sorted(seconds_of(line.started) for line in records)[EVALUATIONS // 3 :]
    return (settled[-1] - settled[0]) / (len(settled) - 1)


def call_seconds(program: str, ranks: int) -> float:
    """Wall seconds a bare call, from the first to the last."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.swift"
        script.write_text(program % BARE_CALLS)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(import_path()),
            "TURBINE_RESIDENT_WORK_WORKERS": "1",
            "RESIDENT_WORK_RANKS": str(ranks - SERVING),
            "TURBINE_INTERPOSER": str(project_root() / "swift" / "rank.sh"),
        }
        if "resident" not in program:
            del environment["TURBINE_RESIDENT_WORK_WORKERS"]
        command = ["swift-t", "-n", str(ranks), "-I", str(project_root() / "swift"), str(script)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    times = sorted(float(line.split("clock: ")[1]) for line in done.stdout.splitlines() if "clock: " in line)
    assert len(times) == BARE_CALLS, done.stdout[-500:] + done.stderr[-500:]
    return (times[-1] - times[0]) / (len(times) - 1)


def utilisation() -> None:
    os.environ["SITE_CORES"] = str(BUSY_WORKERS)
    evaluations = BUSY_WORKERS * EVALUATIONS_A_WORKER
    print(f"{BUSY_WORKERS} workers, {evaluations} evaluations of {2 * SLEEP:.1f} to {6 * SLEEP:.1f} s")
    for strategy in ("steady_state", "simple"):
        with tempfile.TemporaryDirectory() as folder:
            opened = no_time.begin(Path(folder), "swift-t", BUSY_WORKERS, evaluations, strategy, 12, SLEEP)
            records = opened.search()
        span, share = time_in_trainings(records)
        print(f"{strategy:14}{share:8.1%} of the workers' time in trainings, {span:6.1f} s of wall")


def exchanges() -> None:
    os.environ["SITE_CORES"] = "2"
    with tempfile.TemporaryDirectory() as folder:
        opened = no_time.begin(Path(folder), "local", 1, EXCHANGES, population=50)
        leaf = no_time.leaf(opened)
        waiting, taken = opened.start(), []
        while waiting:
            result = leaf.evaluate(waiting.pop(0))
            began = time.perf_counter()
            waiting += opened.tell_all([result])
            taken.append(time.perf_counter() - began)
        leaf.close()
    mean, slowest = statistics.fmean(taken), statistics.quantiles(taken, n=100)[-1]
    through = call_seconds(BARE_RESIDENT, 4)
    print(
        f"recorded and answered {1 / mean:8.0f} a second ({mean * 1e3:.2f} ms; one in a hundred {slowest * 1e3:.2f} ms)"
    )
    print(f"through Swift/T       {1 / through:8.0f} a second ({through * 1e3:.2f} ms)")
    print(f"both                  {1 / (mean + through):8.0f} a second")


if __name__ == "__main__":
    main()
