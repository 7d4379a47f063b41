"""Try every line of a site's file on the machine, and say what holds, what fails and how to mend it.

What can only be known on the machine's nodes, or was not found here, is said to be untested.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from comparator.engine.engines import ENGINES, check_engines
from comparator.engine.swift_t_launch import Layout
from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.model.runtime import find_runtime, programs_of
from comparator.site.job import Job, script
from comparator.site.profile import REQUIRABLE, Site, clock, launch_environment, read_site, site_file
from comparator.site.programs import try_command

#: How the devices that a variable binds are listed, and the number of one in a line; `rocm-smi` prints several lines
#: for each, `xpu-smi` a header before them.
LISTS_DEVICES = {
    "CUDA_VISIBLE_DEVICES": (["nvidia-smi", "--list-gpus"], re.compile(r"GPU (\d+)")),
    "ROCR_VISIBLE_DEVICES": (["rocm-smi", "--showid"], re.compile(r"GPU\[(\d+)\]")),
    "ZE_AFFINITY_MASK": (["xpu-smi", "discovery", "--dump", "1"], re.compile(r'"?(\d+)')),
}


def check_site(name: str, root: Path, *, on_node: bool = False) -> Iterator[Finding]:
    """Try the site on this machine; findings come as they are made. Raises `InputError` where there is no such site.

    `on_node` says that this is one of the site's nodes, and not the host where commands are typed.
    """
    try:
        site = read_site(name, root)
        check_engines(site, root)
    except InputError as error:
        if "no site" in str(error):
            raise
        yield Finding("the file", FAILS, str(error))
        return
    yield Finding("the file", HOLDS, f"sites/{name}.sh; engines {', '.join(site.engines)}")
    alone = on_node or not site.has_nodes
    try:
        surroundings = launch_environment(site, root, workers_too=alone)
        yield _functions(name, root, ["site_launch", "site_worker"] if alone else ["site_launch"])
    except InputError as error:
        surroundings = dict(os.environ)
        yield Finding("site_launch", FAILS, str(error))
    if not alone:
        words = f"the nodes' data folder, devices and modules: comparator site check {name} --job tries them"
        yield Finding("site_worker", UNTESTED, words)
    yield _can_be_written("CANDLE_DATA_DIR", site.data_folder)
    yield from _devices(site, alone)
    yield _container_runtime(site, surroundings, alone)
    if alone and site.image_folder is not None:
        yield _can_be_written("SITE_IMAGE_FOLDER", site.image_folder)
    if not on_node:
        for engine in site.engines:
            yield from ENGINES[engine].check(surroundings)
    if not alone:
        yield from _jobs(site, surroundings)


def _functions(name: str, root: Path, called: Sequence[str]) -> Finding:
    """What of the site's file ran, once all of it has."""
    text = site_file(name, root).read_text(encoding="utf-8", errors="replace")
    there = [each for each in called if re.search(rf"^\s*(?:function\s+)?{each}\b", text, re.MULTILINE)]
    if there:
        return Finding(" and ".join(there), HOLDS, "module commands and exports ran on this host")
    return Finding(" and ".join(called), UNTESTED, f"sites/{name}.sh has none: there are no modules to load")


def _can_be_written(variable: str, folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(variable, FAILS, f"{there} cannot be written: {error.strerror}")
    words = f"{folder} can be written from this host"
    return Finding(variable, HOLDS, words if folder.exists() else f"{words}; it is made on first use")


def _devices(site: Site, alone: bool) -> Iterator[Finding]:
    try:
        slots = len(site.slots())
    except InputError as error:
        yield Finding("slots", FAILS, str(error))
        return
    if site.devices == 0:
        words = f"{slots} slots, one for each core" + ("" if alone else " of this host: set SITE_CORES for the nodes'")
        yield Finding("SITE_CORES", HOLDS if alone else UNTESTED, words)
        return
    yield Finding("slots", HOLDS, f"{slots}: {site.devices} devices, {site.models_per_device} models on each")
    if site.device_variable not in LISTS_DEVICES:
        yield Finding("SITE_DEVICES", UNTESTED, f"nothing is known that lists what {site.device_variable} binds")
        return
    command, number = LISTS_DEVICES[site.device_variable]
    if not alone or shutil.which(command[0]) is None:
        reason = "the nodes have them, this host need not" if not alone else f"no program {command[0]} here"
        yield Finding("SITE_DEVICES", UNTESTED, reason)
        return
    listed = map(number.match, try_command(command, os.environ).stdout.splitlines())
    seen = len({found[1] for found in listed if found})
    wanted = len({name.partition(".")[0] for name in site.device_names()})  # a part is in its whole
    outcome = HOLDS if seen >= wanted else FAILS
    yield Finding("SITE_DEVICES", outcome, f"{seen} seen by {command[0]}, {wanted} in the file")


def _container_runtime(site: Site, surroundings: Mapping[str, str], alone: bool) -> Finding:
    try:
        found = find_runtime(site.container_runtime, where="SITE_CONTAINER_RUNTIME", path=surroundings.get("PATH"))
    except InputError as error:
        return Finding("SITE_CONTAINER_RUNTIME", FAILS, str(error))
    if found is None:
        programs = programs_of(site.container_runtime)
        if site.container_runtime and alone:
            return Finding("SITE_CONTAINER_RUNTIME", FAILS, f"there is no {' nor '.join(programs)} on the PATH")
        where = (
            "on the PATH of this host; models in images need one" if alone else "on this host; the nodes may have it"
        )
        return Finding("container runtime", UNTESTED, f"none of {', '.join(programs)} {where}")
    done = try_command([found.program, "--version"], found.environment(surroundings))
    said = (done.stdout or done.stderr).strip().splitlines()
    return Finding("container runtime", HOLDS if done.returncode == 0 else FAILS, said[0] if said else found.program)


def _jobs(site: Site, surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """Whether jobs can be handed in: what they must have is given, and the scheduler takes their script."""
    for variable, given in (("SITE_QUEUE", site.queue), ("SITE_PROJECT", site.project)):
        if variable in site.requires.split() and not given:
            words = f"a job must have one: export {variable}=..., or give each command {REQUIRABLE[variable]}"
            yield Finding(variable, FAILS, words)
    scheduler = _scheduler(site, surroundings)
    yield scheduler
    if scheduler.outcome == HOLDS:
        yield from _job_script(site, surroundings)


def _job_script(site: Site, surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """What the scheduler's rules say of a job's script; nothing is handed in."""
    what = "job script"
    if site.job_script != "comparator":
        words = "Swift/T writes it, from a template of its own; SITE_JOB_SCRIPT=comparator has it written and tried"
        yield Finding(what, UNTESTED, words)
        return
    if not site.batch.tried_by:
        yield Finding(what, UNTESTED, f"nothing is known by which {site.batch.name} tries one")
        return
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "job.sh"
        try:
            file.write_text(script(site, _usual_job(site, Path(place)), ["true"]), encoding="utf-8")
        except InputError:
            return  # there are fewer slots than the site says, and that is told
        faults = site.batch.faults(file, surroundings)
    for fault in faults:
        yield Finding(what, FAILS, fault)
    if not faults:
        words = (
            f"{site.batch.name} takes one for {site.nodes} nodes and {clock(site.walltime)}, by {site.batch.tried_by}"
        )
        yield Finding(what, HOLDS, words)


def _usual_job(site: Site, folder: Path) -> Job:
    """What a search asks for where no option says otherwise."""
    layout = Layout(site.nodes, site.workers_per_node or len(site.slots()))
    on_node = layout.processes_per_node
    placed = (site.walltime, site.queue, site.project)
    return Job("site-check", folder / "output.txt", layout.nodes, layout.processes, on_node, *placed)


def _scheduler(site: Site, surroundings: Mapping[str, str]) -> Finding:
    scheduler = site.batch
    path = surroundings.get("PATH")
    missing = [
        each
        for each in (scheduler.submit, scheduler.query[0], scheduler.cancel[0])
        if not shutil.which(each, path=path)
    ]
    if missing:
        return Finding("scheduler", FAILS, f"{scheduler.name}: not on the PATH: {', '.join(missing)}")
    done = try_command(list(scheduler.answers), surroundings)
    if done.returncode != 0:
        return Finding("scheduler", FAILS, scheduler.why_silent(done.stderr))
    return Finding("scheduler", HOLDS, f"{scheduler.name} answers to {' '.join(scheduler.answers)}")
