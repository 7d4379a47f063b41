"""What surrounds a command: standard streams that may be closed or go away, a terminal's characters, PYTHONPATH.

`settle` comes before anything else: what is opened while a standard stream is closed would take its place, and be
written over by what is printed. Standard library only.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import select
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from comparator.errors import InputError
from comparator.formats.text import plain_character

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

READABLE = "comparator-readable"


class _Lasting(io.RawIOBase):
    """A descriptor to write to, whose other end may go away: what is written from then on goes nowhere.

    `lost` says why, where what was written was to be kept: in a file. A terminal or a pipe that nobody reads any more
    is no fault.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self.lost: OSError | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: ReadableBuffer) -> int:
        while True:
            try:
                return os.write(self._descriptor, text)
            except BlockingIOError:  # somebody else's setting of a terminal that is shared
                select.select([], [self._descriptor], [])
            except OSError as error:
                if self._is_file:
                    self.lost = error
                _to_nowhere(self._descriptor, os.O_WRONLY)
                return memoryview(text).nbytes


def settle() -> None:
    """See to it that this process has three standard streams, which never raise, and its own packages before others."""
    for descriptor, how in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        if not _is_open(descriptor):
            _to_nowhere(descriptor, how)
    codecs.register_error(READABLE, _readable)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (for as long as the process lasts)
    # A test, say, has put others in their place.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _lasting(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _lasting(2, sys.stderr)
    own_packages_first()


def check_umask() -> None:
    """Raise `InputError` where files that this process makes are not its own to use."""
    mask = os.umask(0)
    os.umask(mask)
    if mask & stat.S_IRWXU == 0:
        return
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "probe").write_bytes(b"")
        (folder / "probe").read_bytes()
        list(folder.iterdir())
    except PermissionError:
        raise InputError(f"umask is {mask:04o}: files that are made could not be used; set it by: umask 022") from None
    finally:
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


def output_lost() -> str | None:
    """Why the file that standard output goes to has not all that was printed; None where it has, or it is no file."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    lost = raw.lost if isinstance(raw, _Lasting) else None
    return None if lost is None else lost.strerror or os.strerror(lost.errno or errno.EIO)


def own_packages_first() -> None:
    """Look for modules in PYTHONPATH, which may be that of another Python, after this Python's own packages.

    Under `python -E`, which does not look there at all, no PYTHONHOME is needed, and none reaches other processes.
    """
    if sys.flags.ignore_environment:
        os.environ.pop("PYTHONHOME", None)
    of_this = str(Path(__file__).resolve().parents[2])
    last = [folder for each in python_path() if (folder := os.path.abspath(each)) != of_this]  # noqa: PTH100
    sys.path[:] = [each for each in sys.path if os.path.abspath(each) not in last] + last  # noqa: PTH100


def python_path() -> list[str]:
    """The folders of PYTHONPATH."""
    return [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _to_nowhere(descriptor: int, how: int) -> None:
    nowhere = os.open(os.devnull, how)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    else:
        os.set_inheritable(descriptor, True)


def _lasting(descriptor: int, stream: io.TextIOWrapper | None) -> io.TextIOWrapper:  # type: ignore[type-arg, unused-ignore]
    raw = io.BufferedWriter(_Lasting(descriptor))
    if stream is None:
        return io.TextIOWrapper(raw, encoding="utf-8", errors=READABLE, line_buffering=True)
    stream.flush()
    return io.TextIOWrapper(
        raw,
        encoding=stream.encoding,
        errors=READABLE,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _readable(error: UnicodeError) -> tuple[str, int]:
    """What a terminal shows in the place of characters that it does not have."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(plain_character, error.object[error.start : error.end])), error.end


@contextlib.contextmanager
def variables_kept() -> Iterator[None]:
    """What is imported within may set variables for itself; those that trainings are given stay as they were.

    A training's variables tell whether it would come out again (`comparator.model.reads`).
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})
