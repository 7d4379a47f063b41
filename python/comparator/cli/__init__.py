"""The command line. Every script of `test/` is a few lines over one of these commands.

`command` runs what was typed: `init` drafts an experiment, `carry_out`, `studies` and `again` have the commands that
carry one out, `unroll` makes a UPF, `opening` shows experiments in a browser, `experiments` has the commands that look
at one, `sharing` those that note something of one or bring it elsewhere, `verify` the one that checks it, `sites`,
`models` and `data` those of `comparator site`, `model` and `data`.
"""

from __future__ import annotations

import sys

STOPPED = 130


def main() -> None:
    """Run a command, and exit as it says. What it takes is loaded here: Ctrl-C may come meanwhile."""
    try:
        from comparator.cli.command import run

        code = run()
    except KeyboardInterrupt:
        print("comparator: stopped", file=sys.stderr)
        code = STOPPED
    sys.exit(code)
