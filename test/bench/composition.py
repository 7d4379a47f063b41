"""What the whole composition costs: cmp-ga.sh over Swift/T and Slurm with an image, beside the local engine.

    python test/bench/composition.py IMAGE [NODES] [PLACES]

The same generational search of `cfg/cmp-ga.toml`, short trainings, every row with an empty store: as a job on NODES
nodes of a Slurm cluster that lives on this machine, each with PLACES devices for as many ranks, and on as many workers
of the local engine, of the same image and of the model's folder. Wants what test_composition.py wants: swift-t, Slurm,
Apptainer.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from busy import time_in_trainings

from comparator.engine.swift_t_launch import Layout
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.site.folders import project_root

sys.path.append(str(project_root() / "test" / "unit"))
import slurm

SETTINGS = {
    "hyperparameters.epochs": "5",
    "search.strategy": "simple",
    "search.population": "8",
    "search.generations": "3",
    "search.pilot": "0",
    "confirm.points": "0",
}


def main() -> None:
    image = Path(sys.argv[1]).resolve()
    nodes, places = map(int, [*sys.argv[2:], *["2", "2"][len(sys.argv) - 2 :]])
    workers = Layout(nodes, places).workers
    local = ["local", "--workers", str(workers)]
    print(f"{workers} workers, {os.cpu_count()} cores")
    print(f"{'':34}{'submit to end':>15}{'first to last':>15}{'in trainings':>14}  pairs")
    found = [report("Swift/T through Slurm, image", *cluster_run(image, nodes, places))]
    found.append(report("local engine, image", *run(local, {"hyperparameters.cmp_model_name": str(image)})))
    found.append(report("local engine, folder", *run(local, {})))
    common = set.intersection(*map(set, found))
    differ = [key for key in common if len({each[key] for each in found}) > 1]
    print(f"{len(common)} trainings are common to all; {len(differ) or 'none'} of them differ in their result")


def cluster_run(image: Path, nodes: int, places: int) -> tuple[float, list[Evaluation]]:
    """`run` as a job of a cluster that is started beforehand."""
    with slurm.running_cluster(nodes=nodes, devices=places) as cluster, tempfile.TemporaryDirectory() as staged:
        given = {**cluster.environment, "SITE_IMAGE_FOLDER": staged}
        words = ["slurm", "--nodes", str(nodes), "--workers-per-node", str(places)]
        return run(words, {"hyperparameters.cmp_model_name": str(image)}, given)


def run(
    words: list[str], settings: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> tuple[float, list[Evaluation]]:
    """Seconds from the command to the finished report, and the records."""
    with tempfile.TemporaryDirectory() as folder:
        given = {**os.environ, **(environment or {}), "COMPARATOR_EXPERIMENTS": folder}
        sets = [word for key, value in {**SETTINGS, **settings}.items() for word in ("--set", f"{key}={value}")]
        began = time.monotonic()
        call([str(project_root() / "test" / "cmp-ga.sh"), *words, "--id", "bench", *sets], given)
        if environment is not None:
            call([str(project_root() / ".venv" / "bin" / "comparator"), "watch", "bench"], given)
        seconds = time.monotonic() - began
        assert json.loads((Path(folder) / "bench" / "report.json").read_text())["evaluations"]["failed"] == 0
        return seconds, read_records(Path(folder) / "bench" / "evaluations.jsonl")


def call(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def report(name: str, seconds: float, records: list[Evaluation]) -> dict[tuple[str, int, int], float]:
    """Print a row and return the loss of each training, by its point, seed and submodel.

    Not the values of evaluations: that of a point that is proposed twice in a generation is the mean of what has been
    trained so far, and so depends on which of the two ends first.
    """
    span, share = time_in_trainings(records)
    print(f"{name:34}{seconds:13.1f} s{span:13.1f} s{share:14.0%}{len(records):7}")
    return {
        (json.dumps(line.point), run.seed or 0, run.submodel): run.metrics["val_loss"] or 0.0
        for line in records
        for run in line.runs
    }


if __name__ == "__main__":
    main()
