"""A site: one shell file in `sites/` that says what a machine offers (see `sites/README.md`).

Those of the project's own `sites/` stand beside those that come with the package; of two of one name the project's own
counts.

The file is plain variables and two optional functions: `site_launch` sets up the host where commands are typed
(module commands, exported variables), `site_worker` the nodes of a job. It is run once by `bash`, as the site's
admin wrote it, with COMPARATOR_ROOT set, and the variables below are read from what it leaves behind. Variables
that the user has set already win where the file says so (`NAME=${NAME:-default}`).
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.names import check_name, home_written_out
from comparator.formats.text import LONGEST_MESSAGE, shortened, shown
from comparator.site.folders import shipped_folder
from comparator.site.programs import reason_in, try_command
from comparator.site.schedulers import SCHEDULERS, Scheduler
from comparator.site.variables import Variables

VARIABLES = {
    "SITE_DESCRIPTION": "",
    "SITE_ENGINES": "local",
    "CANDLE_DATA_DIR": "",
    "SITE_DEVICES": "0",
    "SITE_MODELS_PER_DEVICE": "1",
    "SITE_TOGETHER": "1",
    "SITE_DEVICE_VARIABLE": "CUDA_VISIBLE_DEVICES",
    "SITE_DEVICE_ORDER": "ascending",
    "SITE_CORES": "",
    "SITE_SCHEDULER": "none",
    "SITE_JOB_SCRIPT": "swift-t",
    "SITE_REQUIRES": "",
    "SITE_NODES": "1",
    "SITE_WORKERS_PER_NODE": "",
    "SITE_WALLTIME": "01:00:00",
    "SITE_QUEUE": "",
    "SITE_PROJECT": "",
    "SITE_DIRECTIVES": "",
    "SITE_LAUNCH_OPTIONS": "",
    "SITE_LEAF": "python",
    "SITE_CONTAINER_RUNTIME": "",
    "SITE_CONTAINER_OPTIONS": "",
    "SITE_IMAGE_FOLDER": "",
}
LEAVES = ("python", "app")
#: Who writes a job's script: this package (`comparator.site.job`), or Swift/T from its own template.
JOB_SCRIPTS = ("comparator", "swift-t")
ORDERS = ("ascending", "descending")
#: What a site may require of each job, and the options that give it.
REQUIRABLE = {"SITE_QUEUE": "--queue", "SITE_PROJECT": "--project"}
#: A device's number, that of a part of it (`0.1`), or its UUID, of which the beginning is enough.
DEVICE = re.compile(r"\d+(\.\d+)?|(GPU|MIG)-[\w/-]+")
CLOCK = re.compile(r"([0-9]+):([0-5][0-9]):([0-5][0-9])")


@dataclass(frozen=True)
class Slot:
    """A place for one training: a share of a device, or a core (`device` is None)."""

    number: int
    device: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """A machine profile: where the data are, which devices a node has, how many models share one, how jobs start."""

    name: str
    description: str
    engines: tuple[str, ...]
    data_folder: Path
    devices: int
    models_per_device: int
    device_variable: str
    device_order: str  # ascending, descending, or the names of all devices in the order in which they are given out
    cores: int  # of a node; those of this host where the file does not say
    scheduler: str = "none"
    job_script: str = "swift-t"  # or "comparator": who writes the scripts of its jobs
    requires: str = ""  # variables of REQUIRABLE, with blanks between them, that may not be empty for a job
    nodes: int = 1
    workers_per_node: int | None = None  # None: as many as a node has slots
    walltime: int = 3600  # seconds
    queue: str = ""
    project: str = ""
    directives: tuple[str, ...] = ()  # for the scheduler, without its mark, as `-l filesystems=home`
    launch_options: str = ""  # of the program that starts the ranks of a job; {ranks} stands for their number
    leaf: str = "python"  # in the worker's own interpreter; "app": a command for each evaluation
    container_runtime: str = ""  # "": the first that there is
    container_options: tuple[str, ...] = ()  # further words for its program
    says_cores: bool = False  # whether `cores` are those that the file says
    together: int = 1  # trainings that a worker gives at once to a model that takes several
    image_folder: Path | None = None  # on a disk of each node, where images are copied before they are started

    @classmethod
    def again(cls, described: Mapping[str, Any]) -> Site:
        """A site from what `dataclasses.asdict` made of it, by way of JSON."""
        paths = {"data_folder": Path(described["data_folder"])}
        if described["image_folder"]:
            paths["image_folder"] = Path(described["image_folder"])
        tuples = {name: tuple(described[name]) for name in ("engines", "directives", "container_options")}
        return cls(**{**described, **paths, **tuples})

    @property
    def batch(self) -> Scheduler:
        """What takes jobs for the site's nodes."""
        return SCHEDULERS[self.scheduler]()

    @property
    def has_nodes(self) -> bool:
        """Whether there are nodes for jobs of a scheduler; else the host where commands are typed is the one node."""
        return self.batch.takes_jobs

    def slots(self) -> list[Slot]:
        """Places for one training each on a node: devices times models per device, without devices the cores.

        Where the device variable is set already, by a scheduler or by the user, its devices are given out and no
        others; raises `InputError` where they are fewer than the site says.
        """
        if self.devices == 0:
            hidden = {self.device_variable: ""}
            return [Slot(number, None, hidden) for number in range(self.cores)]
        names = self._device_names()
        devices = [device for _ in range(self.models_per_device) for device in names]
        return [Slot(number, device, {self.device_variable: device}) for number, device in enumerate(devices)]

    def _device_names(self) -> list[str]:
        given = os.environ.get(self.device_variable)
        visible = self.device_names() if given is None else visible_devices(given)
        # A login node without devices is no node of a job.
        if not visible and self.has_nodes and self.batch.in_a_job not in os.environ:
            visible = self.device_names()
        ordered = self._in_order(visible)
        if len(ordered) < self.devices:
            raise InputError(
                f"site '{self.name}': SITE_DEVICES={self.devices}, but {self.device_variable}={shortened(given or '')}"
                f" allows {len(ordered) or 'none'}"
            )
        return ordered

    def device_names(self) -> list[str]:
        """The devices of a node that the site speaks of, whether they are given out here or not."""
        named = self.device_order.split()
        return [str(number) for number in range(self.devices)] if self.device_order in ORDERS else named

    def _in_order(self, visible: Sequence[str]) -> list[str]:
        """As many devices of those that are allowed as the site has, in its order; a part (`0.1`) is with its whole."""
        if self.device_order == "ascending":
            return list(visible[: self.devices])
        if self.device_order == "descending":
            return list(visible[: self.devices])[::-1]
        return [name for name in self.device_order.split() if {name, name.partition(".")[0]} & {*visible}]


def visible_devices(given: str) -> list[str]:
    """The devices that the value of a device variable allows, as CUDA reads it.

    Nothing behind the first that names no device is seen (`-1`, `NoDevFiles`, an empty text); one that is named twice
    is one device.
    """
    names = [name.strip() for name in given.split(",")]
    return list(dict.fromkeys(itertools.takewhile(DEVICE.fullmatch, names)))


def site_files(root: Path) -> dict[str, Path]:
    """The file of each site there is for the project at `root`, by name; they are listed, not run."""
    folders = (shipped_folder("sites"), root / "sites")
    found = {path.stem: path for folder in folders for path in folder.glob("*.sh") if path.stem != "template"}
    return dict(sorted(found.items()))


def site_description(file: Path) -> str:
    """What a site says of itself; its file is read, not run."""
    text = file.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^SITE_DESCRIPTION=(['\"]?)(.*)\1$", text, re.MULTILINE)
    return found[2] if found else ""


def site_file(name: str, root: Path) -> Path:
    """The file of a site; raises `InputError` where there is none of that name."""
    known = site_files(root)
    check_name(name, "site")
    if name not in known:
        folders = dict.fromkeys(str(path.parent) for path in known.values())
        raise InputError(
            f"no site '{shortened(name)}'{nearest(name, known)}; there are: {', '.join(known)}"
            f" (in {', '.join(folders)})"
        )
    return known[name]


def read_site(name: str, root: Path) -> Site:
    """Read a site of the project at `root`; raises `InputError` for what a person can mend."""
    file = site_file(name, root)
    given = Variables(file, _run(file, root))
    values = given.values
    return Site(
        name=name,
        description=values["SITE_DESCRIPTION"],
        engines=tuple(values["SITE_ENGINES"].split()),
        data_folder=home_written_out(values["CANDLE_DATA_DIR"] or root / "data").absolute(),
        devices=given.count("SITE_DEVICES", smallest=0),
        models_per_device=given.count("SITE_MODELS_PER_DEVICE"),
        together=given.count("SITE_TOGETHER"),
        device_variable=values["SITE_DEVICE_VARIABLE"],
        device_order=_device_order(given),
        cores=given.count("SITE_CORES") if values["SITE_CORES"] else usable_cores(),
        says_cores=bool(values["SITE_CORES"]),
        scheduler=given.choice("SITE_SCHEDULER", SCHEDULERS),
        job_script=_job_script(given),
        requires=_requires(given),
        nodes=given.count("SITE_NODES"),
        workers_per_node=given.count("SITE_WORKERS_PER_NODE") if values["SITE_WORKERS_PER_NODE"] else None,
        walltime=given.read("SITE_WALLTIME", _seconds),
        queue=given.read("SITE_QUEUE", _word_of_job),
        project=given.read("SITE_PROJECT", _word_of_job),
        directives=tuple(line.strip() for line in values["SITE_DIRECTIVES"].splitlines() if line.strip()),
        launch_options=values["SITE_LAUNCH_OPTIONS"],
        leaf=given.choice("SITE_LEAF", LEAVES),
        container_runtime=values["SITE_CONTAINER_RUNTIME"],
        container_options=given.read("SITE_CONTAINER_OPTIONS", _words),
        image_folder=home_written_out(values["SITE_IMAGE_FOLDER"]) if values["SITE_IMAGE_FOLDER"] else None,
    )


def seconds_of(text: str, where: str) -> int:
    """The seconds of a time as `HH:MM:SS`; raises `InputError`."""
    try:
        return _seconds(text)
    except ValueError as error:
        raise InputError(f"{where}={shown(text)}: {error}") from None


def clock(seconds: int) -> str:
    """`01:30:00` for 5400 seconds."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def job_word(text: str, where: str) -> str:
    """`text` where it can stand in a job script as it is: a queue, a project; raises `InputError`."""
    try:
        return _word_of_job(text)
    except ValueError as error:
        raise InputError(f"{where}={shown(text)}: {error}") from None


def launch_environment(site: Site, root: Path, *, workers_too: bool) -> dict[str, str]:
    """The environment that the site's `site_launch` leaves behind, with everything that the file exports.

    `workers_too` says that this host is the worker as well, so that `site_worker` counts too. Raises
    `InputError` where it fails.
    """
    path = site_file(site.name, root)
    functions = ["site_launch", "site_worker"] if workers_too else ["site_launch"]
    calls = " ".join(f"if declare -F {each} >/dev/null; then {each} >&2; fi;" for each in functions)
    # The program is found before the site's file can change the PATH.
    script = f'set -eu; list=$(command -v env); . "$1"; {calls} "$list" -0'
    result = _bash(script, path, root)
    if result.returncode != 0:
        raise InputError(f"{path}: site_launch or site_worker failed: {_last_words(result)}")
    pairs = (entry.partition("=") for entry in result.stdout.split("\0") if "=" in entry)
    return {name: value for name, _, value in pairs if name not in ("_", "SHLVL", "PWD", "OLDPWD")}


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(path: Path, root: Path) -> dict[str, str]:
    names = " ".join(VARIABLES)
    script = f'set -eu; . "$1"; for name in {names}; do printf "%s\\0" "${{!name-}}"; done'
    result = _bash(script, path, root)
    values = result.stdout.split("\0")[:-1]
    if result.returncode != 0 or len(values) < len(VARIABLES):
        raise InputError(f"{path}: cannot be run by bash: {_last_words(result)}")
    given = values[-len(VARIABLES) :]
    return {name: value or VARIABLES[name] for name, value in zip(VARIABLES, given, strict=True)}


def _bash(script: str, path: Path, root: Path) -> CompletedProcess[str]:
    environment = {**os.environ, "COMPARATOR_ROOT": str(root)}
    return try_command(["bash", "-c", script, "bash", str(path)], environment, seconds=None, exactly=True)


def _last_words(result: CompletedProcess[str]) -> str:
    return (
        shortened(reason_in(result.stderr), LONGEST_MESSAGE // 2)
        if result.stderr.strip()
        else f"exit status {result.returncode}"
    )


def _seconds(text: str) -> int:
    match = CLOCK.fullmatch(text)
    if match is None or not any(map(int, match.groups())):
        raise ValueError("must be a time as HH:MM:SS, such as 01:30:00 for one hour and a half")
    hours, minutes, seconds = map(int, match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _word_of_job(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:@+-]*", text):
        raise ValueError("only letters, digits and . _ : @ + - can stand in a job script")
    return text


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        raise ValueError("a quote is not closed") from None


def _device_order(given: Variables) -> str:
    """`ascending`, `descending`, or the names of all devices, each once; raises `InputError`."""
    devices = given.values["SITE_DEVICES"]

    def read(order: str) -> str:
        names = order.split()
        if order in ORDERS:
            return order
        if not all(map(DEVICE.fullmatch, names)) or len({*names}) != len(names) or str(len(names)) != devices:
            raise ValueError(
                f"must be ascending, descending, or the names of all {shortened(devices)} devices of SITE_DEVICES,"
                " each once"
            )
        return " ".join(names)

    return given.read("SITE_DEVICE_ORDER", read)


def _job_script(given: Variables) -> str:
    scheduler = given.values["SITE_SCHEDULER"]

    def read(chosen: str) -> str:
        if chosen == "comparator" and SCHEDULERS[scheduler].takes_jobs and not SCHEDULERS[scheduler].job:
            raise ValueError(f"how to write one for {scheduler} only Swift/T knows")
        return chosen

    given.choice("SITE_JOB_SCRIPT", JOB_SCRIPTS)
    return given.read("SITE_JOB_SCRIPT", read)


def _requires(given: Variables) -> str:
    def read(names: str) -> str:
        for name in names.split():
            if name not in REQUIRABLE:
                raise ValueError(
                    f"'{shortened(name)}' is none of {', '.join(REQUIRABLE)}, which it may name"
                    f"{nearest(name, REQUIRABLE)}"
                )
        return names

    return given.read("SITE_REQUIRES", read)
