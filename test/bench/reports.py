"""What the report of a search of many evaluations costs: CPU seconds, memory, the size of the page.

    python test/bench/reports.py [--evaluations 56 2000 20000] [--parameters 2 4] [--rounds 2] [--keep FOLDER]

Two models are compared: a Sobol search, of which each result is made up, as planted regions have it, then eight fresh
blocks of a region and of what lies outside. Each report is a command of its own. `--keep` leaves the experiments there,
and takes those that are there already.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from no_time import DESCRIPTION, HYPERPARAMETERS, MODEL, host_of
from planted_model import INSIDE, MIXED, OUTSIDE

from comparator.experiment import opening, planning

STARTED = "2026-01-01T00:00:{:06.3f}Z"
EXPERIMENT = """
hyperparameters = 'cmp.txt'
space = 'space.json'
[search]
strategy = 'sobol'
find = 'regions'
evaluations = {evaluations}
"""


def result_of(text: str) -> str:
    """What a worker would answer to a request, whose trainings were made up."""
    request = json.loads(text)
    luck, point = random.Random(text), request["point"]
    is_inside = point["noise"] < 20 and point["layer_force"] > 100
    difference = (INSIDE if is_inside else OUTSIDE) + luck.gauss(0, 0.084)
    losses = 1 - difference, 1.0
    runs = [
        {
            "submodel": number,
            "replicate": request["replicate"],
            "block": request["block"],
            "seed": 1 + request["replicate"],
            "run": f"{luck.getrandbits(128):032x}",
            "status": "ok",
            "metrics": {"val_loss": loss, "val_mae": math.sqrt(loss) * luck.uniform(0.79, 0.81), "val_r2": 1 - loss},
            "log": f"runs/{luck.getrandbits(128):032x}/model.log",
        }
        for number, loss in enumerate(losses)
    ]
    kept = {key: request[key] for key in ("evaluation", "replicate")}
    started = STARTED.format(luck.uniform(0, 60))
    return json.dumps({**kept, "status": "ok", "started": started, "seconds": 1.0, "worker": "bench", "runs": runs})


def experiment(folder: Path, evaluations: int, parameters: int) -> Path:
    """The folder of an experiment that is over."""
    folder.mkdir(parents=True, exist_ok=True)
    for existing in folder.glob("experiments/*/state.json"):
        return existing.parent
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text(DESCRIPTION)
    (folder / "space.json").write_text(json.dumps(MIXED[:parameters]))
    (folder / "cmp.txt").write_text(HYPERPARAMETERS.format(sleep=0))
    (folder / "bench.toml").write_text(EXPERIMENT.format(evaluations=evaluations))
    os.environ["SITE_CORES"] = "64"
    host = host_of(folder, "local", 32)
    session = opening.begin(
        host, planning.plan_experiment(host, folder / "bench.toml", [], full=False, command="bench"), "bench", None
    )
    requests = session.start()
    while requests:
        requests = session.tell_all([result_of(request) for request in requests])
    session.end()
    return session.path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, nargs="+", default=[56, 2000, 20_000])
    parser.add_argument("--parameters", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for evaluations in options.evaluations:
            for parameters in options.parameters:
                folder = (options.keep or Path(temporary)) / f"{evaluations}-{parameters}"
                path = experiment(folder, evaluations, parameters)
                for _ in range(options.rounds):
                    seconds, memory = report(path)
                    size = (path / "report.html").stat().st_size / 1e6
                    told = f"{seconds:.2f} CPU-s, {memory:.0f} MB, page {size:.2f} MB"
                    print(f"{evaluations} evaluations, {parameters} parameters: {told}", flush=True)


def report(path: Path) -> tuple[float, float]:
    """CPU seconds and megabytes of a command that reports."""
    command = [sys.executable, "-m", "comparator", "report", path.name, "--experiments", str(path.parent)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
