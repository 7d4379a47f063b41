"""Processes of models: their environment, and that none outlives the process that wants it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from comparator.model.image import DATA_FOLDER
from comparator.model.model import Model
from comparator.model.runtime import Call
from comparator.site.profile import Slot

GUARD = Path(__file__).parent / "guard.py"
GUARD_LIMIT_SECONDS = 5.0
SERVER = Path(__file__).parent / "server.py"
SERVER_IN_IMAGE = "/comparator_server.py"
SCRATCH = ".tmp"
MODEL_FOLDER = "IMPROVE_MODEL_DIR"
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
#: A worker may be a rank of MPI. Its models are not: with these in sight a framework that can run over MPI or as a
#: Slurm step would take itself for one, and wait for the others.
OF_THE_RANK = (
    *("PMI_", "PMIX_", "PALS_", "HYDI_", "HYDRA_", "MPI_LOCAL", "OMPI_", "ADLB_", "TURBINE_", "COMPARATOR_"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_STEP", "RESIDENT_WORK"),
)


class GuardedProcess:
    """A command under `guard.py`: in a process group of its own that ends when this process does."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        errors: IO[bytes],
        *,
        piped: bool,
        folder: Path,
    ) -> None:
        life, self._life = os.pipe()
        guard = [sys.executable, "-I", "-S", str(GUARD), str(life)]
        self._process = subprocess.Popen(
            guard + command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else errors,
            stderr=errors,
            env=dict(environment),
            cwd=folder,
            pass_fds=[life],
            start_new_session=True,
        )
        os.close(life)
        self._lock = threading.Lock()

    @property
    def requests(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def replies(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float | None) -> int:
        """The exit status; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """Have the guard end the command and all its descendants; safe from any thread, more than once."""
        with self._lock:
            if self._life >= 0:
                os.close(self._life)
                self._life = -1

    def close(self) -> None:
        """End the command, reap its guard and close the pipes."""
        self.kill()
        try:
            self._process.wait(GUARD_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def call(
    model: Model,
    inside: list[str],
    slot: Slot,
    data_folder: Path,
    folder: Path | None = None,
    lent_folder: Path | None = None,
    start: Path | None = None,
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment by which `inside`, a script of the model say, is run.

    In an image it sees `data_folder` as `/candle_data_dir`, and `folder`, where it works, with all beside it or in
    `lent_folder`; it begins in `start`, or there; its `/tmp` lies in `folder` and goes with `clear_scratch`.
    """
    if model.image is None:
        return inside, run_environment(model, slot, data_folder)
    lent = {data_folder: DATA_FOLDER, SERVER: SERVER_IN_IMAGE}
    if folder is not None:
        (folder / SCRATCH).mkdir(exist_ok=True)
        shown = lent_folder or folder.parent
        lent |= {folder / SCRATCH: "/tmp", shown: str(shown)}
    given = _told(slot, DATA_FOLDER)
    command = model.image.command(Call(inside, given, lent, start or folder, uses_device=slot.device is not None))
    return command, model.image.host_environment()


def clear_scratch(folder: Path) -> None:
    """Remove what a command in an image left in its `/tmp`, once it has ended."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)


def run_environment(model: Model, slot: Slot, data_folder: Path) -> dict[str, str]:
    """The environment of a run outside images: this process's, one BLAS thread, the slot's device, the data folder.

    The programs of the model's own Python come first, as if it were activated. The PATH that a slot gives, which is the
    user's, takes the place of this process's; a model without a Python of its own has that alone. `IMPROVE_MODEL_DIR`
    is the model's own folder, in which its scripts look for each other: one that the user has set is another model's.
    """
    host = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_RANK)}
    given = slot.environment.get("PATH")
    if model.python is not None:
        host = model.python.variables(host, given)
    else:
        own = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        host |= {"PATH": own if given is None else given}
    if model.own_command is not None:  # `python -m` finds its modules as it does where one types that
        seen = map(str, model.own_command.imported_from)
        host |= {"PYTHONPATH": os.pathsep.join([*dict.fromkeys(seen), *filter(None, [host.get("PYTHONPATH")])])}
    return {**host, MODEL_FOLDER: str(model.folder), **_told(slot, str(data_folder)), "PATH": host["PATH"]}


def _told(slot: Slot, data_folder: str) -> dict[str, str]:
    """What every model is told.

    Where models share a device none may take all of its memory: TensorFlow and JAX are told to take what they need,
    PyTorch does so anyway.
    """
    return {
        **dict.fromkeys(THREADS, "1"),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",  # what a model prints goes to a log, whatever the terminal has
        "PYTHONDONTWRITEBYTECODE": "1",
        "CANDLE_DATA_DIR": data_folder,
        "IMPROVE_DATA_DIR": data_folder,
        **slot.environment,
    }


def exit_words(code: int, who: str) -> str:
    """How a process ended, in words: its exit status, or the signal that killed it, or the guard above it (`-n`)."""
    number = -code if code < 0 else code - 128
    with contextlib.suppress(ValueError):
        return f"{who} was killed by {signal.Signals(number).name}"
    return f"{who} ended with exit status {code}"
