"""What the Comparator itself costs: CMP evaluations of a model that takes no time.

    python test/bench/overhead.py [EVALUATIONS] [WORKERS]

Prints the wall seconds of a whole experiment per evaluation, without the command's start and its report, beside
those of the same model called in a plain loop.
"""

import sys
import tempfile
import time
from pathlib import Path

import no_time


def main() -> None:
    evaluations, workers = (int(word) for word in (sys.argv[1:] + ["200", "2"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        opened = no_time.begin(Path(name), "local", workers, evaluations)
        began = time.monotonic()
        opened.search()
        through_all = (time.monotonic() - began) / evaluations
    direct = plain_loop(evaluations)
    print(f"{evaluations} evaluations of no length, {workers} workers")
    print(f"through the Comparator  {through_all * 1e3:8.2f} ms of wall an evaluation")
    print(f"called in a plain loop  {direct * 1e3:8.4f} ms of wall an evaluation")


def plain_loop(evaluations: int) -> float:
    names: dict = {}
    exec(no_time.MODEL, names)
    began = time.monotonic()
    for number in range(evaluations):
        for side in (1, 2):
            names["run"]({"x": number / evaluations, "y": 0, "side": side, "rng_seed": 1, "sleep": 0})
    return (time.monotonic() - began) / evaluations


if __name__ == "__main__":
    main()
