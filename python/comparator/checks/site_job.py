"""Try a site by a job on its nodes: each line of its file on the first of them, and ranks on two.

The folder of a check, in that of the experiments, has the job's script and output beside what its ranks write
(`site_ranks`). Where Swift/T writes the site's job scripts, the job has one node, and no ranks.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from comparator.checks import site_ranks
from comparator.engine.swift_t_job import compile_program, import_path, ranks_lines, setup_lines
from comparator.engine.swift_t_launch import Layout
from comparator.errors import ComparatorError
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.site.job import Job, script
from comparator.site.profile import Site, launch_environment, read_site
from comparator.site.programs import reason_in
from comparator.site.schedulers import Scheduler

LOOK_SECONDS = 2.0
WALLTIME = 600  # seconds
END_OF_CHECK = "end of the check"
PROGRAM = "check"
SETUP = "worker.sh"


def check_job(name: str, root: Path, folder: Path) -> Iterator[str]:
    """Have a job try the site on its nodes; gives what there is to print. Its script and output stay in `folder`.

    Raises `ComparatorError` where the job is not taken or does not come to its end.
    """
    site = read_site(name, root)
    surroundings = launch_environment(site, root, workers_too=False)
    job, job_script = job_of(site, folder, ranks=site.job_script == "comparator"), folder / "check.sh"
    for old in (job.output, *folder.glob("rank-*.json")):
        old.unlink(missing_ok=True)
    if site.job_script == "comparator":
        text = script(site, job, [*_on_node(site, root, folder), *_ranks(site, root, job, surroundings, folder)])
    else:
        text = _of_one_node(site, root, job)
    job_script.write_text(text, encoding="utf-8", errors="surrogateescape")
    identifier = site.batch.hand_in(job_script, surroundings)
    yield f"job {identifier}; its output: {job.output}"
    output = _wait(site.batch, identifier, job.output)
    said = [line for line in output.splitlines() if line.startswith((HOLDS, FAILS, UNTESTED))]
    yield from said or [f"{FAILS:9}nodes: the check did not run there; see {job.output}"]
    yield from map(str, _ranks_found(site, job, output))


def _ranks_found(site: Site, job: Job, output: str) -> Iterator[Finding]:
    """What to make of what the ranks said in the job's output."""
    if site.job_script != "comparator":
        words = "Swift/T writes this site's job scripts; SITE_JOB_SCRIPT=comparator has ranks on two nodes tried too"
        yield Finding("ranks", UNTESTED, words)
    elif said := site_ranks.said_in(output):
        ranks = job.ranks - Layout(1, job.ranks).servers
        yield from site_ranks.compared(said, site, ranks=ranks, nodes=job.nodes, folder=job.output.parent)
    else:
        yield Finding("ranks", FAILS, f"none ran: {reason_in(output)}; see {job.output}")


def job_of(site: Site, folder: Path, *, ranks: bool) -> Job:
    """The job of a check: of so many nodes that ranks other than Swift/T's server are on two of them."""
    on_node = (site.workers_per_node or len(site.slots())) if ranks else 1
    nodes = 1 if not ranks else 2 if on_node > 1 else 3
    return Job("site-check", folder / "check.txt", nodes, nodes * on_node, on_node, WALLTIME, site.queue, site.project)


def _on_node(site: Site, root: Path, folder: Path) -> list[str]:
    """The lines that try the site's file on the first node, in an environment of their own."""
    command = shlex.join([sys.executable, "-m", "comparator", "site", "check", site.name, "--on-node"])
    return [f"export COMPARATOR_ROOT={shlex.quote(str(root))}", f"cd {shlex.quote(str(folder))}", f"({command})"]


def _ranks(site: Site, root: Path, job: Job, surroundings: Mapping[str, str], folder: Path) -> Sequence[str]:
    """The lines that have all ranks tell what they find. Compiles what they run; raises `ComparatorError`."""
    compile_program(PROGRAM, folder, surroundings)
    (folder / SETUP).write_text(setup_lines(site, root), encoding="utf-8", errors="surrogateescape")
    plan = {
        "token": secrets.token_hex(8),
        "site": asdict(site),
        "workers_per_node": job.ranks_per_node,
        "python": sys.executable,
    }
    (folder / site_ranks.PLAN).write_text(json.dumps(plan, default=str), encoding="utf-8")
    values = {
        "PYTHONPATH": os.pathsep.join(import_path()),
        "ADLB_SERVERS": str(Layout(1, job.ranks).servers),
        "ADLB_PRINT_TIME": "0",
        site_ranks.FOLDER_VARIABLE: str(folder),
    }
    lines = ranks_lines(site, job, values, surroundings, folder / SETUP, folder / f"{PROGRAM}.tic")
    return [*lines, f"echo {END_OF_CHECK}"]


def _of_one_node(site: Site, root: Path, job: Job) -> str:
    scheduler = site.batch
    asked = [line.format(walltime="00:10:00", output=job.output) for line in scheduler.one_node]
    asked += [scheduler.queue.format(name=site.queue)] if site.queue else []
    asked += [scheduler.project.format(name=site.project)] if site.project else []
    lines = [f"{scheduler.mark} {line}" for line in (*asked, *site.directives)]
    return "\n".join(["#!/bin/bash -l", *lines, *_on_node(site, root, job.output.parent), f"echo {END_OF_CHECK}", ""])


def _wait(scheduler: Scheduler, job: str, output: Path) -> str:
    """What the job printed, once it is at its end; raises `ComparatorError` where that does not come."""
    try:
        while END_OF_CHECK not in (text := _read(output)):
            if scheduler.state_of(job) == "gone" and END_OF_CHECK not in _read(output):
                raise ComparatorError(f"job {job} ended before the check did; see {output}")
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        scheduler.cancel_job(job)
        raise
    return text


def _read(output: Path) -> str:
    return output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
