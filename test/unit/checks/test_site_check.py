"""What `comparator site check` makes of a scheduler, of a job's script, and of what ranks on nodes say."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from comparator.checks import site_ranks
from comparator.checks.site import check_site
from comparator.checks.site_job import check_job, job_of
from comparator.formats.finding import FAILS, HOLDS, UNTESTED
from comparator.site.profile import Site, read_site
from comparator.site.schedulers import Slurm

SOFTWARE = {"Python": "3.11.7", "comparator": "0.1.0 (12345678)", "packages": "9abcdef0"}
SITE = """
SITE_ENGINES=swift-t
SITE_SCHEDULER={scheduler}
SITE_JOB_SCRIPT={script}
SITE_REQUIRES="SITE_QUEUE SITE_PROJECT"
SITE_QUEUE=workq
SITE_DEVICES=4
SITE_DIRECTIVES="{directives}"
"""


def site_of(folder: Path, devices: int = 2, shared: int = 1) -> Site:
    return Site("there", "", ("swift-t",), folder, devices, shared, "CUDA_VISIBLE_DEVICES", "ascending", 4, "slurm")


def said(rank: int, node: str, place: int, **more: Any) -> dict[str, Any]:
    own = {"place": place, "devices": [str(place)], "software": SOFTWARE, "interpreter": True}
    return {"rank": rank, "node": node, "token": "x", **own, **more}


def found(folder: Path, *told: dict[str, Any], ranks: int = 3, unseen: tuple[int, ...] = (), **of_site: int) -> Any:
    """The outcomes by what was tried, and the words."""
    folder = folder / "site-checks" / "there"
    folder.mkdir(parents=True)
    for each in told:
        if each["rank"] not in unseen:
            (folder / f"rank-{each['rank']}.json").write_text("{}")
    findings = site_ranks.compared(told, site_of(folder, **of_site), ranks=ranks, nodes=2, folder=folder)
    return {each.what: (each.outcome, each.words) for each in findings}


def test_programs_of_slurm_without_a_slurm_are_said_in_one_line(tmp_path: Path) -> None:
    words = Slurm().why_silent(
        "sinfo: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\n"
        "sinfo: error: fetch_config: DNS SRV lookup failed\n"
        "sinfo: error: _establish_config_source: failed to fetch config\n"
        "sinfo: fatal: Could not establish a configuration source\n"
    )
    assert words == "Slurm's programs are here, but they know of no Slurm: this host can submit no jobs to it"
    other = "slurm_load_partitions: Unable to contact slurm controller"
    assert Slurm().why_silent(f"{other}\n") == f"Slurm does not answer: {other}"


WELL = (said(0, "n1", 0), said(1, "n1", 1), said(2, "n2", 0))


def test_ranks_that_are_where_they_should_be_hold(tmp_path: Path) -> None:
    what = found(tmp_path, *WELL)
    assert {outcome for outcome, _ in what.values()} == {HOLDS}
    assert what["ranks"][1] == "3 of 3 ranks said where they are: n1: 2, n2: 1"
    assert what["devices"][1] == "CUDA_VISIBLE_DEVICES, each worker its own: n1: 0 1, n2: 0"
    assert what["software"][1].startswith("the same on all nodes: Python 3.11.7, comparator 0.1.0")


@pytest.mark.parametrize(
    ("told", "more", "what", "words"),
    [
        (WELL[:2], {}, "ranks", "2 of 3 ranks said where they are: n1: 2"),
        ((*WELL[:2], said(2, "n1", 2)), {}, "ranks", "3 of 3 ranks said where they are: n1: 3"),
        ((WELL[0], said(1, "n1", 1, devices=["0"]), WELL[2]), {}, "devices", "n1: device 0 is with 2 workers, not 1"),
        (WELL, {"unseen": (2,)}, "store", "what n2 wrote into"),
        (
            (*WELL[:2], said(2, "n2", 0, software={**SOFTWARE, "Python": "3.9.1"})),
            {},
            "software",
            "n1: 3.11.7, n2: 3.9.1",
        ),
        ((*WELL[:2], said(2, "n2", 0, interpreter=False)), {}, "software", "is not there on n2"),
        ((*WELL[:2], said(2, "n2", 0, error="OSError: no")), {}, "what a rank finds", "n2: OSError: no"),
    ],
)
def test_what_is_amiss_among_ranks_is_told_with_its_node(
    tmp_path: Path, told: tuple[dict[str, Any], ...], more: Any, what: str, words: str
) -> None:
    outcome, said_of_it = found(tmp_path, *told, **more)[what]
    assert outcome == FAILS and words in said_of_it


def test_devices_that_the_site_has_two_models_share_are_no_fault(tmp_path: Path) -> None:
    shared = (WELL[0], said(1, "n1", 1, devices=["0"]), WELL[2])
    assert found(tmp_path, *shared, shared=2)["devices"][0] == HOLDS


def test_without_devices_nothing_is_said_of_them(tmp_path: Path) -> None:
    assert found(tmp_path, *WELL, devices=0)["devices"][0] == UNTESTED


def test_what_a_job_printed_may_be_broken_off() -> None:
    output = f'noise\n[0] {site_ranks.SAYS}{json.dumps(WELL[0])}\n{site_ranks.SAYS}{{"rank": 1, \n{site_ranks.SAYS}7\n'
    assert site_ranks.said_in(output) == [WELL[0]]


def test_a_rank_tells_what_it_finds_and_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv(site_ranks.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PMI_RANK", "3")
    monkeypatch.setenv("MPI_LOCALRANKID", "1")
    assert "FileNotFoundError" in json.loads(site_ranks.tell())["error"]
    site = dataclasses.asdict(site_of(tmp_path))
    plan = {"token": str(tmp_path), "site": site, "workers_per_node": 2, "python": "/nowhere/it's"}
    (tmp_path / site_ranks.PLAN).write_text(json.dumps(plan, default=str))
    text = site_ranks.tell()
    told = json.loads(text)
    assert (told["rank"], told["place"], told["devices"], told["interpreter"]) == (3, 1, ["1"], False), text
    assert told["software"] == site_ranks.software() and "'" not in text
    assert (tmp_path / "rank-3.json").exists()
    assert json.loads(site_ranks.tell())["devices"] == ["0"]  # the place of its number is taken
    assert "more workers than the 2 places" in json.loads(site_ranks.tell())["error"]


@pytest.mark.parametrize(("slots", "nodes", "ranks"), [(4, 2, 8), (2, 2, 4), (1, 3, 3)])
def test_ranks_beside_the_server_are_on_two_nodes_of_a_check(
    tmp_path: Path, slots: int, nodes: int, ranks: int
) -> None:
    job = job_of(site_of(tmp_path, devices=slots), tmp_path, ranks=True)
    assert (job.nodes, job.ranks, job.ranks_per_node) == (nodes, ranks, slots)


def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, script: str, directives: str = "") -> Path:
    """A project whose site `here` has a scheduler whose programs take whatever they are given."""
    (tmp_path / "sites").mkdir()
    text = SITE.format(scheduler=scheduler, script=script, directives=directives)
    (tmp_path / "sites" / "here.sh").write_text(text)
    for name in ("sbatch", "squeue", "scancel", "sinfo", "qsub", "qstat", "qdel", "qmgr"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in ("SITE_PROJECT", "CUDA_VISIBLE_DEVICES", "SITE_QUEUE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("comparator.checks.site.ENGINES", {"swift-t": _NoEngine})
    return tmp_path


class _NoEngine:
    @staticmethod
    def check(_: object) -> list[object]:
        return []


@pytest.mark.parametrize("scheduler", ["slurm", "pbs"])
def test_what_each_job_must_have_and_has_not_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str
) -> None:
    root = cluster(tmp_path, monkeypatch, scheduler, "comparator")
    findings = {each.what: each for each in check_site("here", root)}
    assert findings["SITE_PROJECT"].outcome == FAILS and "--project" in findings["SITE_PROJECT"].words
    assert "SITE_QUEUE" not in findings and findings["job script"].outcome == HOLDS


def test_what_a_scheduler_says_against_a_script_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = cluster(tmp_path, monkeypatch, "pbs", "comparator", "-l nodes=2:ppn=4\n-l select=2:ngpus=4")
    words = [each.words for each in check_site("here", root) if each.what == "job script" and each.outcome == FAILS]
    assert len(words) == 1 and "asks for its nodes twice" in words[0]
    (root / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: Invalid account' >&2; exit 1\n")
    (root / "sites" / "here.sh").write_text(SITE.format(scheduler="slurm", script="comparator", directives=""))
    assert [each.words for each in check_site("here", root) if each.what == "job script"] == ["Invalid account"]


def test_a_script_that_swift_t_writes_is_not_said_to_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = cluster(tmp_path, monkeypatch, "slurm", "swift-t")
    findings = {each.what: each for each in check_site("here", root)}
    assert findings["job script"].outcome == UNTESTED and "SITE_JOB_SCRIPT=comparator" in findings["job script"].words


def test_a_site_whose_scripts_swift_t_writes_is_tried_on_one_node_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = cluster(tmp_path, monkeypatch, "slurm", "swift-t", "--gres=gpu:4")
    folder = tmp_path / "site-checks" / "here"
    folder.mkdir(parents=True)
    line = "holds    slots: 4\nend of the check"
    (root / "sbatch").write_text(f"#!/bin/sh\necho '{line}' >{folder}/check.txt\necho Submitted batch job 7\n")
    told = list(check_job("here", root, folder))
    asked = [each for each in (folder / "check.sh").read_text().splitlines() if each.startswith("#SBATCH")]
    assert asked[0] == "#SBATCH --nodes=1" and asked[-1] == "#SBATCH --gres=gpu:4"
    assert told[0].startswith("job 7;") and told[1].startswith("holds") and told[2].startswith("untested ranks")


def test_sites_of_devices_with_parts_count_the_wholes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = cluster(tmp_path, monkeypatch, "pbs", "comparator")
    monkeypatch.delenv("ZE_AFFINITY_MASK", raising=False)
    (root / "xpu-smi").write_text("#!/bin/sh\nprintf 'Device ID\\n0\\n1\\n'\n")
    (root / "xpu-smi").chmod(0o755)
    lines = ("SITE_DEVICES=4", "SITE_DEVICE_VARIABLE=ZE_AFFINITY_MASK", "SITE_DEVICE_ORDER='0.0 0.1 1.0 1.1'")
    (root / "sites" / "here.sh").write_text("\n".join(["SITE_ENGINES=swift-t", *lines, ""]))
    findings = {each.what: each for each in check_site("here", root)}
    assert (findings["SITE_DEVICES"].outcome, findings["SITE_DEVICES"].words) == (
        HOLDS,
        "2 seen by xpu-smi, 2 in the file",
    )
    assert [slot.device for slot in read_site("here", root).slots()] == ["0.0", "0.1", "1.0", "1.1"]
