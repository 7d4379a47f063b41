"""What is handed to Swift/T and to schedulers, which needs neither to be looked at: layout, environment, job, site."""

from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from desk import EXPERIMENT, Desk
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from comparator import ranks
from comparator.checks import site as site_check
from comparator.engine import jobs
from comparator.engine.interface import EngineOptions, Task, usable_seconds
from comparator.engine.keeper import LOCAL_RANK_VARIABLES
from comparator.engine.launches import launches
from comparator.engine.leaf import Leaf
from comparator.engine.machine_faults import fault_of_folder
from comparator.engine.swift_t_launch import Launch, Layout, Resources, check, rehearse
from comparator.errors import ComparatorError, InputError
from comparator.experiment.host import open_host
from comparator.experiment.worker import WorkerPlace
from comparator.formats.finding import FAILS, HOLDS, UNTESTED
from comparator.results.frozen import FrozenExperiment
from comparator.results.state import say
from comparator.site.profile import Site, clock, job_word, launch_environment, read_site, seconds_of
from comparator.site.schedulers import SCHEDULERS
from comparator.strategies.resident import split_points

ROOT = Path(__file__).resolve().parents[3]
SITES = ("aurora", "frontier", "lambda7", "local", "pbs", "perlmutter", "polaris", "slurm")


@given(nodes=st.integers(1, 2000), workers=st.integers(1, 64))
def test_no_node_has_more_workers_than_places(nodes: int, workers: int) -> None:
    layout = Layout(nodes, workers)
    if layout.workers < 1:
        return
    on_node = layout.processes_per_node
    of_last = layout.processes - (nodes - 1) * on_node
    assert layout.workers + layout.servers + 1 == layout.processes
    assert layout.resident_rank == layout.workers
    assert 0 < of_last <= on_node
    if nodes == 1:
        assert layout.workers == workers
    else:
        assert on_node <= workers
        assert nodes * workers - layout.workers == 1 + layout.servers


def launch(tmp_path: Path, **of_site: object) -> Launch:
    site = Site("there", "", ("swift-t",), tmp_path / "data", 4, 1, "CUDA_VISIBLE_DEVICES", "ascending", 2, **of_site)  # type: ignore[arg-type]
    task = Task(tmp_path / "experiments" / "ga-1", ROOT, site, warm=True, reports=True, is_sweep=False)
    return Launch(task, Resources(Layout(3, 4), 5400, "debug", "cancer", 1))


def test_what_a_job_is_told(tmp_path: Path) -> None:
    made = launch(
        tmp_path, scheduler="pbs", directives=("-l place=scatter", "-l filesystems=home"), launch_options="-n {ranks}"
    )
    folder = tmp_path / "launch-1"
    told = made.environment(folder, after="17.server")
    assert made.command(folder)[:5] == ["swift-t", "-m", "pbs", "-n", "12"]
    assert made.command(folder)[-1].endswith("swift/search.swift")
    assert told["TURBINE_DIRECTIVE"].splitlines() == [
        "#PBS -l place=scatter",
        "#PBS -l filesystems=home",
        "#PBS -W depend=afterany:17.server",
    ]
    expected = {"PROCS": "12", "PPN": "4", "WALLTIME": "01:30:00", "QUEUE": "debug", "PROJECT": "cancer"}
    assert {name: told[name] for name in expected} == expected
    assert told["RESIDENT_WORK_RANKS"] == "10" and told["TURBINE_LAUNCH_OPTIONS"] == "-n 12"
    slurm = launch(tmp_path, scheduler="slurm").environment(folder, after="17")
    assert slurm["TURBINE_DIRECTIVE"] == "#SBATCH --dependency=afterany:17"


def turbine(folder: Path) -> dict[str, str]:
    """Programs of a Swift/T that only say where its settings are, and an environment that has them."""
    for name in ("swift-t", "stc", "turbine"):
        (folder / name).write_text(f"#!/bin/sh\necho {folder}/settings.sh\n")
        (folder / name).chmod(0o755)
    settings = ["TURBINE_HOME=/turbine", "TURBINE_LAUNCHER=${TURBINE_LAUNCHER:-/opt/mpiexec}", "TCLSH=/opt/tclsh"]
    (folder / "settings.sh").write_text("\n".join(settings) + "\n")
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "LD_LIBRARY_PATH": "/some/lib"}


@pytest.mark.parametrize(
    ("scheduler", "launcher", "given"),
    [
        ("slurm", None, "srun --nodes=3 --ntasks=12 --ntasks-per-node=4 -c 8"),
        ("slurm", "ibrun", "ibrun --nodes=3 --ntasks=12 --ntasks-per-node=4 -c 8"),
        ("pbs", None, "/opt/mpiexec -c 8"),
    ],
)
def test_a_script_of_our_own_starts_the_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, launcher: str | None, given: str
) -> None:
    """What its last line calls, carried out with a launcher that says what it is given."""
    root = tmp_path / "root"
    (root / "sites").mkdir(parents=True)
    (root / "sites" / "there.sh").write_text("site_worker() { export PATH=/modules:$PATH; }\n")
    options = "-c $(( 32 / {ranks_per_node} ))"
    made = launch(tmp_path, scheduler=scheduler, job_script="comparator", launch_options=options)
    made = Launch(replace(made.task, root=root), made.resources)
    folder = tmp_path / "launch-1"
    folder.mkdir()
    (folder / "worker.sh").write_text(made.worker_script())
    text = made.job_script(folder, turbine(tmp_path), after="17")
    mark = SCHEDULERS[scheduler].mark
    directives = [line for line in text.splitlines() if line.startswith(mark)]
    assert any("17" in line for line in directives) and any(str(folder / "output.txt") in line for line in directives)
    called = 'called() { printf "%s\\n" "$*" "$PATH" "$PYTHONPATH" "$RESIDENT_WORK_RANKS"; }\n'
    *setup, last = text.replace("\n\n", "\n").strip().splitlines()
    if launcher is not None:
        monkeypatch.setenv("TURBINE_LAUNCHER", launcher)
    else:
        monkeypatch.delenv("TURBINE_LAUNCHER", raising=False)
    done = subprocess.run(
        ["bash", "-euc", "\n".join([called, *setup, f"called {last}"])], capture_output=True, text=True
    )
    words, path, python_path, resident = done.stdout.splitlines()
    assert words == f"{given} {ROOT}/swift/rank.sh /opt/tclsh {folder}/search.tic", done.stderr
    assert path.startswith(f"/modules:{tmp_path}") and python_path.startswith("/turbine/py:") and resident == "10"
    assert made.environment(folder) == made.ranks_environment(folder) and "PROCS" not in made.environment(folder)


def test_a_dry_run_shows_the_script_of_our_own_or_why_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    (root / "sites").mkdir(parents=True)
    (root / "sites" / "there.sh").write_text("site_launch() { :; }\n")
    made = launch(tmp_path, scheduler="pbs", job_script="comparator")
    made = Launch(replace(made.task, root=root), made.resources)
    folder = made.task.experiment / "launch-1"
    monkeypatch.setenv("PATH", turbine(tmp_path)["PATH"])
    shown = rehearse(made)
    assert f"stc -I {ROOT}/swift -r {ROOT}/swift -o {folder}/search.tic {ROOT}/swift/search.swift" in shown
    assert "#PBS -l select=3:ncpus=4:ngpus=4:mpiprocs=4\n" in shown and f"#PBS -o {folder}/output.txt\n" in shown
    assert not folder.exists()
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    if shutil.which("swift-t") is None:
        assert "the job script cannot be written here: site 'there', engine swift-t: there is no program" in rehearse(
            made
        )


def test_a_job_that_lacks_what_its_site_requires_is_refused_before_it_is_handed_in(tmp_path: Path) -> None:
    made = launch(tmp_path, scheduler="pbs", requires="SITE_QUEUE SITE_PROJECT")
    surroundings = turbine(tmp_path)
    check(made, surroundings)
    without = replace(made, resources=replace(made.resources, project=""))
    with pytest.raises(
        InputError, match="site 'there': its jobs must have --project, or SITE_PROJECT in the environment"
    ):
        check(without, surroundings)


def test_a_worker_has_the_place_of_its_number_on_the_node_where_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    launched, places = f"a launch of {os.getpid()}", []
    for variables, number in (
        ({"SLURM_LOCALID": "0", "PMI_LOCAL_RANK": "2"}, 2),
        ({"SLURM_LOCALID": "0", "PALS_LOCAL_RANKID": "3"}, 3),
        ({"SLURM_LOCALID": "3"}, 0),
        ({"SLURM_LOCALID": "7"}, 1),
    ):
        with monkeypatch.context() as patched:
            for name in LOCAL_RANK_VARIABLES:
                patched.delenv(name, raising=False)
            for name, value in variables.items():
                patched.setenv(name, value)
            places.append(WorkerPlace(launched, 4))
            assert places[-1].number == number
    for place in places:
        place.leave()


def test_without_a_scheduler_the_ranks_run_here(tmp_path: Path) -> None:
    made = launch(tmp_path)
    assert "-m" not in made.command(tmp_path)
    assert "QUEUE" not in made.environment(tmp_path)
    assert float(made.environment(tmp_path)["COMPARATOR_DEADLINE"]) > 0


@pytest.mark.parametrize("text", ["a;b", "$(id)", "a b", "-x", "a\nb", "`id`", "'"])
def test_hostile_words_do_not_reach_a_job_script(text: str) -> None:
    with pytest.raises(InputError, match="job script"):
        job_word(text, "--queue")
    with pytest.raises(InputError):
        open_host(ROOT, ROOT, "pbs", EngineOptions(project=text), warm=True, console=Console(quiet=True))


@pytest.mark.parametrize("name", ["a b", "it's", "$HOME", "a;b", "a`b"])
def test_hostile_paths_do_not_reach_a_job_script(tmp_path: Path, name: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "swift-t").touch(mode=0o755)
    surroundings = {"PATH": str(tmp_path / "bin")}
    check(launch(tmp_path, scheduler="slurm"), surroundings)
    with pytest.raises(InputError, match="job script"):
        check(launch(tmp_path / name, scheduler="slurm"), surroundings)
    check(launch(tmp_path / name), surroundings)


def test_no_swift_t_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no program swift-t on the PATH"):
        check(launch(tmp_path), {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("exit 3", "the ranks ended with exit status 3; see {experiments}/quick-1/launch-1/output.txt"),
        ('mv "$COMPARATOR_EXPERIMENTS" away; exit 3', "{experiments}: is gone, or cannot be read"),
    ],
)
def test_where_ranks_can_say_no_word_what_hindered_them_is_told(tmp_path: Path, does: str, words: str) -> None:
    desk = Desk(tmp_path)
    program = desk.write("swift-t", f"#!/bin/sh\ncd '{tmp_path}'\n{does}\n")
    program.chmod(0o755)
    done = desk.search("quick.toml", "--engine", "swift-t", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (1, f"comparator: {words.format(experiments=desk.experiments)}\n")


def test_a_disk_without_room_is_told_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault_of_folder(tmp_path, tmp_path) is None

    def full(dir: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    told = fault_of_folder(tmp_path, tmp_path)
    assert told is not None and told.startswith(f"{tmp_path}: No space left on device; what is finished is kept")


def test_the_nodes_are_set_up_by_the_site(tmp_path: Path) -> None:
    root = tmp_path / "it's $(here)"
    (root / "sites").mkdir(parents=True)
    (root / "sites" / "there.sh").write_text("site_worker() { echo worker set up; }\n")
    made = launch(tmp_path)
    script = Launch(replace(made.task, root=root), made.resources).worker_script()
    done = subprocess.run(["bash", "-euc", script + 'echo "$COMPARATOR_ROOT"'], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["worker set up", str(root)], done.stderr


def test_times() -> None:
    assert seconds_of("01:30:05", "x") == 5405 and clock(5405) == "01:30:05"
    assert usable_seconds(3600) == 3540 and usable_seconds(20) == 19
    for wrong in ("1h", "90", "00:00:00", "01:99:00"):
        with pytest.raises(InputError, match="HH:MM:SS"):
            seconds_of(wrong, "--walltime")


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()))
def test_texts_pass_through_tcl_and_python_whole(point: dict[str, object]) -> None:
    text = ranks._without_quotes(json.dumps({"point": point}))
    assert "'" not in text and "\n" not in text
    assert json.loads(eval(f"r'{text}'")) == {"point": point}
    assert split_points(json.dumps(point)) == [point]


# Sites


@pytest.mark.parametrize("name", SITES)
def test_every_site_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITE_DEVICES", raising=False)
    site = read_site(name, ROOT)
    assert site.slots() and site.description
    assert len(open_host(ROOT, ROOT, name, EngineOptions(), warm=True, console=Console(quiet=True)).slots) == len(
        site.slots()
    )


def test_polaris_gives_out_its_devices_from_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    site = read_site("polaris", ROOT)
    assert [slot.device for slot in site.slots()] == ["3", "2", "1", "0"] * 2
    assert site.scheduler == "pbs" and "-l filesystems=home:eagle" in site.directives


def test_devices_that_are_given_are_those_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = launch(tmp_path).task.site
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in site.slots()] == ["4", "5", "6", "7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    with pytest.raises(InputError, match="SITE_DEVICES=4, but CUDA_VISIBLE_DEVICES=4,5 allows 2"):
        site.slots()


def test_a_login_node_without_devices_says_nothing_of_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    site = read_site("polaris", ROOT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert len(site.slots()) == 8
    monkeypatch.setenv("PBS_JOBID", "1.polaris")
    with pytest.raises(InputError, match="CUDA_VISIBLE_DEVICES= allows none"):
        site.slots()


def site_folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "here.sh").write_text(textwrap.dedent(text))
    return tmp_path


def test_what_a_site_sets_up_reaches_swift_t(tmp_path: Path) -> None:
    root = site_folder(
        tmp_path,
        """
        export TURBINE_SOMETHING=1
        site_launch() { echo noise; export LOADED="two
        lines"; }
        site_worker() { export ON_NODE=1; }
        """,
    )
    site = read_site("here", root)
    here = launch_environment(site, root, workers_too=False)
    assert here["LOADED"].startswith("two\n") and here["TURBINE_SOMETHING"] == "1" and "ON_NODE" not in here
    assert launch_environment(site, root, workers_too=True)["ON_NODE"] == "1"


def test_a_site_function_that_fails_is_told(tmp_path: Path) -> None:
    root = site_folder(tmp_path, "site_launch() { no_such_module_command load x; }\n")
    with pytest.raises(InputError, match="no_such_module_command"):
        launch_environment(read_site("here", root), root, workers_too=False)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SITE_SCHEDULER=lsf", "must be one of none, slurm, pbs"),
        ("SITE_WALLTIME=1h", "HH:MM:SS"),
        ("SITE_QUEUE='a;b'", "job script"),
        ("SITE_WORKERS_PER_NODE=many", "whole number"),
        ("SITE_TOGETHER=0", "SITE_TOGETHER='0': must be a whole number from 1"),
        ("exit 3", "exit status 3"),
    ],
)
def test_a_wrong_line_of_a_site_is_named(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_site("here", site_folder(tmp_path, line + "\n"))


def test_an_engine_that_a_site_names_and_nobody_has_is_named(tmp_path: Path) -> None:
    root = site_folder(tmp_path, "SITE_ENGINES='local swift'\n")
    with pytest.raises(
        InputError,
        match=r"here.sh:1: SITE_ENGINES='local swift': there is no engine 'swift' \(did you mean 'swift-t'\?\);",
    ):
        open_host(root, root, "here", EngineOptions(), warm=True, console=Console(quiet=True))
    found = next(site_check.check_site("here", root))
    assert (found.what, found.outcome) == ("the file", FAILS) and "no engine 'swift'" in found.words


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (EngineOptions(nodes=2), "--nodes: the local engine"),
        (EngineOptions(queue="x"), "--queue: the local engine"),
        (EngineOptions(resume_jobs=1), "--resume-jobs: the local engine runs on this machine alone; --engine swift-t"),
        (EngineOptions(engine="swift-t", nodes=2), "has no scheduler"),
        (EngineOptions(engine="swift-t", workers=1000), r"^--workers 1000: a node of site 'local' has \d+ slots$"),
        (EngineOptions(engine="swift-t", workers_per_node=1000), r"^--workers-per-node 1000: a node of site"),
        (EngineOptions(engine="swift-t", resume_jobs=1), "has no scheduler"),
        (EngineOptions(engine="swift"), "nearest|has local"),
    ],
)
def test_what_a_site_cannot_give_is_told(asked: EngineOptions, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_host(ROOT, ROOT, "local", asked, warm=True, console=Console(quiet=True))


def test_a_check_of_a_site_finds_what_fails(tmp_path: Path) -> None:
    root = site_folder(
        tmp_path,
        f"""
        SITE_ENGINES="swift-t local"
        SITE_SCHEDULER=pbs
        CANDLE_DATA_DIR={shlex.quote(str(tmp_path / "data"))}
        site_launch() {{ export PATH=/nowhere; }}
        """,
    )
    found = {each.what: each for each in site_check.check_site("here", root)}
    assert found["CANDLE_DATA_DIR"].outcome == HOLDS
    assert found["Swift/T"].outcome == FAILS and "swift-t" in found["Swift/T"].words
    assert found["scheduler"].outcome == FAILS
    assert found["site_worker"].outcome == UNTESTED
    with pytest.raises(InputError, match="no site"):
        next(site_check.check_site("nowhere", root))


DEVICES = {
    "nvidia-smi": ("CUDA_VISIBLE_DEVICES", "GPU 0: NVIDIA A100 (UUID: x)\n  MIG 1g Device 0\nGPU 1: NVIDIA A100\n"),
    "rocm-smi": ("ROCR_VISIBLE_DEVICES", "== ROCm ==\nGPU[0]\t: Node ID: 4\nGPU[0]\t: GUID: 5\nGPU[1]\t: Node ID: 5\n"),
    "xpu-smi": ("ZE_AFFINITY_MASK", "Device ID\n0\n1\n"),
}  # fmt: skip


@pytest.mark.parametrize("program", DEVICES)
def test_devices_are_counted_and_not_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    variable, printed = DEVICES[program]
    (tmp_path / program).write_text(f"#!/bin/sh\nprintf %s {shlex.quote(printed)}\n")
    (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(variable, raising=False)
    for devices, outcome in ((2, HOLDS), (3, FAILS)):
        root = tmp_path / str(devices)
        root.mkdir()
        site_folder(root, f"SITE_ENGINES=local\nSITE_DEVICES={devices}\nSITE_DEVICE_VARIABLE={variable}\n")
        found = {each.what: each for each in site_check.check_site("here", root)}
        words = f"2 seen by {program}, {devices} in the file"
        assert (found["SITE_DEVICES"].outcome, found["SITE_DEVICES"].words) == (outcome, words)


def test_what_is_not_there_is_not_said_to_hold(tmp_path: Path) -> None:
    text = "SITE_ENGINES=local\nSITE_DEVICES=1\nSITE_DEVICE_VARIABLE=MY_DEVICES\n"
    found = {each.what: each for each in site_check.check_site("here", site_folder(tmp_path, text))}
    functions, devices = found["site_launch and site_worker"], found["SITE_DEVICES"]
    assert (functions.outcome, "has none" in functions.words) == (UNTESTED, True)
    assert (devices.outcome, "MY_DEVICES" in devices.words) == (UNTESTED, True)


# Jobs


SLURM_STATES = {
    "queued": "PENDING CONFIGURING REQUEUED REQUEUE_FED REQUEUE_HOLD RESV_DEL_HOLD SPECIAL_EXIT",
    "running": "RUNNING COMPLETING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED",
    "gone": "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT",
    None: "A_STATE_OF_2040",
}
PBS_STATES = {"queued": "Q H W T", "running": "B R E S U", "gone": "F X C", None: "M Z"}
COMPLAINTS = [
    ("slurm", "slurm_load_jobs error: Invalid job id specified", "gone"),
    ("slurm", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", None),
    ("slurm", "squeue: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host", None),
    ("pbs", "qstat: Unknown Job Id 17.server", "gone"),
    ("pbs", "qstat: Unknown Job Id Error 17.server", "gone"),
    ("pbs", "qstat: 17.server Job has finished, use -x or -H to obtain historical job information", "gone"),
    ("pbs", "Unknown Host.\nqstat: cannot connect to server unknown (errno=15008)", None),
    ("pbs", "qstat: Invalid credential", None),
]


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """A program of a scheduler in front of all others on the PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    if not os.environ["PATH"].startswith(f"{folder}{os.pathsep}"):
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("name", "form", "states"), [("slurm", "%s\n", SLURM_STATES), ("pbs", "    job_state = %s\n", PBS_STATES)]
)
def test_every_state_that_a_scheduler_documents_is_known_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str, states: dict[str | None, str]
) -> None:
    scheduler = SCHEDULERS[name]()
    for state, words in states.items():
        for word in words.split():
            stand_in(tmp_path, monkeypatch, scheduler.query[0], f"printf %s {shlex.quote(form % word)}")
            assert scheduler.state_of("17") == state, word


@pytest.mark.parametrize(("name", "complaint", "state"), COMPLAINTS)
def test_a_job_is_gone_only_where_the_scheduler_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str, state: str | None
) -> None:
    scheduler = SCHEDULERS[name]()
    stand_in(tmp_path, monkeypatch, scheduler.query[0], f"echo {shlex.quote(complaint)} >&2\nexit 1")
    assert scheduler.state_of("17") == state
    stand_in(tmp_path, monkeypatch, scheduler.query[0], "exit 1")
    assert scheduler.state_of("17") is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert scheduler.state_of("17") is None


def launched(folder: Path, *job_ids: str) -> Path:
    """An experiment of which the first of these jobs of Slurm says that it runs it."""
    experiment = folder / "mine"
    for number, job in enumerate(job_ids, start=1):
        launch = experiment / f"launch-{number}"
        launch.mkdir(parents=True)
        (launch / "launch.json").write_text(json.dumps({"site": {"scheduler": "slurm"}, "pid": 1}))
        (launch / "jobid.txt").write_text(f"{job}\n")
    say(experiment, "running", [], None, "launch-1")
    return experiment


@pytest.mark.parametrize(
    "content", ["{}", "[]", "7", '{"site": 1, "pid": 1}', '{"pid": 1, "site": {"scheduler": "nqs"}}', '{"site": {"sch']
)
def test_of_a_launch_whose_file_is_damaged_the_last_word_stands(tmp_path: Path, content: str) -> None:
    experiment = launched(tmp_path, "17")
    (experiment / "launch-1" / "launch.json").write_text(content)
    (experiment / "launch-1.bak").mkdir()
    say(experiment, "finished", [], None, "launch-1")
    assert jobs.state_of(experiment).state == "finished"
    assert jobs.is_closing(experiment)  # by the process that said it, this one
    assert [folder.name for folder in launches(experiment)] == ["launch-1"]


SQUEUE = 'for job; do :; done; cat "{folder}/job-$job"'


def test_stop_says_cancelled_only_of_jobs_that_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = launched(tmp_path, "17", "18")
    for job, state in (("17", "RUNNING"), ("18", "PENDING")):
        (tmp_path / f"job-{job}").write_text(f"{state}\n")
    stand_in(tmp_path, monkeypatch, "squeue", SQUEUE.format(folder=tmp_path))
    stand_in(tmp_path, monkeypatch, "scancel", "echo 'scancel: error: Access denied' >&2; exit 1")
    with pytest.raises(ComparatorError, match="scancel 18: scancel: error: Access denied"):
        jobs.stop(experiment)
    stand_in(tmp_path, monkeypatch, "scancel", "true")
    monkeypatch.setattr(jobs, "CANCELLING_SECONDS", 0.0)
    with pytest.raises(ComparatorError, match="of job 17, 18 was accepted, but Slurm does not say that it is over"):
        jobs.stop(experiment)
    assert jobs.state_of(experiment).state == "running"
    stand_in(tmp_path, monkeypatch, "scancel", f'echo CANCELLED > "{tmp_path}/job-$1"')
    monkeypatch.undo()
    stand_in(tmp_path, monkeypatch, "squeue", SQUEUE.format(folder=tmp_path))
    assert jobs.stop(experiment) == "cancelled job 17, 18"
    assert jobs.state_of(experiment).state == "stopped"


def test_an_experiment_whose_next_job_waits_is_queued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = launched(tmp_path, "17", "18")
    (tmp_path / "job-17").write_text("FAILED\n")
    (tmp_path / "job-18").write_text("PENDING\n")
    stand_in(tmp_path, monkeypatch, "squeue", SQUEUE.format(folder=tmp_path))
    state = jobs.state_of(experiment)
    assert (state.state, state.job) == ("queued", "18")
    (tmp_path / "job-18").write_text("COMPLETED\n")
    assert jobs.state_of(experiment).state == "interrupted"
    stand_in(tmp_path, monkeypatch, "squeue", "exit 1")
    assert jobs.state_of(experiment).state == "running"


def test_a_report_is_waited_for_while_what_writes_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = launched(tmp_path, "17")
    (tmp_path / "job-17").write_text("RUNNING\n")
    stand_in(tmp_path, monkeypatch, "squeue", SQUEUE.format(folder=tmp_path))
    say(experiment, "finished", [], None, "launch-1")
    assert jobs.is_closing(experiment)
    (tmp_path / "job-17").write_text("COMPLETED\n")
    assert not jobs.is_closing(experiment)
    stand_in(tmp_path, monkeypatch, "squeue", "exit 1")
    assert jobs.is_closing(experiment)
    os.utime(experiment / "state.json", (0, 0))
    assert not jobs.is_closing(experiment)
    say(experiment, "finished", [], None, None)
    assert jobs.is_closing(experiment)  # this very process


@pytest.mark.long
def test_an_algorithm_that_puts_points_outside_the_space_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    algorithm = desk.write("own.py", 'import eqpy\n\ndef run():\n    eqpy.OUT_put(\'{"noise": 60, "size": 20}\')\n')
    desk.write("own.toml", EXPERIMENT.replace('"steady_state"\npopulation = 4', '"own.py"\npilot = 0'))
    done = desk.search("own.toml", "--id", "own")
    words = f"comparator: {algorithm} proposed a point: 'noise': 60.0 is not between 0.0 and 50.0"
    assert (done.returncode, done.stderr.strip()) == (1, words)


@pytest.mark.long
def test_an_experiment_of_which_only_the_last_word_is_missing_is_finished(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    few = ("--set", "search.evaluations=6", "--set", "search.pilot=0", "--set", "confirm.points=0")
    assert desk.search("quick.toml", "--id", "whole", *few).returncode == 0
    record, state = desk.experiments / "whole" / "evaluations.jsonl", desk.experiments / "whole" / "state.json"
    lines = record.read_text()
    state.write_text(json.dumps({**json.loads(state.read_text()), "state": "running"}))
    assert json.loads(desk.run("list", "--json").stdout)[0]["state"] == "finished"
    watched = desk.run("watch", "whole").stdout
    assert "whole: finished" in watched and "report: not made; make it by:" in watched
    resumed = desk.search("--resume", "whole")
    assert resumed.returncode == 0 and "6 done, 0 to repeat, 0 to go" in resumed.stdout, resumed.stderr
    assert record.read_text() == lines and json.loads(state.read_text())["state"] == "finished"
    record.write_text("".join(lines.splitlines(keepends=True)[:-1]))
    state.write_text(json.dumps({**json.loads(state.read_text()), "state": "running"}))
    assert json.loads(desk.run("list", "--json").stdout)[0]["state"] == "interrupted"


def test_a_leaf_starts_nothing_that_cannot_end_in_time(tmp_path: Path) -> None:
    experiment = FrozenExperiment(id="try-1", models=[])
    own = {"experiments": tmp_path, "data_folder": tmp_path, "slots": [], "name": "x"}
    leaf = Leaf(experiment, [], lambda _: 0.0, **own, deadline=1.0)
    answer = json.loads(leaf.evaluate(json.dumps({"evaluation": 3, "replicate": 0, "point": {}, "name": None})))
    assert answer["status"] == "cancelled" and "walltime" in answer["reason"]
