"""Images: a model packed with everything it needs, and how a command is run in one.

The runtime is Apptainer, or Singularity, which takes the same words. A command in an image sees the data folder as
`/candle_data_dir`, the folders that it is lent under their own names, and no variable but those it is given; its own
files are read-only.

An image is a model by its scripts, which stand on its PATH: `train.sh`, and perhaps `preprocess.sh` and `infer.sh`. It
may describe itself by a `model.toml` in the folder that its IMPROVE_MODEL_DIR names; one beside the
image, `NAME.sif.toml` for `NAME.sif`, takes its place.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparator.errors import InputError

DATA_FOLDER = "/candle_data_dir"
IMAGE_ENDINGS = (".sif", ".simg", ".img", ".sqfs")
PROGRAMS = ("apptainer", "singularity")
SCRIPTS = ("train.sh", "preprocess.sh", "infer.sh")
LOOK_SECONDS = 300.0
#: Prints the scripts there are, a blank line, the model's folder, and its description.
LOOK = """
for script in {scripts}; do if command -v "$script" >/dev/null; then echo "$script"; fi; done
echo
echo "${{IMPROVE_MODEL_DIR:-}}"
cat "${{IMPROVE_MODEL_DIR:-/nowhere}}/model.toml" 2>/dev/null || true
"""


@dataclass(frozen=True)
class Image:
    """An image that was looked into: `folder` is the model's own in it, `description` the text of its `model.toml`."""

    path: Path
    program: str
    scripts: tuple[str, ...]
    folder: str
    description: str

    def command(
        self,
        inside: Sequence[str],
        environment: Mapping[str, str],
        folders: Mapping[Path, str],
        *,
        working_folder: Path | None = None,
        device: bool = False,
    ) -> list[str]:
        """The command that runs `inside` in the image; `folders` are lent to it under the names given."""
        return _command(
            self.program, self.path, inside, environment, folders, working_folder=working_folder, device=device
        )


def look_into(path: Path, reference: str, where: str) -> Image:
    """Find out what an image offers; raises `InputError` where it is none, or no model."""
    if not path.is_file():
        raise InputError(f"{where}: image '{reference}': no such file ({path})")
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise InputError(f"{where}: image '{reference}': there is neither {' nor '.join(PROGRAMS)} on the PATH")
    command = _command(program, path, ["/bin/sh", "-c", LOOK.format(scripts=" ".join(SCRIPTS))], {}, {})
    try:
        looked = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{where}: image '{reference}': does not start within {LOOK_SECONDS:g} seconds") from None
    if looked.returncode != 0:
        raise InputError(f"{where}: image '{reference}': {Path(program).name} cannot run it: {_reason(looked.stderr)}")
    scripts, _, rest = looked.stdout.partition("\n\n") if not looked.stdout.startswith("\n") else ("", "", "\n")
    if "train.sh" not in scripts.split():
        raise InputError(f"{where}: image '{reference}': is no model: there is no train.sh on its PATH")
    folder, _, description = rest.partition("\n")
    return Image(path, program, tuple(scripts.split()), folder, description)


def image_digest(path: Path) -> str:
    """SHA-256 of an image; read once a process, and again where the file has changed."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache
def _digest(path: Path, size: int, modified: int) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return whole.hexdigest()


def _command(
    program: str,
    image: Path,
    inside: Sequence[str],
    environment: Mapping[str, str],
    folders: Mapping[Path, str],
    *,
    working_folder: Path | None = None,
    device: bool = False,
) -> list[str]:
    words = [program, "exec", "--cleanenv", "--no-home"]
    if device:
        words.append("--nv")
    for source, target in folders.items():
        words += ["--mount", _csv("type=bind", f"src={source}", f"dst={target}")]
    if working_folder is not None:
        words += ["--pwd", str(working_folder)]
    for name, value in environment.items():
        words += ["--env", f"{name}={value}"]
    return [*words, str(image), *inside]


def _csv(*fields: str) -> str:
    """The fields as one line of CSV, which is how a folder with a comma in its name can be lent."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last = lines[-1] if lines else "it gives no reason"
    return last.removeprefix("FATAL:").strip()


def host_environment() -> dict[str, str]:
    """What the runtime itself finds in its environment: all of the host's but what it would hand on to the image."""
    handed_on = ("APPTAINERENV_", "SINGULARITYENV_", "APPTAINER_BIND", "SINGULARITY_BIND")
    return {name: value for name, value in os.environ.items() if not name.startswith(handed_on)}
