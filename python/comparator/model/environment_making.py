"""Make the environment of a model from its requirements file, once, whichever process comes first.

    ENVIRONMENTS/NAME-DIGEST/        the environment; `.complete` in it once it is whole
    ENVIRONMENTS/NAME-DIGEST.txt     the versions that were installed, which are installed again where it is made again
    ENVIRONMENTS/NAME-DIGEST.log     what the programs that made it have said
    ENVIRONMENTS/.making/NAME-DIGEST/    held by the process that makes it

DIGEST is that of the requirements and of the version of Python. It is made where it stays: the scripts of a virtual
environment have its path in them. One that is not whole is removed. `uv` makes it where it is on the PATH, else `venv`
and `pip`.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.text import one_line, shortened, write_text_whole
from comparator.model.log_lines import our_line, plain
from comparator.model.process import GuardedProcess
from comparator.model.python_environment import COMPLETE, PythonEnvironment, without_activation
from comparator.results.holder import Holder
from comparator.results.lease import claim

#: The environment of the programs that make it: plain lines for the log, and no question.
PLAIN = {
    **{"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "PIP_PROGRESS_BAR": "off", "PIP_NO_INPUT": "1"},
    **{"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"},
}
#: How the lines begin in which these programs say what failed.
ERRORS = ("ERROR:", "error:", "×", "fatal:")  # noqa: RUF001  (uv's own)
MOST_SHOWN = 300  # characters of what failed


def make(environment: PythonEnvironment, say: Callable[[str], None]) -> None:
    """Have an environment made, where it is to be made and is not there; others that want it wait meanwhile.

    `say` is called with what a person waits for. Raises `InputError` where it cannot be made; nothing but the log is
    left then.
    """
    if environment.is_there:
        return
    folder, said = environment.environments / ".making" / environment.folder.name, list[Holder]()

    def wait(holder: Holder, seconds: float) -> bool:
        if not said:
            said.append(holder)
            say(f"waiting for {environment.folder}, which is being made by {holder.words}")
        time.sleep(seconds)
        return True

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with claim(folder, f"making {environment.folder}", wait):
            if not environment.is_there:  # whoever held it has not made it
                _make(environment, say)
    except OSError as error:
        raise InputError(f"{environment.where}: cannot be made in {folder}: {error.strerror}") from None


def would_make(environment: PythonEnvironment) -> str:
    """What `make` would do, for people."""
    return f"{environment.folder} would be made from {environment.requirements} by {_maker(environment)[0]}"


def _make(environment: PythonEnvironment, say: Callable[[str], None]) -> None:
    folder, log = environment.folder, _beside(environment, ".log")
    name, commands = _maker(environment)
    say(f"making {folder} from {environment.requirements} by {name}, once; that may take minutes (log: {log})")
    shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    try:
        for command in commands:
            _run(environment, name, command, log)
        packages = environment.interpreter.packages
        versions = "".join(f"{name}=={version.split()[0]}\n" for name, version in packages.items() if version)
        write_text_whole(_beside(environment, ".txt"), versions)
        (folder / COMPLETE).touch()
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(f"{environment.where}: {folder} cannot be made: {error.strerror or error}") from None
        raise


def _maker(environment: PythonEnvironment) -> tuple[str, list[list[str]]]:
    """The program that makes an environment, and its commands."""
    folder, python, base = str(environment.folder), str(environment.python), str(environment.base)
    wanted = ["-r", str(environment.requirements)]
    versions = _beside(environment, ".txt")
    wanted += ["-c", str(versions)] if versions.is_file() else []
    uv = shutil.which(
        "uv", path=os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    )
    if uv is not None:
        # Without compiled modules every start of the model would compile them.
        installs = [uv, "pip", "install", "--python", python, "--compile-bytecode", *wanted]
        return "uv", [[uv, "venv", "--python", base, folder], installs]
    return "pip", [[base, "-m", "venv", folder], [python, "-m", "pip", "install", *wanted]]


def _run(environment: PythonEnvironment, name: str, command: list[str], log: Path) -> None:
    assert environment.requirements is not None
    with log.open("ab") as file:
        file.write(our_line(" ".join(command)))
        file.flush()
        process = GuardedProcess(
            command,
            {**without_activation(os.environ), **PLAIN},
            file,
            piped=False,
            folder=environment.requirements.parent,
        )
        try:
            code = process.wait(None)
        finally:
            process.close()
    if code != 0:
        versions = _beside(environment, ".txt")
        with_them = f" with the versions of {versions}" if str(versions) in command else ""
        raise InputError(f"{environment.where}: cannot be installed by {name}{with_them}: {_failure(log)} (log: {log})")


def _failure(log: Path) -> str:
    """What failed, by the last error in a log and what follows it."""
    lines = [plain(line).strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    first = max((number for number, line in enumerate(lines) if line.startswith(ERRORS)), default=len(lines) - 1)
    return shortened(one_line(" ".join(lines[first:])), MOST_SHOWN)


def _beside(environment: PythonEnvironment, ending: str) -> Path:
    return environment.folder.with_name(environment.folder.name + ending)
