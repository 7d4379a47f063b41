"""What the Comparator itself costs: CMP evaluations of a model that takes no time.

    python test/bench/overhead.py [EVALUATIONS] [WORKERS]

Prints the wall seconds of a whole experiment per evaluation, without the command's start and its report, beside
those of the same model called in a plain loop; and the CPU-seconds of one worker's leaf, which trains the two models of
a pair one after the other, without the models' server.
"""

import json
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
    direct, leaf = plain_loop(evaluations), leaf_alone(evaluations)
    print(f"{evaluations} evaluations of no length, {workers} workers")
    print(f"through the Comparator  {through_all * 1e3:8.2f} ms of wall an evaluation")
    print(f"called in a plain loop  {direct * 1e3:8.4f} ms of wall an evaluation")
    print(f"a worker's leaf alone   {leaf * 1e3:8.2f} CPU-ms an evaluation")


def leaf_alone(evaluations: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        opened = no_time.begin(Path(name), "local", 1, evaluations)
        leaf = no_time.leaf(opened, slots=1)
        first = json.loads(opened.start()[0])

        def evaluate(number: int) -> None:
            leaf.evaluate(json.dumps({**first, "evaluation": number, "point": {"x": number / evaluations, "y": 0.5}}))

        evaluate(evaluations)  # starts the models
        began = time.process_time()
        for number in range(evaluations):
            evaluate(number)
        taken = time.process_time() - began
        leaf.close()
        opened.fail(KeyboardInterrupt())
    return taken / evaluations


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
