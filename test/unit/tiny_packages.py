"""A package of three lines in several versions, as wheels, and environments in which one is installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

#: Its loss is the number of its version, so that nobody can mistake one for another.
MODEL = """
import tiny

def initialize_parameters():
    return {"noise": 0.0, "rng_seed": 1}

def run(params):
    print("here is", tiny.__file__)
    return {"val_loss": tiny.VERSION + params["noise"]}
"""


def write_wheel(folder: Path, version: int) -> Path:
    """Write the wheel of `tiny` in a version."""
    folder.mkdir(exist_ok=True)
    files = {
        "tiny/__init__.py": f"VERSION = {version}\n",
        f"tiny-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"tiny-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"tiny-{version}.dist-info/RECORD"
    lines = [f"{name},sha256={_hash(text)},{len(text)}\n" for name, text in files.items()]
    path = folder / f"tiny-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, record: "".join(lines) + f"{record},,\n"}.items():
            wheel.writestr(name, text)
    return path


def make_environment(folder: Path, version: int) -> Path:
    """Make a virtual environment that has `tiny` in a version, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python3*/site-packages")
    install(packages, version)
    return folder


def install(packages: Path, version: int) -> None:
    """Install `tiny` in a version into a folder of packages, in the place of another."""
    for old in packages.glob("tiny*"):
        shutil.rmtree(old)
    with zipfile.ZipFile(write_wheel(packages.parent / "wheels", version)) as wheel:
        wheel.extractall(packages)


def _hash(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
