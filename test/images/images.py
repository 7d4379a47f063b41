"""Small images for tests: this machine's shell and Python, and a model's files, in a squashed file system.

Apptainer runs such a file as it runs a SIF; to make one takes a second and neither a registry nor root.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

from comparator.model.runtime import programs_of

MODEL_FOLDER = "/model"
LEFT_OUT = (
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "config-*",
    "__pycache__",
    "lib2to3",
    "ensurepip",
    "turtledemo",
)
ENVIRONMENT = """
export IMPROVE_MODEL_DIR={model}
export PYTHONHOME={home}
"""


def why_not(runtime: str) -> str | None:
    """Why no image can be made, or run by `runtime`, here; None where it can."""
    programs = programs_of(runtime)
    if not any(map(shutil.which, programs)):
        return f"there is no {' nor '.join(programs)} on the PATH"
    return None if shutil.which("mksquashfs") else "there is no mksquashfs on the PATH (Debian: squashfs-tools)"


def make_image(path: Path, files: Mapping[str, str], *, python: bool = False) -> Path:
    """Make an image of `files`, which maps absolute paths in it to texts; scripts (`.sh`) are executable.

    Where `path` has no ending the image is an unpacked root file system, a folder.
    """
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "root" if path.suffix else path
        for folder in ("dev", "proc", "sys", "tmp", "var/tmp", "etc", "candle_data_dir", "model"):
            (root / folder).mkdir(parents=True)
        for program in ("sh", "cat", "env", "mkdir", "sleep", "find", "tar"):
            _add(root, Path(shutil.which(program) or program), f"/bin/{program}")
        if python:
            standard = Path(sysconfig.get_path("stdlib"))
            _add(root, Path(sys.executable).resolve(), "/usr/bin/python3")
            shutil.copytree(standard, root / str(standard)[1:], ignore=shutil.ignore_patterns(*LEFT_OUT))
        for file in ("passwd", "group", "hosts", "resolv.conf"):  # where runtimes put the host's
            (root / "etc" / file).touch()
        environment = ENVIRONMENT.format(model=MODEL_FOLDER, home=sys.base_prefix)
        own = {"/.singularity.d/env/90-environment.sh": environment, "/.singularity.d/env/99-base.sh": ""}
        for name, text in {**own, **files}.items():
            file = root / name[1:]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            if file.suffix == ".sh":
                file.chmod(0o755)
        if not path.suffix:
            return path
        squash = ["mksquashfs", str(root), str(path), "-noappend", "-quiet", "-no-progress"]
        subprocess.run([*squash, "-comp", "gzip", "-Xcompression-level", "1"], check=True, capture_output=True)
    return path


def _add(root: Path, program: Path, target: str) -> None:
    """Copy a program, and the libraries that it is linked with to where they are here."""
    linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout.split()
    libraries = [Path(word) for word in linked if word.startswith("/")]
    for source, name in [(program, target), *((library, str(library)) for library in libraries)]:
        copy = root / name[1:]
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source.resolve(), copy)
