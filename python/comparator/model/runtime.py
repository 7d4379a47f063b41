"""Container runtimes: how a command is run in an image, behind one small interface.

| runtime | program | runs |
|---|---|---|
| `apptainer` | `apptainer`, or `singularity` with the same words | an image file, or a root file system in a folder |
| `charliecloud` | `ch-run` | a copy of a root file system; an image file is unpacked by `unsquashfs` |

In each, a command sees the folders that it is lent under the names given (and the host's `/tmp`, unless it is lent
another), no variable but those it is given and the image's own, and files of the image that it cannot change.

A further runtime is a class with the method and the facts of `Runtime`, and a line in `RUNTIMES` or in the
`pyproject.toml` of another package (`Registry`). Its name there is that of SITE_CONTAINER_RUNTIME.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from comparator.errors import InputError, nearest
from comparator.extensions.registry import Registry
from comparator.formats.text import shortened
from comparator.site.programs import try_command

#: What `unsquashfs` finds at the beginning of a squashed file system; in a SIF it lies at a multiple of a page.
SQUASHED, PAGE = b"hsqs", 4096
SEARCHED_BYTES = 64 << 20


@dataclass(frozen=True)
class Call:
    """A command for an image: its words, the variables it is given, the folders it is lent and under which names."""

    inside: Sequence[str]
    environment: Mapping[str, str]
    folders: Mapping[Path, str]
    working_folder: Path | None = None
    uses_device: bool = False


class Runtime(ABC):
    """Runs commands in images. `options` are the site's own further words for the program."""

    #: The programs that serve, the first that is there is taken.
    programs: ClassVar[tuple[str, ...]]
    #: Whether an image has to be unpacked into a folder of this user's before a command can run in it.
    needs_unpacking: ClassVar[bool] = False

    def __init__(self, program: str, options: Sequence[str] = ()) -> None:
        self.program, self.options = program, tuple(options)

    @abstractmethod
    def command(self, image: Path, call: Call) -> list[str]:
        """The command of this host that runs `call` in `image`, in its unpacked copy where there has to be one."""

    def environment(self, host: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What the program itself finds in its environment, of what this host has."""
        return dict(host)

    def reason(self, errors: str) -> str:
        """Why the program did not run an image, from what it printed: its last line."""
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        return lines[-1] if lines else "it gives no reason"


class Apptainer(Runtime):
    """Apptainer and Singularity; their own words are in their user guides under `exec`."""

    programs = ("apptainer", "singularity")
    #: What lets a command use the devices that a variable binds.
    device_options: ClassVar[dict[str, str]] = {"CUDA_VISIBLE_DEVICES": "--nv", "ROCR_VISIBLE_DEVICES": "--rocm"}

    def command(self, image: Path, call: Call) -> list[str]:
        # Of the host's folders only those that are lent: nothing is written anywhere else.
        unwanted = "tmp,cwd" if "/tmp" in call.folders.values() else "cwd"
        words = [self.program, "exec", "--cleanenv", "--no-home", "--no-mount", unwanted, *self.options]
        if call.uses_device:
            words += [option for variable, option in self.device_options.items() if variable in call.environment]
        for source, target in call.folders.items():
            words += _lend(str(source), target)
        if call.working_folder is not None:
            words += ["--pwd", str(call.working_folder)]
        # The program leaves out empty values, and takes others apart at these marks, after rules of its own.
        others = []
        for name, value in call.environment.items():
            if value and not any(mark in value for mark in '",='):
                words += ["--env", f"{name}={value}"]
            else:
                others.append(f"{name}={value}")
        return [*words, str(image), *(["env", *others] if others else []), *call.inside]

    def environment(self, host: Mapping[str, str] = os.environ) -> dict[str, str]:
        handed_on = ("APPTAINERENV_", "SINGULARITYENV_", "APPTAINER_BIND", "SINGULARITY_BIND")
        return {name: value for name, value in host.items() if not name.startswith(handed_on)}

    def reason(self, errors: str) -> str:
        return super().reason(errors).removeprefix("FATAL:").strip()


class Charliecloud(Runtime):
    """Charliecloud's `ch-run`, which wants no privilege and no set-up, and runs a folder.

    Devices: `ch-fromhost --nvidia FOLDER` puts what they need into an unpacked image.
    """

    programs = ("ch-run",)
    needs_unpacking = True  # the places for what is lent have to be made in it
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    #: An image file's own variables are in scripts, which Apptainer runs by itself.
    enter = 'for file in /.singularity.d/env/*.sh; do if [ -f "$file" ]; then . "$file"; fi; done; exec "$@"'

    def command(self, image: Path, call: Call) -> list[str]:
        words = [self.program, "--unset-env=*", "--env-no-expand", *self.options]
        for source, target in call.folders.items():
            if ":" in f"{source}{target}":
                raise InputError(f"{source}: {self.programs[0]} cannot lend a folder with a colon in its name")
            _make_target(_inside(image, target, call.folders), source)
            words += ["--bind", f"{source}:{target}"]
        if call.working_folder is not None:
            words += ["--cd", str(call.working_folder)]
        words.append(f"--set-env=PATH={self.path}")
        # After the image's own variables, as with Apptainer.
        given = [f"{name}={value}" for name, value in call.environment.items()]
        return [*words, str(image), "--", "/bin/sh", "-c", self.enter, "sh", "env", *given, *call.inside]

    def environment(self, host: Mapping[str, str] = os.environ) -> dict[str, str]:
        return {"USER": "user", **host}  # without it ch-run refuses to start

    def reason(self, errors: str) -> str:
        return super().reason(errors).partition("error: ")[2] or super().reason(errors)


RUNTIMES: Registry[type[Runtime]] = Registry(
    "comparator.runtimes", {"apptainer": Apptainer, "charliecloud": Charliecloud}
)


def find_runtime(
    name: str = "", options: Sequence[str] = (), where: str = "", path: str | None = None
) -> Runtime | None:
    """The runtime called `name`, where it is not given the first that this host has; None where it has none.

    Programs are looked for on `path`, by default this process's PATH. Raises `InputError`, which opens with `where`,
    for a name that is unknown.
    """
    if name and name not in RUNTIMES:
        raise InputError(
            f"{where}='{shortened(name)}': no such runtime{nearest(name, RUNTIMES)}; known: {', '.join(RUNTIMES)}"
        )
    for kind in [RUNTIMES[name]] if name else RUNTIMES.values():
        for program in kind.programs:
            found = shutil.which(program, path=path)
            if found is not None:
                return kind(found, options)
    return None


def programs_of(name: str = "") -> list[str]:
    """The programs of the runtime called `name`, or of all."""
    kinds = [RUNTIMES[name]] if name else list(RUNTIMES.values())
    return [program for kind in kinds for program in kind.programs]


def unpack(image: Path, folder: Path) -> None:
    """Unpack an image file, a SIF or a squashed file system, into a new folder; raises `InputError`."""
    program = shutil.which("unsquashfs")
    if program is None:
        raise InputError(f"{image}: must be unpacked, and there is no unsquashfs on the PATH (Debian: squashfs-tools)")
    words = [program, "-quiet", "-no-progress", "-no-xattrs", "-offset", str(_offset(image)), "-dest", str(folder)]
    done = try_command([*words, str(image)], seconds=None)
    # 2: a file, a device say, that this user may not make; the image may well run without.
    if done.returncode not in (0, 2) or not folder.is_dir():
        raise InputError(f"{image}: cannot be unpacked: {' '.join(done.stderr.split())[:200]}")


def _offset(image: Path) -> int:
    """Where the squashed file system begins in an image file."""
    with image.open("rb") as file:
        for offset in range(0, SEARCHED_BYTES, PAGE):
            file.seek(offset)
            if file.read(len(SQUASHED)) == SQUASHED:
                return offset
    raise InputError(f"{image}: is no image: there is no squashed file system in it")


def _inside(image: Path, target: str, folders: Mapping[Path, str]) -> Path:
    """Where on this host `target` lies in an unpacked image: in it, or in another folder that is lent to it."""
    for source, name in folders.items():
        if target.startswith(name + "/"):
            return source / target[len(name) + 1 :]
    return image / target.lstrip("/")


def _make_target(place: Path, source: Path) -> None:
    """Make the place that a folder or a file is lent to."""
    try:
        if source.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
    except OSError as error:
        raise InputError(f"{place}: a place for {source} cannot be made: {error.strerror}") from None


def _lend(source: str, target: str) -> list[str]:
    """The words that lend a folder; a name with a comma or a colon needs the newer option, which is CSV."""
    if not any(mark in source + target for mark in ",:"):
        return ["--bind", f"{source}:{target}"]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"src={source}", f"dst={target}"])
    return ["--mount", line.getvalue()]
