"""A terminal for tests: a command in a pseudo-terminal, and what stands on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Orders to a terminal (ECMA-48), orders with text to the end (OSC), and what else is one character.
ORDER = re.compile(
    r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b.|(.)", re.DOTALL
)


class Screen:
    """What a text with orders leaves on a terminal of `columns`; lines that have scrolled away stay in `lines`."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines: list[str] = [""]
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        for match in ORDER.finditer(text):
            if match[3] is not None:
                self._write(match[3])
            elif match[2] is not None:
                self._obey(match[2], match[1])

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip()

    def _write(self, character: str) -> None:
        if character == "\n":
            self._down()
        elif character == "\r":
            self._column = 0
        elif character.isprintable():
            if self._column >= self.columns:  # where a terminal would break a line, whatever stands there
                self._down()
                self._column = 0
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")

    def _obey(self, order: str, given: str) -> None:
        count = int(given) if given.isdigit() else 1
        if order == "A":
            self._row = max(0, self._row - count)
        elif order == "K":
            line = self.lines[self._row]
            self.lines[self._row] = "" if given == "2" else line[: self._column]
        elif order == "G":
            self._column = count - 1


class Watched:
    """A command in a pseudo-terminal of 24 lines, and its screen."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 80) -> None:
        self.screen = Screen(columns)
        self.written = b""
        self.returncode: int | None = None
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            # A suite that runs in a shell's background has Ctrl-C ignored, and hands that on.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvpe(command[0], list(command), dict(environment))
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def until(self, holds: Callable[[str], bool], seconds: float = 120.0) -> str:
        """The screen once `holds` of its text, or once the command is over."""
        deadline = time.monotonic() + seconds
        while not holds(self.screen.text):
            assert time.monotonic() < deadline, self.screen.text
            if not self._read(deadline):
                break
        return self.screen.text

    def end(self, seconds: float = 120.0) -> str:
        """The screen once the command is over, and its exit status in `returncode`."""
        self.until(lambda text: False, seconds)
        return self.screen.text

    def _read(self, deadline: float) -> bool:
        if not select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return True
        try:
            read = os.read(self._terminal, 65536)
        except OSError:  # nobody has the other end any more
            read = b""
        if not read:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
            os.close(self._terminal)
            return False
        self.written += read
        self.screen.feed(read.decode("utf-8", "replace"))
        return True
