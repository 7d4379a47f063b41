"""Questions at a terminal, each with its default; where nobody can be asked, the flag that answers is named."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from comparator.cli.app import out
from comparator.errors import InputError
from comparator.experiment.terminal import note
from comparator.formats.text import shortened

#: So often a question is asked whose answer cannot be taken.
TRIES = 3

Answer = TypeVar("Answer")


@dataclass
class Questions:
    """What the user is asked: at a terminal each question with its default; with `--yes` the defaults are taken."""

    takes_defaults: bool
    were_answered: bool = False  # any of them

    def ask(self, words: str, default: str | None, flag: str, read: Callable[[str], Answer]) -> Answer:
        """What `read` makes of the answer; an answer of which it raises `InputError` is told, and asked for again.

        Raises `InputError` that names `flag` where nobody can be asked, and that of the last of `TRIES` answers.
        """
        if self.takes_defaults and default is not None:
            return read(default)
        if self.takes_defaults or not sys.stdin.isatty():
            yes = "" if default is None else f", or --yes for {shortened(default)}"
            raise InputError(f"{words[:1].lower()}{words[1:]}: nobody can be asked here; give {flag}{yes}")
        for left in reversed(range(TRIES)):
            try:
                answer = read(_typed(words, default))
                self.were_answered = True
                return answer
            except InputError as error:
                if not left:
                    raise
                note(out, str(error))
        raise AssertionError("unreachable")

    def agree(self, words: str, flag: str) -> bool:
        """Whether the user agrees, as they do by default."""
        return self.ask(f"{words} (yes or no)", "yes", flag, _yes_or_no)


def _typed(words: str, default: str | None) -> str:
    try:
        return str(typer.prompt(words, default=default)).strip()
    except typer.Abort:  # Ctrl-C, or the end of what is typed
        raise KeyboardInterrupt from None


def _yes_or_no(answer: str) -> bool:
    if answer.lower() not in ("y", "yes", "n", "no"):
        raise InputError(f"'{shortened(answer)}': the answer is yes or no")
    return answer.lower() in ("y", "yes")


def words_of(answer: str) -> list[str]:
    """The words of an answer, as a shell has them."""
    try:
        return shlex.split(answer)
    except ValueError:
        raise InputError(f"{shortened(answer)}: a quote is not closed") from None
