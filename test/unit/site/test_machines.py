"""The profiles of machines that are not here, against what their public documentation says."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from comparator.engine.swift_t_launch import Layout
from comparator.site import pbs_rules
from comparator.site.job import Job, launch_options, script
from comparator.site.profile import Site, read_site

ROOT = Path(__file__).resolve().parents[3]
MACHINES = ("aurora", "frontier", "perlmutter", "polaris")


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a login node: nothing is set that a site's file would take."""
    for name in ("PROJECT", "FILESYSTEMS", "FRONTIER_QOS", *(f"{machine.upper()}_QOS" for machine in MACHINES)):
        monkeypatch.delenv(name, raising=False)
    for name in ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"):
        monkeypatch.delenv(name, raising=False)
    for name in ("QUEUE", "PROJECT", "NODES", "WALLTIME", "MODELS_PER_DEVICE"):
        monkeypatch.delenv(f"SITE_{name}", raising=False)


def job_of(site: Site, nodes: int) -> Job:
    """One that fills so many nodes, as a search has it."""
    layout = Layout(nodes, len(site.slots()))
    queue, project = site.queue, site.project or "mine"
    on_node = layout.processes_per_node
    return Job("x", Path("/out.txt"), nodes, layout.processes, on_node, site.walltime, queue, project, "17")


def script_of(machine: str, nodes: int) -> list[str]:
    site = read_site(machine, ROOT)
    return script(site, job_of(site, nodes), ["true"]).splitlines()


def options_of(machine: str, nodes: int) -> str:
    """The launcher's options as bash makes words of them."""
    site = read_site(machine, ROOT)
    words = launch_options(site, job_of(site, nodes))
    return subprocess.run(
        ["bash", "-c", f"printf '%s ' {words}"], capture_output=True, text=True, check=True
    ).stdout.strip()


# Which device a local rank has, as each guide binds them


def aurora_tile(rank: int) -> str:
    return f"{rank // 2 % 6}.{rank % 2}"  # gpu_tile_compact.sh


def frontier_gpu(rank: int) -> str:
    return "45236701"[rank]  # the GPUs beside cores 1-7, 9-15, ... in "Frontier Compute Nodes" and Example 1 there


def perlmutter_gpu(rank: int) -> str:
    return str(3 - rank)  # CUDA_VISIBLE_DEVICES=$((3-SLURM_LOCALID))


def polaris_gpu(rank: int) -> str:
    return str(4 - 1 - rank % 4)  # set_affinity_gpu_polaris.sh


@pytest.mark.parametrize(
    ("machine", "variable", "devices", "rule"),
    [
        ("aurora", "ZE_AFFINITY_MASK", 12, aurora_tile),
        ("frontier", "ROCR_VISIBLE_DEVICES", 8, frontier_gpu),
        ("perlmutter", "CUDA_VISIBLE_DEVICES", 4, perlmutter_gpu),
        ("polaris", "CUDA_VISIBLE_DEVICES", 4, polaris_gpu),
    ],
)
@pytest.mark.usefixtures("unset")
def test_a_local_rank_has_the_device_that_the_guide_gives_it(
    machine: str, variable: str, devices: int, rule: object
) -> None:
    site = read_site(machine, ROOT)
    slots = site.slots()
    assert site.devices == devices and len(slots) == devices * site.models_per_device
    for rank in range(devices):
        assert dict(slots[rank].environment) == {variable: rule(rank)}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("machine", "given"),
    [
        ("frontier", "0,1,2,3,4,5,6,7"),
        ("perlmutter", "0,1,2,3"),
        ("aurora", "0,1,2,3,4,5"),  # whole GPUs, whose tiles are given out
        ("aurora", "0.0,0.1,1.0,1.1,2.0,2.1,3.0,3.1,4.0,4.1,5.0,5.1"),
    ],
)
@pytest.mark.usefixtures("unset")
def test_what_a_job_is_given_is_given_out_in_the_sites_order(
    machine: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = read_site(machine, ROOT)
    alone = [slot.device for slot in site.slots()]
    monkeypatch.setenv(site.device_variable, given)
    assert [slot.device for slot in site.slots()] == alone


# What a job asks for


@pytest.mark.parametrize("nodes", [1, 2, 10])
@pytest.mark.usefixtures("unset")
def test_aurora_asks_for_nodes_file_systems_project_and_queue(nodes: int) -> None:
    lines = script_of("aurora", nodes)
    # The guide's submission script, and "the -A, walltime, and filesystems are mandatory".
    for line in (
        f"-l select={nodes}",
        "-l place=scatter",
        "-l walltime=01:00:00",
        "-l filesystems=home:flare",
        "-q debug",
        "-A mine",
        "-k doe",
    ):
        assert f"#PBS {line}" in lines
    assert not any("ngpus" in line or "nodes=" in line for line in lines)


@pytest.mark.usefixtures("unset")
def test_auroras_ranks_share_the_cores_that_the_system_leaves() -> None:
    # Cores 0 and 52 are the system's: -n, --ppn, --depth and --cpu-bind=depth as in the guide, of 102 cores.
    assert options_of("aurora", 2) == "-n 24 --ppn 12 --depth=8 --cpu-bind=depth"
    assert options_of("aurora", 1) == "-n 14 --ppn 14 --depth=7 --cpu-bind=depth"


@pytest.mark.usefixtures("unset")
def test_frontier_asks_for_eight_gpus_a_node_and_seven_cores_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = script_of("frontier", 2)
    for line in ("--nodes=2", "--account=mine", "--partition=batch", "--gpus-per-node=8", "--constraint=nvme"):
        assert f"#SBATCH {line}" in lines
    assert not any("--qos" in line for line in lines)
    # srun -c7 of the guide's examples: 56 cores are left of 64, and eight ranks share them.
    wanted = "--nodes=2 --ntasks=16 --ntasks-per-node=8 --cpus-per-task=7 --gpus-per-node=8 --gpu-bind=none"
    assert options_of("frontier", 2) == wanted
    assert "--ntasks-per-node=10 --cpus-per-task=5" in options_of("frontier", 1)  # 50 of the 56
    monkeypatch.setenv("FRONTIER_QOS", "debug")
    assert "#SBATCH --qos=debug" in script_of("frontier", 1)


@pytest.mark.usefixtures("unset")
def test_perlmutters_queue_is_a_qos_and_its_threads_are_shared() -> None:
    lines = script_of("perlmutter", 2)
    for line in ("--qos=debug", "--constraint=gpu", "--gpus-per-node=4", "--account=mine", "--time=00:30:00"):
        assert f"#SBATCH {line}" in lines
    assert not any("--partition" in line for line in lines)
    # -c 32 for four ranks a node: 2 * (64 / ranks) threads.
    assert options_of("perlmutter", 2).endswith("--cpus-per-task=32 --cpu-bind=cores --gpus-per-node=4 --gpu-bind=none")
    assert "--cpus-per-task=20 " in options_of("perlmutter", 1)  # six ranks: 120 of the 128


@pytest.mark.usefixtures("unset")
def test_polaris_asks_for_whole_nodes_of_its_system() -> None:
    lines = script_of("polaris", 10)
    for line in ("-l select=10:system=polaris", "-l place=scatter", "-l filesystems=home:eagle", "-q debug"):
        assert f"#PBS {line}" in lines
    assert options_of("polaris", 10) == "-n 80 --ppn 8 --depth=4 --cpu-bind depth"


@pytest.mark.parametrize("machine", ["aurora", "polaris"])
@pytest.mark.parametrize("nodes", [1, 2, 64])
@pytest.mark.usefixtures("unset")
def test_the_scripts_for_pbs_keep_its_rules(machine: str, nodes: int) -> None:
    lines = [line.removeprefix("#PBS ") for line in script_of(machine, nodes) if line.startswith("#PBS ")]
    assert pbs_rules.faults(lines) == [] and any(line.startswith("-W depend") for line in lines)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.usefixtures("unset")
def test_a_profile_says_who_helps_and_what_was_not_tried(machine: str) -> None:
    text = (ROOT / "sites" / f"{machine}.sh").read_text()
    assert re.search(r"^# .*Help: \S+", text, re.MULTILINE)
    if machine != "polaris":
        assert "Untested on the" in text and "untested on the machine" in read_site(machine, ROOT).description
    readme = (ROOT / "sites" / "README.md").read_text()
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{machine}` |"))
    assert "not on the machine itself" in row


@pytest.mark.usefixtures("unset")
def test_two_models_on_a_device_come_after_one_on_each() -> None:
    site = replace(read_site("frontier", ROOT), models_per_device=2)
    assert [slot.device for slot in site.slots()] == [*"4523670145236701"]
