"""Everything at once: cmp-ga.sh with Uno's image, Swift/T through Slurm, several nodes with devices, DEAP resident.

Skipped, with the reason, where Swift/T, Slurm or Apptainer is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import slurm

from comparator.results.record_file import read_records

ROOT = Path(__file__).resolve().parents[2]
REASON = "there is no swift-t on the PATH" if shutil.which("swift-t") is None else slurm.why_not()
REASON = REASON or images.why_not("apptainer")

pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Cluster]:
    with slurm.running_cluster(nodes=3, devices=2) as started:
        yield started


def test_a_genetic_search_over_images_on_the_nodes_of_a_cluster(
    cluster: slurm.Cluster, uno: Path, data_folder: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        **cluster.environment,
        "SITE_IMAGE_FOLDER": str(tmp_path / "of-a-node"),
        "CANDLE_DATA_DIR": str(data_folder),
        "COMPARATOR_EXPERIMENTS": str(tmp_path / "experiments"),
    }
    given = {
        "hyperparameters.cmp_model_name": str(uno),
        "hyperparameters.epochs": "2",
        "hyperparameters.row_limit": "640",
        "hyperparameters.gene_count": "100",
        "search.strategy": "simple",
        "search.population": "4",
        "search.generations": "2",
        "search.pilot": "0",
        "confirm.points": "0",
    }
    words = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    nodes = ["--nodes", "3", "--workers-per-node", "2", "--id", "whole"]
    command = [str(ROOT / "test" / "cmp-ga.sh"), "slurm", *nodes, *words]
    told = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert told.returncode == 0 and "submitted as job" in told.stdout, told.stdout + told.stderr
    program = ROOT / ".venv" / "bin" / "comparator"
    watched = subprocess.run([program, "watch", "whole"], env=environment, capture_output=True, text=True)
    assert "whole: finished" in watched.stdout, watched.stdout + watched.stderr

    folder = tmp_path / "experiments" / "whole"
    frozen = json.loads((folder / "experiment.json").read_text())
    assert frozen["provenance"]["engine"] == "swift-t" and frozen["strategy"]["name"] == "simple"
    lines = read_records(folder / "evaluations.jsonl")
    assert len(lines) >= 4 and all(line.status == "ok" for line in lines), lines
    devices = defaultdict(set)
    for line in lines:
        for run in line.runs:
            if run.reused:
                continue
            log = (tmp_path / "experiments" / str(run.log)).read_text()
            assert f"warm server, run 1 of it, device {run.device}" in log or "of it, device" in log
            devices[str(line.worker).partition("/")[0]].add(run.device)
    assert len(devices) >= 2, "the evaluations went to several nodes"
    assert set().union(*devices.values()) <= {"0", "1"}
    assert (folder / "report.html").is_file()
    assert len([path for path in (tmp_path / "of-a-node").iterdir() if path.suffix == ".sif"]) == 1
