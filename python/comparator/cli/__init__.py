"""The command line. Every script of `test/` is a few lines over one of these commands.

`carry_out` has the commands that carry an experiment out, `experiments` those that look at one, `verify` the one that
checks it, `sites` and `models` those of `comparator site` and `comparator model`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from comparator.engine.workers import STOPPED_BY
from comparator.errors import ComparatorError, Submitted

STOPPED = 130


def main() -> None:
    """Run a command; a person's mistake is one line on standard error and an exit code that says so."""
    try:
        code = _run_command()
        if code == STOPPED:  # what some versions of typer make of a KeyboardInterrupt
            _say_stopped()
    except Submitted as submitted:
        print(submitted)
        code = 0
    except ComparatorError as error:
        print(f"comparator: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        _say_stopped()
        code = STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except OSError as error:
        print(f"comparator: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
        code = 1
    except Exception as error:
        # Wrong usage: typer's own exceptions, whose base class differs between its versions.
        if not hasattr(error, "show"):
            raise
        words = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        print(f"comparator: {words}; --help tells more", file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _run_command() -> Any:
    """The command that was typed. What it takes is loaded here: Ctrl-C may come meanwhile."""
    import typer

    from comparator.cli import carry_out, experiments, models, sites, verify  # noqa: F401  (they register commands)
    from comparator.cli.app import app

    return typer.main.get_command(app).main(standalone_mode=False)


def _say_stopped() -> None:
    for number in STOPPED_BY:  # nothing interrupts the last words
        signal.signal(number, signal.SIG_IGN)
    print("comparator: stopped", file=sys.stderr)
