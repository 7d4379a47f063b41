"""The command line. Every script of `test/` is a few lines over one of these commands.

`carry_out` has the commands that carry an experiment out, `experiments` those that look at one, `verify` the one that
checks it, `sites` and `models` those of `comparator site` and `comparator model`.
"""

from __future__ import annotations

import os
import sys

import typer

from comparator.cli import carry_out, experiments, models, sites, verify  # noqa: F401  (they register their commands)
from comparator.cli.app import app, ignore_stop_signals, out
from comparator.errors import ComparatorError, Submitted

STOPPED = 130


def main() -> None:
    """Run a command; a person's mistake is one line on standard error and an exit code that says so."""
    try:
        code = typer.main.get_command(app).main(standalone_mode=False)
        if code == STOPPED:  # what some versions of typer make of a KeyboardInterrupt
            _say_stopped()
    except Submitted as submitted:
        out.print(str(submitted), markup=False, soft_wrap=True)
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


def _say_stopped() -> None:
    ignore_stop_signals()
    print("comparator: stopped", file=sys.stderr)
