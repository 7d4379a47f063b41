"""The Swift/T engine: the same search over MPI, alone and in jobs of Slurm. Skipped where there is no swift-t."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import slurm
from desk import Desk

from comparator.engine.keeper import RANK_VARIABLES
from comparator.engine.swift_t_job import import_path
from comparator.site.schedulers import Slurm
from comparator.strategies.level_set import points_to_scatter

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "test" / "unit" / "models"
needs_swift_t = pytest.mark.skipif(shutil.which("swift-t") is None, reason="there is no swift-t on the PATH")
needs_slurm = pytest.mark.skipif(slurm.why_not() is not None, reason=str(slurm.why_not()))
pytestmark = [needs_swift_t, pytest.mark.long]

#: After a rank is lost its launch is to end in ten seconds; on a busy machine it may take longer.
ENDED_SECONDS = 120.0

SPACE = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "size", "type": "int", "lower": 25, "upper": 200},
    {"name": "label", "type": "constant", "value": 'it\'s $HOME [exit 1] {a} \\ "b" ü\n%s %i'},
]
EXPERIMENT = """
model = "cmp"
space = "space.json"
[search]
strategy = "{strategy}"
{budget}
[cmp]
models = ["{model}", "{model}"]
[confirm]
points = {confirm}
[set]
cmp_0_side = "left"
cmp_1_side = "right"
sleep = {sleep}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "a desk's folder"
    folder.mkdir()
    return furnished(Desk(folder))


def furnished(desk: Desk) -> Desk:
    desk.write("space.json", json.dumps(SPACE))
    shutil.copytree(MODELS, desk.folder / "models")
    return desk


def experiment(
    desk: Desk,
    name: str,
    strategy: str = "simple",
    budget: str = "evaluations = 12",
    model: str = "quick",
    sleep: float = 0,
    confirm: int = 0,
) -> str:
    path = desk.folder / "models" / f"{model}.py"
    if "pilot" not in budget:
        budget += "\npilot = 0"
    desk.write(name, EXPERIMENT.format(strategy=strategy, budget=budget, model=path, sleep=sleep, confirm=confirm))
    return name


def records(desk: Desk, identifier: str) -> list[dict[str, Any]]:
    path = desk.experiments / identifier / "evaluations.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def state(desk: Desk, identifier: str) -> dict[str, Any]:
    return json.loads((desk.experiments / identifier / "state.json").read_text())


def wait_for(what: Callable[[], Any], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_both_engines_evaluate_the_same_points(desk: Desk) -> None:
    """With texts that neither Tcl nor Python may read as code, in a folder whose name has blanks and quotes."""
    budget = "population = 6\nevaluations = 24\nreplicates = 2\npilot = 2"
    file = experiment(desk, "search.toml", budget=budget, confirm=2)
    for engine in ("local", "swift-t"):
        noisy = ("--set", "hyperparameters.jitter=0.01")
        done = desk.run("search", file, "--id", engine, "--engine", engine, *noisy, SITE_CORES="2")
        assert done.returncode == 0, done.stderr + done.stdout
    points = [
        {(line["stage"], json.dumps(line["point"]), line["value"]) for line in records(desk, each)}
        for each in ("local", "swift-t")
    ]
    assert {stage for stage, *_ in points[0]} == {"pilot", "search", "confirm"}
    assert points[0] == points[1] and len(points[0]) > 5
    workers = {line["worker"] for line in records(desk, "swift-t") if line["worker"]}
    assert len(workers) == 2
    assert (desk.experiments / "swift-t" / "report.html").exists()


def test_a_command_of_a_models_own_is_trained_alike_by_both_engines(desk: Desk) -> None:
    """Its runs have the same identities and numbers, so that one engine finds what the other trained."""
    model = desk.folder / "fitted"
    model.mkdir()
    (model / "train.py").write_text(
        "import argparse, random\n"
        "parser = argparse.ArgumentParser()\n"
        'parser.add_argument("--step-size", type=float)\n'
        'parser.add_argument("--seed", type=int)\n'
        "given = parser.parse_args()\n"
        "draws, weight = random.Random(given.seed), 0.0\n"
        "for _ in range(200):\n"
        "    x = draws.gauss(0, 1)\n"
        "    weight += given.step_size * (2 * x + draws.gauss(0, 0.1) - weight * x) * x\n"
        'print("test mse:", (weight - 2) ** 2)\n'
    )
    (model / "model.toml").write_text(
        'command = ["python", "train.py"]\nreads = []\n[metrics.test_mse]\nkind = "error"\nprinted = "test mse: "\n'
    )
    desk.write(
        "fit.toml",
        """
        model = "fitted"
        metric = "test_mse"
        [space]
        step_size = { type = "float", lower = 0.001, upper = 0.1 }
        [search]
        strategy = "random"
        evaluations = 4
        """,
    )
    runs = []
    for engine in ("local", "swift-t"):
        done = desk.run("search", "fit.toml", "--id", engine, "--engine", engine, "--no-report", SITE_CORES="2")
        assert done.returncode == 0, done.stderr + done.stdout
        runs.append({run["run"]: run["metrics"] for line in records(desk, engine) for run in line["runs"]})
        shutil.rmtree(desk.experiments / "runs")
    assert runs[0] == runs[1] and len(runs[0]) > 4


def test_a_search_for_regions_scatters_alike_and_then_seeks_the_border(desk: Desk) -> None:
    """Points scattered depend on no result; those after them are where the surrogate, in the rank, is least sure."""
    file = experiment(desk, "search.toml", "level_set", 'find = "regions"\nevaluations = 14')
    scattered = []
    for engine in ("local", "swift-t"):
        words = ("--id", engine, "--engine", engine, "--set", "hyperparameters.jitter=0.01")
        done = desk.search(file, *words, SITE_CORES="2")
        assert done.returncode == 0, done.stderr + done.stdout
        lines = sorted(records(desk, engine), key=lambda line: line["evaluation"])
        assert len(lines) == 14 and {line["status"] for line in lines} == {"ok"}
        scattered.append([line["point"] for line in lines[: points_to_scatter(14)]])
    assert scattered[0] == scattered[1]


@pytest.mark.parametrize("leaf", ["python", "app"])
def test_a_sweep_is_recorded_whole(desk: Desk, leaf: str) -> None:
    file = experiment(desk, "sweep.toml", "grid", "points = 3")
    words = ("--id", "grid", "--engine", "swift-t", "--no-report")
    done = desk.run("sweep", file, *words, SITE_LEAF=leaf, SITE_CORES="2")
    assert done.returncode == 0, done.stderr + done.stdout
    assert sorted(line["evaluation"] for line in records(desk, "grid")) == list(range(9))
    assert all(line["status"] == "ok" for line in records(desk, "grid"))


@pytest.mark.parametrize(("role", "sent"), [("worker", signal.SIGKILL), ("resident", signal.SIGSTOP)])
def test_a_rank_that_is_lost_costs_what_was_being_done_and_either_engine_goes_on(
    desk: Desk, role: str, sent: signal.Signals
) -> None:
    file = experiment(desk, "search.toml", "steady_state", "population = 4\nevaluations = 10", sleep=0.2)
    process = desk.start("search", file, "--id", "dying", "--engine", "swift-t")
    wait_for(lambda: len(records(desk, "dying")) >= 3)
    lose(desk.experiments / "dying", role, sent)
    output, errors = process.communicate(timeout=ENDED_SECONDS)
    assert process.returncode == 1 and role in errors and sent_words(sent) in errors, errors
    assert not ranks_of(desk.experiments / "dying")
    assert "--resume dying --engine swift-t" in output
    assert state(desk, "dying")["state"] == "interrupted"
    kept = records(desk, "dying")
    assert len(kept) >= 3
    done = desk.search("--resume", "dying")
    assert done.returncode == 0, done.stderr
    lines = records(desk, "dying")
    assert lines[: len(kept)] == kept
    assert len({line["evaluation"] for line in lines}) == len(lines) == 10


def ranks_of(experiment: Path) -> dict[int, int]:
    """The process ids of the ranks of the experiment's launches that live, by their numbers."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"COMPARATOR_LAUNCH={experiment}/".encode() in environment and command.split(b"\0")[0].endswith(b"tclsh8.6"):
            values = dict(each.split("=", 1) for each in environment.decode().split("\0") if "=" in each)
            number = next(values[name] for name in RANK_VARIABLES if name in values)
            found[int(number)] = int(entry.name)
    return found


def lose(experiment: Path, role: str, sent: signal.Signals) -> None:
    """Send a signal to the rank that plays a role; the last two are the resident rank and the server."""
    ranks = ranks_of(experiment)
    os.kill(ranks[{"worker": 0, "resident": max(ranks) - 1, "server": max(ranks)}[role]], sent)


def sent_words(sent: signal.Signals) -> str:
    return "was stopped" if sent == signal.SIGSTOP else f"was killed by {sent.name}"


def test_ctrl_c_ends_all_ranks_and_the_other_engine_goes_on(desk: Desk) -> None:
    file = experiment(desk, "search.toml", "steady_state", "population = 4\nevaluations = 60", sleep=0.4)
    process = desk.start("search", file, "--id", "stopped", "--engine", "swift-t")
    wait_for(lambda: len(records(desk, "stopped")) >= 2)
    assert desk.run("stop", "stopped").returncode == 0
    assert process.wait(ENDED_SECONDS) == 130
    wait_for(lambda: not ranks_of(desk.experiments / "stopped"))
    assert state(desk, "stopped")["state"] == "stopped"
    done = desk.search("--resume", "stopped", "--engine", "swift-t")
    assert done.returncode == 0, done.stderr
    assert len(records(desk, "stopped")) == 60


def test_an_algorithm_of_the_users_own_and_its_exception(desk: Desk) -> None:
    desk.write(
        "breaking.py",
        textwrap.dedent(
            """
            import eqpy, json

            def run():
                eqpy.OUT_put("Params")
                size = int(eqpy.IN_get())
                eqpy.OUT_put(";".join(json.dumps({"noise": 10 * n, "size": size}) for n in range(3)))
                assert len(eqpy.IN_get().split(";")) == 3
                raise ValueError("it's over")
            """
        ),
    )
    file = experiment(desk, "own.toml", "breaking.py", 'parameters = "50"')
    done = desk.search(file, "--id", "own", "--engine", "swift-t")
    assert done.returncode == 1
    assert "comparator: the search algorithm failed: ValueError: it's over" in done.stderr
    assert 'raise ValueError("it\'s over")' in (desk.experiments / "own" / "errors.log").read_text()
    assert [line["status"] for line in records(desk, "own")] == ["ok"] * 3


def test_a_walltime_ends_a_sitting_in_time_and_it_goes_on(desk: Desk) -> None:
    file = experiment(desk, "search.toml", "random", "evaluations = 1000", sleep=0.3)
    done = desk.search(file, "--id", "short", "--engine", "swift-t", "--walltime", "00:00:40")
    assert done.returncode == 75, done.stderr
    assert 0 < len(records(desk, "short")) < 1000
    assert all(line["status"] == "ok" for line in records(desk, "short"))
    assert state(desk, "short")["state"] == "stopped"


def test_a_script_of_emews_runs_unchanged(tmp_path: Path) -> None:
    (tmp_path / "workflow.swift").write_text(
        textwrap.dedent(
            """
            import io;
            import location;
            import python;
            import string;
            import sys;
            import EQPy;

            (string answer) work(string point) {
              answer = python_persist("", "str(float(%s['x']) ** 2)" % point);
            }

            (void v) loop(location ME) {
              for (boolean going = true, int i = 1; going; going = next, i = i + 1) {
                string points = EQPy_get(ME);
                boolean next;
                if (points == "DONE") {
                  string last = EQPy_get(ME);
                  printf("final: %s", last) => v = make_void() => next = false;
                } else {
                  string answers[];
                  foreach point, index in split(points, ";") { answers[index] = work(point); }
                  EQPy_put(ME, join(answers, ";")) => next = true;
                }
              }
            }

            location ME = locationFromRank(string2int(getenv("RESIDENT_WORK_RANKS")));
            EQPy_init_package(ME, "resident_algorithm") =>
              string asked = EQPy_get(ME) =>
              printf("asked: %s", asked) =>
              EQPy_put(ME, "3, 2, \\"it's a label\\"") =>
              loop(ME) => EQPy_stop(ME);
            """
        )
    )
    path = os.pathsep.join([str(ROOT / "python"), str(ROOT / "test" / "unit" / "data")])
    done = subprocess.run(
        ["swift-t", "-n", "4", "-I", str(ROOT / "swift"), "-o", "workflow.tic", "workflow.swift"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "TURBINE_RESIDENT_WORK_WORKERS": "1", "RESIDENT_WORK_RANKS": "2"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "asked: Params" in done.stdout, done.stdout + done.stderr
    assert "final: [0.0, 0.0]" in done.stdout, done.stdout + done.stderr


def test_a_rank_ends_without_taking_its_python_down(tmp_path: Path) -> None:
    """Extension modules were seen to crash when that is done inside exit(3), and the rank to hang with its job."""
    (tmp_path / "ending.swift").write_text(
        textwrap.dedent(
            """
            import python;
            trace(python_persist("import atexit, sys; atexit.register(print, 'taken down', file=sys.stderr)", "'up'"));
            trace(python_persist("from comparator import ranks", "str(ranks.end_without_finalising())"));
            """
        )
    )
    done = subprocess.run(
        ["swift-t", "-n", "2", "-o", "ending.tic", "ending.swift"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path())},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "up" in done.stdout and "taken down" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Cluster]:
    with slurm.running_cluster(nodes=2, devices=2) as started:
        yield started


@needs_slurm
class TestSlurm:
    """Real jobs of a real Slurm, on nodes that are all this machine."""

    @pytest.fixture
    def desk(self, tmp_path: Path, cluster: slurm.Cluster, monkeypatch: pytest.MonkeyPatch) -> Desk:
        for name, value in {**cluster.environment, "SITE_MODELS_PER_DEVICE": "2"}.items():
            monkeypatch.setenv(name, value)
        return furnished(Desk(tmp_path))

    def test_every_run_has_a_device_of_its_own(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml", "random", "evaluations = 12", model="device", sleep=0.3)
        told = desk.run("search", file, "--id", "bound", "--site", "slurm", "--nodes", "2", "--workers-per-node", "2")
        assert told.returncode == 0 and "submitted as job" in told.stdout, told.stderr
        watched = desk.run("watch", "bound")
        assert "bound: finished" in watched.stdout and "report.html" in watched.stdout, watched.stdout
        of_worker = defaultdict(set)
        for line in records(desk, "bound"):
            for run in line["runs"]:
                assert float(run["device"]) == run["metrics"]["device"]
                assert run["metrics"]["is_a_rank"] == 0
                of_worker[line["worker"]].add(run["device"])
        assert all(len(devices) == 1 for devices in of_worker.values())
        on_node = defaultdict(list)
        for worker, devices in of_worker.items():
            on_node[worker.partition("/")[0]] += devices
        assert all(len(set(devices)) == len(devices) for devices in on_node.values()), on_node

    def test_a_job_is_watched_refused_twice_and_cancelled(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        file = experiment(desk, "search.toml", "random", "evaluations = 500", sleep=0.3)
        assert desk.search(file, "--id", "long", "--site", "slurm", "--resume-jobs", "1").returncode == 0
        wait_for(lambda: records(desk, "long"))
        again = desk.search("--resume", "long", "--site", "slurm")
        assert again.returncode == 2 and "is running as job" in again.stderr
        stopped = desk.run("stop", "long")
        assert stopped.returncode == 0 and "cancelled job" in stopped.stdout, stopped.stderr
        listed = json.loads(desk.run("list", "--json").stdout)
        assert listed[0]["state"] == "stopped"
        kept = len(records(desk, "long"))
        monkeypatch.setenv("SITE_DEVICES", "0")
        process = desk.start("search", "--resume", "long", "--site", "local", "--no-report")
        wait_for(lambda: len(records(desk, "long")) > kept)
        assert desk.run("stop", "long").returncode == 0
        assert process.wait(ENDED_SECONDS) == 130

    def test_a_check_compares_what_ranks_on_two_nodes_find(self, desk: Desk) -> None:
        done = desk.run("site", "check", "slurm", "--job")
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout.splitlines()
        assert "holds    job script: Slurm takes one for 1 nodes and 01:00:00, by sbatch --test-only" in said
        assert "holds    ranks: 7 of 7 ranks said where they are: n1: 4, n2: 3" in said
        assert "holds    devices: CUDA_VISIBLE_DEVICES, each worker its own: n1: 0 1 0 1, n2: 0 1 0" in said
        assert any(line.startswith("holds    store: all nodes write into") for line in said)
        assert any(line.startswith("holds    software: the same on all nodes: Python 3") for line in said)

    def test_a_job_by_swift_ts_own_template_runs_as_before(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml", "random", "evaluations = 4")
        words = ("--site", "slurm", "--workers-per-node", "2")
        told = desk.run("search", file, "--id", "before", *words, SITE_JOB_SCRIPT="swift-t")
        assert told.returncode == 0 and "submitted as job" in told.stdout, told.stderr
        assert "before: finished" in desk.run("watch", "before").stdout
        assert len(records(desk, "before")) == 4
        launch = desk.experiments / "before" / "launch-1"
        assert (launch / "turbine-slurm.sh").exists() and not (launch / "job.sh").exists()

    def test_a_job_that_the_scheduler_refuses(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml")
        done = desk.run("search", file, "--id", "refused", "--site", "slurm", "--queue", "nosuch")
        assert done.returncode == 1 and "the job was not taken: sbatch: error" in done.stderr
        checked = desk.run("site", "check", "slurm", SITE_QUEUE="nosuch")
        assert checked.returncode == 1 and "FAILS    job script: invalid partition" in checked.stdout, checked.stdout
        assert "nosuch" in done.stderr or "partition" in done.stderr

    def test_the_next_job_goes_on_with_what_is_left(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml", "random", "evaluations = 400", sleep=0.6)
        words = ["--site", "slurm", "--walltime", "00:00:30", "--resume-jobs", "1"]
        assert desk.search(file, "--id", "chain", *words).returncode == 0
        wait_for(lambda: state(desk, "chain")["launch"] == "launch-2" and state(desk, "chain")["state"] == "stopped")
        assert state(desk, "chain")["reason"] == "by the end of the walltime"
        lines = records(desk, "chain")
        assert len({line["evaluation"] for line in lines}) == len(lines) > 3
        assert all(line["status"] == "ok" for line in lines)

    def test_jobs_that_lose_a_rank_end_in_time_and_the_next_go_on(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml", "steady_state", "population = 4\nevaluations = 36", sleep=0.5)
        words = ["--site", "slurm", "--workers-per-node", "2"]
        assert desk.search(file, "--id", "dying", *words, "--resume-jobs", "1").returncode == 0
        for launch, role in (("launch-1", "worker"), ("launch-2", "resident"), ("launch-3", "server")):
            if launch == "launch-3":
                assert desk.search("--resume", "dying", *words).returncode == 0
            had = len(records(desk, "dying"))
            wait_for(lambda: state(desk, "dying")["launch"] == launch)  # noqa: B023  it is called here
            wait_for(lambda: len(records(desk, "dying")) > had)  # noqa: B023
            lose(desk.experiments / "dying", role, signal.SIGKILL)
            job = (desk.experiments / "dying" / launch / "jobid.txt").read_text().strip()
            wait_for(lambda: state(desk, "dying")["state"] == "interrupted", ENDED_SECONDS)
            said = state(desk, "dying")
            assert said["launch"] == launch and role in said["reason"], said
            assert "was killed by SIGKILL" in said["reason"], said
            wait_for(lambda: Slurm().state_of(job) == "gone", ENDED_SECONDS)  # noqa: B023
        done = desk.search("--resume", "dying", "--site", "local", SITE_DEVICES="0", SITE_CORES="4")
        assert done.returncode == 0, done.stderr
        lines = records(desk, "dying")
        assert len({line["evaluation"] for line in lines}) == len(lines) == 36

    def test_a_job_that_is_killed_as_it_writes_the_report_has_finished_its_experiment(self, desk: Desk) -> None:
        file = experiment(desk, "search.toml", "random", "evaluations = 4")
        assert desk.run("search", file, "--id", "whole", "--site", "slurm", "--workers-per-node", "2").returncode == 0
        wait_for(lambda: state(desk, "whole")["state"] == "finished")
        lose(desk.experiments / "whole", "resident", signal.SIGKILL)
        watched = desk.run("watch", "whole").stdout
        assert "whole: finished" in watched and "report: not made; make it by:" in watched, watched
        assert desk.run("report", "whole").returncode == 0
        assert (desk.experiments / "whole" / "report.html").exists()
