"""`--notify`: a notice when a command is over, on the desktop, by the terminal, or by a command of the user's own.

What becomes of a notice never matters to what was done: one that fails is passed over.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

from comparator.errors import Submitted
from comparator.experiment.terminal import clock
from comparator.formats.text import one_line

#: The variable in which a command of the user's own is given the words.
VARIABLE = "COMPARATOR_NOTICE"
LONGEST_SECONDS = 30.0  # that a command may take
#: A bell, and the orders by which terminals show a notice: OSC 9 (iTerm2, ConEmu, kitty) and OSC 777 (urxvt, VTE).
TERMINAL = "\a\x1b]9;{words}\x07\x1b]777;notify;Comparator;{words}\x07"


@contextlib.contextmanager
def at_the_end(asked: str | None, what: str) -> Iterator[None]:
    """Give notice once what is done in the context is over, by a user's own command where `asked` has one.

    Without `asked`, and where it was stopped by hand or handed to a scheduler, nobody waits for one.
    """
    began = time.monotonic()
    try:
        yield
    except (KeyboardInterrupt, Submitted):
        raise
    except BaseException as error:
        _give(asked, f"{what} ended after {clock(time.monotonic() - began)}: {error}")
        raise
    _give(asked, f"{what} is done, after {clock(time.monotonic() - began)}")


def _give(asked: str | None, words: str) -> None:
    if asked is None:
        return
    words = one_line(words)
    with contextlib.suppress(Exception):
        if asked:
            _run(asked, words, shell=True)
            return
        if sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb"):
            sys.stderr.write(TERMINAL.format(words=words.replace(";", ",")))
            sys.stderr.flush()
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            program = shutil.which("notify-send")
            if program is not None:
                _run([program, "Comparator", words], words, shell=False)


def _run(command: str | list[str], words: str, *, shell: bool) -> None:
    environment = {**os.environ, VARIABLE: words}
    subprocess.run(
        command, shell=shell, env=environment, stdin=subprocess.DEVNULL, timeout=LONGEST_SECONDS, check=False
    )
