"""A command from the words that were typed to its exit code."""

from __future__ import annotations

import errno
import importlib
import shutil
import signal
import sys
from typing import Any

from comparator.cli import STOPPED
from comparator.engine.workers import STOPPED_BY
from comparator.errors import ComparatorError, Submitted
from comparator.formats.text import in_lines, message
from comparator.site import surroundings

#: Where each command stands: its module, and no other, is loaded for it.
MODULES = {
    "search": "carry_out",
    "sweep": "carry_out",
    "selftest": "carry_out",
    "recheck": "again",
    "variance": "again",
    "cross-study": "studies",
    "cross-hpo": "studies",
    "all-pairs": "studies",
    "learning-curve": "studies",
    "left-out": "studies",
    "unroll": "unroll",
    "data": "data",
    "explain": "experiments",
    "watch": "experiments",
    "stop": "experiments",
    "report": "experiments",
    "predict": "experiments",
    "list": "experiments",
    "init": "init",
    "model": "models",
    "open": "opening",
    "note": "sharing",
    "export": "sharing",
    "import": "sharing",
    "site": "sites",
    "verify": "verify",
}


def run() -> int:
    """Run the command that was typed; a person's mistake is one line on standard error. Returns the exit code."""
    surroundings.settle()
    try:
        surroundings.check_umask()
        code = _run_command()
        if code == STOPPED:  # what some versions of typer make of a KeyboardInterrupt
            _say_stopped()
    except Submitted as submitted:
        print(message(str(submitted)))
        code = 0
    except ComparatorError as error:
        _say(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        _say_stopped()
        code = STOPPED
    except OSError as error:
        _say(f"{error.filename or 'a file that is written'}: {error.strerror or error}")
        code = 2 if error.errno == errno.ENAMETOOLONG else 1
    except ImportError as error:
        if not surroundings.python_path():
            raise
        _say(f"{error}; PYTHONPATH may be that of another Python: unset PYTHONPATH")
        code = 2
    except Exception as error:
        # Wrong usage: typer's own exceptions, whose base class differs between its versions.
        if not hasattr(error, "show"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a bare command: its help, in lines as it is
            error.show()
        else:
            from comparator.cli.words import wrong_usage

            _say(f"{wrong_usage(error)}; -h tells more")
        code = 2
    code = code if isinstance(code, int) else 0
    lost = surroundings.output_lost()
    if lost is not None:
        _say(f"standard output: {lost}")
        code = code or 1
    return code


def _run_command() -> Any:
    """The command that was typed. What it takes is loaded here: Ctrl-C may come meanwhile."""
    import typer

    from comparator.cli.app import app, end_undisturbed
    from comparator.cli.words import (
        refuse_empty,
        refuse_missing,
        refuse_two_sites,
        with_all_values,
        with_homes_written_out,
    )

    refuse_empty(sys.argv[1:])
    refuse_two_sites(sys.argv[1:])
    words = with_all_values(with_homes_written_out(sys.argv[1:]))
    _load(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        command = typer.main.get_command(app)
        refuse_missing(words, command)
        return command.main(words, standalone_mode=False)
    finally:
        end_undisturbed()


def _load(first: str) -> None:
    """Have the command register that the first word names; where it names none, as in a request for help, all do."""
    if first == "--version":
        return
    for module in [MODULES[first]] if first in MODULES else dict.fromkeys(MODULES.values()):
        importlib.import_module(f"comparator.cli.{module}")


def _say(words: str) -> None:
    line = f"comparator: {message(words)}"
    if sys.stderr.isatty():
        line = "\n".join(in_lines(line, shutil.get_terminal_size().columns))
    print(line, file=sys.stderr)


def _say_stopped() -> None:
    for number in STOPPED_BY:  # nothing interrupts the last words
        signal.signal(number, signal.SIG_IGN)
    _say("stopped")
