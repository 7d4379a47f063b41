"""What schedulers are asked for in a job script, and what they would say against one."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest

from comparator.errors import ComparatorError, InputError
from comparator.site import pbs_rules
from comparator.site.job import Job, launch_options, script
from comparator.site.profile import Site, launch_environment, read_site
from comparator.site.schedulers import PBS, SCHEDULERS, Slurm


def site_of(tmp_path: Path, scheduler: str, *directives: str, options: str = "", devices: int = 4) -> Site:
    variable = ("CUDA_VISIBLE_DEVICES", "ascending", 2)
    return Site(
        "there", "", ("swift-t",), tmp_path, devices, 1, *variable, scheduler, "comparator",
        directives=directives, launch_options=options,
    )  # fmt: skip


JOB = Job("ga-1", Path("/store/output.txt"), 2, 8, 4, 5400, "debug", "cancer", "17")
SLURM = """
--job-name=ga-1
--output=/store/output.txt
--nodes=2
--ntasks=8
--ntasks-per-node=4
--time=01:30:00
--partition=debug
--account=cancer
--dependency=afterany:17
--gpus-per-node=4
"""
PBS_PRO = """
-N ga-1
-l select=2:ncpus=4:ngpus=4:mpiprocs=4
-l place=scatter
-l walltime=01:30:00
-j oe
-k doe
-o /store/output.txt
-V
-q debug
-A cancer
-W depend=afterany:17
-l filesystems=home
"""


@pytest.mark.parametrize(
    ("scheduler", "own", "asked"),
    [("slurm", "--gpus-per-node={devices}", SLURM), ("pbs", "-l filesystems=home", PBS_PRO)],
)
def test_what_a_job_asks_for(tmp_path: Path, scheduler: str, own: str, asked: str) -> None:
    mark = SCHEDULERS[scheduler].mark
    lines = script(site_of(tmp_path, scheduler, own), JOB, ["echo here"]).splitlines()
    assert lines[0] == "#!/bin/bash -l" and lines[-1] == "echo here"
    assert [line.removeprefix(f"{mark} ") for line in lines if line.startswith(mark)] == asked.split("\n")[1:-1]


def test_what_nobody_asks_for_is_no_line(tmp_path: Path) -> None:
    job = Job("ga-1", Path("/store/output.txt"), 1, 3, 3, 60)
    for scheduler, count in (("slurm", 6), ("pbs", 8)):
        own = ("--qos={queue}",) if scheduler == "slurm" else ("-P {project}",)
        text = script(site_of(tmp_path, scheduler, *own, devices=0), job, [])
        assert len(text.split(f"\n{SCHEDULERS[scheduler].mark} ")) - 1 == count, text
        assert "ngpus" not in text and "{" not in text


@pytest.mark.parametrize(
    ("own", "gone", "there"),
    [
        ("-l select={nodes}:system=polaris", "ncpus=", "-l place=scatter"),
        ("-lselect=2:ncpus=64,place=free", "place=scatter", "-l walltime=01:30:00"),
        ("-l nodes={nodes}:ppn={ranks_per_node}", "select=", "-l nodes=2:ppn=4"),
        ("-l nodes=2:ppn=4", "place=", "-N ga-1"),
        ("-l walltime=00:10:00", "01:30:00", "-l select=2:ncpus=4:ngpus=4:mpiprocs=4"),
        ("-N mine -j n", "ga-1", "-k doe"),
        ("-P {project}", "-A ", "-P cancer"),
    ],
)
def test_what_a_site_asks_for_is_not_asked_for_twice(tmp_path: Path, own: str, gone: str, there: str) -> None:
    lines = script(site_of(tmp_path, "pbs", own), JOB, []).splitlines()
    directives = [line.removeprefix("#PBS ") for line in lines if line.startswith("#PBS ")]
    assert there in directives and not any(gone in line for line in directives if not line.startswith(own[:8]))
    assert pbs_rules.faults(directives) == []


def test_a_queue_that_is_a_qos_is_no_partition(tmp_path: Path) -> None:
    text = script(site_of(tmp_path, "slurm", "--qos={queue}"), JOB, [])
    assert "#SBATCH --qos=debug\n" in text and "--partition" not in text and "--account=cancer" in text


def test_the_launcher_is_told_of_ranks_and_nodes(tmp_path: Path) -> None:
    options = "--cpus-per-task=$(( 56 / {ranks_per_node} ))"
    wanted = f"--nodes=2 --ntasks=8 --ntasks-per-node=4 {options.replace('{ranks_per_node}', '4')}"
    assert launch_options(site_of(tmp_path, "slurm", options=options), JOB) == wanted
    assert launch_options(site_of(tmp_path, "pbs", options="-n {ranks} --ppn {ranks_per_node}"), JOB) == "-n 8 --ppn 4"


# Each was handed to the qsub of an OpenPBS 23.06, which took it or said why not; some are those of ALCF's guides.
TAKEN = """
-l select=2:ncpus=4:ngpus=4:mpiprocs=4
-l select=2:mpiprocs=0
-l select=2:ncpus=4:host=pbs1
-l select=2:accelerator=True
-l select=1 -l cput=10
-l select=1+2:ncpus=4
-l select=1:vnode=pbs1+63
-l select=1:mem=16gb
-l select=1:ncpus=2,walltime=00:10:00,place=pack
-l select=1,place=scatter -N x -j oe
-l place=scatter -l select=2
-l select=1 -l place=group=host
-l select=1 -l place=excl
-l select=1 -l place=scatter:excl:group=host
-lselect=1
-l nodes=2:ppn=4
-l walltime=90
-l walltime=10:20
-l walltime=00:70:00
-N 9abc
-N x.y-z_1+2
-l filesystems=home:eagle
-W depend=afterany:99999
-l select=128:ncpus=64:ngpus=4:gputype=A100+32:ncpus=64:ngpus=2:gputype=A40
-l select=10:ncpus=64,walltime=30:00,filesystems=eagle:home -A ProjectX -q prod
-A my_allocation -l select=4:system=polaris -l filesystems=home:eagle -l walltime=30:00 -q debug-scaling
-l place=scatter  -l filesystems=home:eagle -l select=32:ncpus=32 -q prod -l walltime=30:00
-l select=1:pubnet=True+63
-l select=1,walltime=1:00:00,place=scatter -l filesystems=home:flare -A mine -q debug
"""
REFUSED = [
    ("-l select=2:ngpus=4\n-l nodes=2:ppn=4", "asks for its nodes twice"),
    ("-l nodes=2:ppn=4\n-l place=scatter", "asks for its nodes twice"),
    ("-l select=2\n-l ncpus=4", "ncpus= beside select="),
    ("-l select=2\n-l mem=4gb", "mem= beside select="),
    ("-l select=2\n-l ngpus=3", "ngpus= beside select="),
    ("-l select=1 -l host=pbs1", "host= beside select="),
    ("-l select=1,ncpus=2", "ncpus= beside select="),
    ("-l select=0", "one chunk or more"),
    ("-l select=", "must be a resource"),
    ("-l select=2:ncpus", "must be a resource"),
    ("-l select=2:ncpus=x", "ncpus=x: must be a whole number"),
    ("-l select=1:ompthreads=x", "ompthreads=x: must be a whole number"),
    ("-l select=1:mem=16gigs", "must be a size"),
    ("-l select=2:ncpus=1:ncpus=2", "ncpus stands 2 times"),
    ("-l select=2 -l place=scater", "place=scater: must be one of"),
    ("-l select=1 -l place=pack:scatter", "place=pack:scatter"),
    ("-l place=scatter:excl", "place= wants select="),
    ("-l walltime=1h", "walltime=1h"),
    ("-l walltime=00:01:00:00", "walltime=00:01:00:00"),
    ("-N a b", "no option of qsub"),
    ("-N a$b", "-N a\\$b: a job's name"),
    ("-N x:y", "-N x:y: a job's name"),
    ("select=2", "no option of qsub"),
    ("-Z 1", "no option of qsub"),
    ("-l", "no option of qsub"),
    ("-l select=1, walltime=00:10:00", "no option of qsub"),
    ("-l select=1:ncpus=1 :ngpus=1", "no option of qsub"),
]


@pytest.mark.parametrize("directive", TAKEN.split("\n")[1:-1])
def test_what_pbs_takes_is_no_fault(directive: str) -> None:
    assert pbs_rules.faults([directive]) == []


@pytest.mark.parametrize(("directives", "words"), REFUSED)
def test_what_pbs_refuses_is_told(directives: str, words: str) -> None:
    found = pbs_rules.faults(directives.split("\n"))
    assert len(found) == 1, found
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found[0])


QSTAT = """
case "$*" in
  "-Q workq") ;;
  -Q*) echo "qstat: Unknown queue $2" >&2; exit 170 ;;
  -Bf) echo "    resources_available.valid_filesystems = home,eagle,flare" ;;
esac
"""
QMGR = """
case "$2" in
  "list resource filesystems") ;;
  *) echo "qmgr obj=x svr=default: Unknown resource" >&2; exit 1 ;;
esac
"""


def stand_in(folder: Path, name: str, lines: str) -> dict[str, str]:
    """A program of a scheduler, and the environment in which it is found before others."""
    (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_what_a_server_of_pbs_does_not_know_is_told(tmp_path: Path) -> None:
    stand_in(tmp_path, "qmgr", QMGR)
    environment = stand_in(tmp_path, "qstat", QSTAT)
    file = tmp_path / "job.sh"
    file.write_text("#!/bin/bash\n#PBS -q workq\n#PBS -l select=2:ncpus=4 -l filesystems=home:flare\ntrue\n#PBS\n")
    assert PBS().faults(file, environment) == []
    file.write_text("#!/bin/bash\n#PBS -q prod\n#PBS -l select=2:system=polaris\n#PBS -l filesystems=home:eagel\n")
    assert PBS().faults(file, environment) == [
        "-q prod: Unknown queue",
        "system=: Unknown resource",
        "filesystems=home:eagel: there is no 'eagel'; there are: home, eagle, flare",
    ]
    nowhere = {"PATH": str(tmp_path / "nowhere")}
    assert PBS().faults(file, nowhere) == []  # a server that cannot be asked says nothing


def test_slurm_looks_at_a_script_itself(tmp_path: Path) -> None:
    file = tmp_path / "job.sh"
    complains = "echo 'sbatch: error: invalid partition specified: nosuch' >&2; exit 1"
    assert Slurm().faults(file, stand_in(tmp_path, "sbatch", complains)) == ["invalid partition specified: nosuch"]
    takes = f'[ "$*" = {shlex.quote(f"--test-only {file}")} ]'
    assert Slurm().faults(file, stand_in(tmp_path, "sbatch", takes)) == []


@pytest.mark.parametrize(
    ("scheduler", "program", "printed", "job"),
    [("slurm", "sbatch", "Submitted batch job 31", "31"), ("pbs", "qsub", "31.pbs-01.polaris", "31.pbs-01.polaris")],
)
def test_a_job_that_is_taken_has_an_id(tmp_path: Path, scheduler: str, program: str, printed: str, job: str) -> None:
    assert SCHEDULERS[scheduler]().hand_in(tmp_path / "job.sh", stand_in(tmp_path, program, f"echo {printed}")) == job
    refuses = stand_in(tmp_path, program, "echo 'error: no such project' >&2; exit 1")
    with pytest.raises(ComparatorError, match="the job was not taken: error: no such project"):
        SCHEDULERS[scheduler]().hand_in(tmp_path / "job.sh", refuses)


def site_file(tmp_path: Path, text: str) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "here.sh").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("SITE_JOB_SCRIPT=own", "SITE_JOB_SCRIPT='own': must be one of comparator, swift-t"),
        (
            "SITE_REQUIRES='SITE_PROJCT'",
            r"SITE_REQUIRES='SITE_PROJCT': 'SITE_PROJCT' is none .* \(did you mean 'SITE_PROJECT'\?\)",
        ),
        ("SITE_DEVICES=2 SITE_DEVICE_ORDER='0 1 2'", "names of all 2 devices of SITE_DEVICES, each once"),
        ("SITE_DEVICES=2 SITE_DEVICE_ORDER='1 1'", "each once"),
        ("SITE_DEVICES=2 SITE_DEVICE_ORDER='first second'", "must be ascending, descending, or the names"),
        ("SITE_DEVICES=2 SITE_DEVICE_ORDER=reversed", "must be ascending, descending, or the names"),
        ("SITE_NODES=²", "SITE_NODES='²': must be a whole number from 1"),
        ("SITE_DEVICES=999999999999", "SITE_DEVICES='999999999999': must be a whole number from 0 to 100,000"),
        ('SITE_CONTAINER_OPTIONS="--bind \'"', "a quote is not closed"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_site("here", site_file(tmp_path, f"{lines}\n"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SITE_TOGETHER=nine", "/here.sh:2: SITE_TOGETHER='nine': must be"),
        ("SITE_TOGETHER=${SITE_TOGETHER:-nine}", "/here.sh:2: SITE_TOGETHER='nine': must be"),
        ("# SITE_TOGETHER=3", "/here.sh: SITE_TOGETHER='nine': must be"),
    ],
)
def test_a_wrong_value_of_the_file_is_blamed_on_its_line(
    tmp_path: Path, line: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SITE_TOGETHER", raising=False)
    (tmp_path / "other").write_text("SITE_TOGETHER=${SITE_TOGETHER-nine}\n")
    with pytest.raises(InputError, match=words):
        read_site("here", site_file(tmp_path, f". {tmp_path}/other\n{line}\n"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SITE_TOGETHER", "nine", "must be a whole number from 1"),
        ("SITE_WALLTIME", "1h", "must be a time as HH:MM:SS"),
        ("SITE_QUEUE", "a;b", "only letters, digits"),
        ("SITE_LEAF", "pyton", r"must be one of python, app \(did you mean 'python'\?\)"),
        ("SITE_CONTAINER_OPTIONS", "'", "a quote is not closed"),
    ],
)
@pytest.mark.parametrize("line", ["{0}=${{{0}:-{1}}}", "", "{0}=${0}"])
def test_a_wrong_value_of_the_environment_is_blamed_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name}='{value}' in the environment: {words}"):
        read_site("here", site_file(tmp_path, line.format(name, "1") + "\n"))


def test_a_site_comes_out_of_json_again() -> None:
    for name in ("aurora", "local", "polaris"):
        site = read_site(name, Path(__file__).resolve().parents[3])
        assert Site.again(json.loads(json.dumps(asdict(site), default=str))) == site


def test_the_line_that_names_a_module_is_told_and_not_the_last(tmp_path: Path) -> None:
    said = """
Lmod has detected the following error: The following module(s) are unknown: "swift-t/1.6.5"

Please check the spelling or version number.
"""
    text = f"site_launch() {{ echo {shlex.quote(said)} >&2; return 1; }}\n"
    root = site_file(tmp_path, text)
    with pytest.raises(InputError, match=r'unknown: "swift-t/1.6.5"$'):
        launch_environment(read_site("here", root), root, workers_too=False)
