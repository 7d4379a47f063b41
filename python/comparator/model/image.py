"""Images: a model packed with everything it needs.

An image is a file (SIF, or a squashed file system) or an unpacked root file system in a folder. It is a model by its
scripts, which stand on its PATH: `train.sh`, and perhaps `preprocess.sh` and `infer.sh`, or by a `command` in its
description. It may describe itself by a `model.toml` in the folder that its IMPROVE_MODEL_DIR names; one beside the
image, `NAME.sif.toml` for `NAME.sif`, takes its place.

A command in it sees the data folder as `/candle_data_dir` and the folder of its runs under its own name, may write
there and in a `/tmp` of its own, and nowhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess

from comparator.errors import InputError, nearest_path
from comparator.model.runtime import Call, Runtime, programs_of, unpack
from comparator.site.programs import try_command

DATA_FOLDER = "/candle_data_dir"
IMAGE_ENDINGS = (".sif", ".simg", ".img", ".sqfs")
SCRIPTS = ("train.sh", "preprocess.sh", "infer.sh")
LOOK_SECONDS = 300.0
#: Prints the scripts there are, a blank line, those that are there but not executable, a blank line, the model's
#: folder, and its description.
LOOK = """
for script in {scripts}; do if command -v "$script" >/dev/null; then echo "$script"; fi; done
echo
IFS=:
for script in {scripts}; do for folder in $PATH; do
  if [ -f "$folder/$script" ] && [ ! -x "$folder/$script" ]; then echo "$folder/$script"; fi
done; done
echo
echo "${{IMPROVE_MODEL_DIR:-}}"
cat "${{IMPROVE_MODEL_DIR:-/nowhere}}/model.toml" 2>/dev/null || true
"""


@dataclass(frozen=True)
class Image:
    """An image that was looked into: `folder` is the model's own in it, `description` the text of its `model.toml`.

    `runtime` is None where this host has none and the image could not be looked into; the nodes do it. `lacks` says why
    it is no model by its scripts; None where it is.
    """

    path: Path
    runtime: Runtime | None
    scripts: tuple[str, ...]
    folder: str
    description: str
    lacks: str | None = None
    is_placed: bool = False

    def command(self, call: Call) -> list[str]:
        """The command of this host that runs `call` in the image; unpacks it first where it has to be."""
        ready = self if self.is_placed else self.placed(None)
        return self._known_runtime.command(ready.path, call)

    def host_environment(self) -> dict[str, str]:
        """What the runtime's own program finds in its environment."""
        return self._known_runtime.environment()

    def placed(self, folder: Path | None) -> Image:
        """The image as this node runs it: copied to `folder`, on a disk of its own, and unpacked where it has to be.

        Once a node, whichever of its processes comes first; the others wait for it. Without a `folder` only what has
        to be unpacked is, in the folder of temporary files. Raises `InputError`.
        """
        unpacks = self._known_runtime.needs_unpacking
        if folder is None and not unpacks:
            return self
        return replace(self, path=_place(self.path, folder or node_folder(), unpacks=unpacks), is_placed=True)

    def run(self, call: Call) -> CompletedProcess[str]:
        """What a short call says, as of `try_command`."""
        return try_command(self.command(call), self.host_environment(), seconds=LOOK_SECONDS)

    def reason(self, errors: str) -> str:
        """Why it did not run, from what the runtime printed."""
        return f"{Path(self._known_runtime.program).name} cannot run it: {self._known_runtime.reason(errors)}"

    @property
    def _known_runtime(self) -> Runtime:
        if self.runtime is None:
            raise InputError(f"{self.path}: there is neither {' nor '.join(programs_of())} on the PATH of this node")
        return self.runtime


def is_image(path: Path) -> bool:
    """Whether a path is that of an image: by its ending, or as a folder with a root file system in it."""
    if path.suffix in IMAGE_ENDINGS and not path.is_dir():
        return True
    return (path / "bin").is_dir() and (path / "etc").is_dir() and not (path / "train.sh").exists()


def look_into(path: Path, reference: str, where: str, runtime: Runtime | None, *, nodes_have_one: bool) -> Image:
    """Find out what an image offers; raises `InputError` where it is none.

    Without a runtime on this host that is an error too, unless `nodes_have_one`, and a description beside the image
    says what can be known beforehand.
    """
    said = f"{where}: image '{reference}'"
    if not path.exists():
        raise InputError(f"{said}: no such file ({path}){nearest_path(path)}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{said}: may not be read by this user ({path})")
    if runtime is None:
        if nodes_have_one and description_beside(path).is_file():
            return Image(path, None, ("train.sh",), "", "")
        beside = f" here, nor a description beside the image ({description_beside(path)})" if nodes_have_one else ""
        raise InputError(f"{said}: there is neither {' nor '.join(programs_of())} on the PATH{beside}")
    image = Image(path, runtime, (), "", "")
    looked = image.run(Call(["/bin/sh", "-c", LOOK.format(scripts=" ".join(SCRIPTS))], {}, {}))
    if looked.returncode != 0:
        raise InputError(f"{said}: {image.reason(looked.stderr)}")
    scripts, locked, rest = _sections(looked.stdout)
    folder, _, description = rest.partition("\n")
    lacks = None
    if "train.sh" not in scripts:
        hint = f"; {locked[0]} is not executable" if locked else ", nor a command in its model.toml"
        lacks = f"{said}: is no model: there is no train.sh on its PATH{hint}"
    return replace(image, scripts=tuple(scripts), folder=folder, description=description, lacks=lacks)


def description_beside(path: Path) -> Path:
    """The file that takes the place of an image's own description."""
    return path.with_name(f"{path.name}.toml")


def image_digest(path: Path) -> str:
    """SHA-256 of an image; read once a process, and again where it has changed."""
    return _digest(path, image_state(path))


def image_state(path: Path) -> str:
    """What changes when an image does, and is quicker to find out than its digest: sizes and times of its files."""
    if not path.is_dir():
        status = path.stat()
        return f"{status.st_size} {status.st_mtime_ns}"
    whole = hashlib.sha256()
    for file in _files_below(path):
        with contextlib.suppress(FileNotFoundError):
            status = file.lstat()
            whole.update(f"{file.relative_to(path)}\0{status.st_size} {status.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def _sections(printed: str) -> tuple[list[str], list[str], str]:
    """The scripts, those that are not executable, and the rest of what looking into an image printed."""
    lines = printed.split("\n")
    first = lines.index("")
    second = lines.index("", first + 1)
    return lines[:first], lines[first + 1 : second], "\n".join(lines[second + 1 :])


def node_folder() -> Path:
    """Where on this node lies what is made of images: in its folder of temporary files."""
    return Path(tempfile.gettempdir()) / f"comparator-images-{os.getuid()}"


def _place(path: Path, folder: Path, *, unpacks: bool) -> Path:
    """Copy or unpack an image into `folder`, if that is not done yet."""

    def put(part: Path) -> None:
        if path.is_dir():
            shutil.copytree(path, part, symlinks=True)
        elif unpacks:
            unpack(path, part)
        else:
            shutil.copyfile(path, part)

    return made_once(path, folder, "" if unpacks or path.is_dir() else path.suffix, put)


def made_once(path: Path, folder: Path, ending: str, make: Callable[[Path], None]) -> Path:
    """What `make` puts at the path that it is given, of an image as it is now; it lies in `folder`, called by `ending`.

    Whoever comes first makes it, the others wait. Raises `InputError`.
    """
    state = hashlib.sha256(f"{path.resolve()} {image_state(path)}".encode()).hexdigest()[:16]
    target = folder / f"{path.stem}-{state}{ending}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                for unfinished in folder.glob(f"{target.name}.part-*"):
                    shutil.rmtree(unfinished, ignore_errors=True)
                part = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=folder)) / target.name
                make(part)
                part.rename(target)
                part.parent.rmdir()
    except OSError as error:
        raise InputError(f"{path}: cannot be placed in {folder}: {error.strerror or error}") from None
    return target


@functools.lru_cache
def _digest(path: Path, state: str) -> str:
    whole = hashlib.sha256()
    for file in _files_below(path) if path.is_dir() else [path]:
        if path.is_dir():
            whole.update(f"{file.relative_to(path)}\0".encode())
        if file.is_symlink():
            whole.update(str(file.readlink()).encode())
        elif file.is_file():
            with file.open("rb") as content:
                while piece := content.read(1 << 20):
                    whole.update(piece)
    return whole.hexdigest()


def _files_below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))
