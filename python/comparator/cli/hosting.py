"""What commands that carry an experiment out share: the machine as it was asked for, a dry run, how rechecks end."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import typer

from comparator.cli.app import out
from comparator.cli.opening import shown
from comparator.cli.options import RunOptions
from comparator.experiment.terminal import Terminal
from comparator.site.folders import experiments_folder, project_root

if TYPE_CHECKING:
    from comparator.experiment.host import Host
    from comparator.experiment.plan import Plan
    from comparator.experiment.session import Session


def host_of(options: RunOptions, *, as_json: bool = False, reports: bool = True) -> Host:
    from comparator.engine.interface import EngineOptions
    from comparator.experiment.host import open_host

    console = Terminal(stderr=True) if as_json else out
    root = project_root()
    asked = EngineOptions(
        engine=options.engine,
        workers=options.workers,
        nodes=options.nodes,
        workers_per_node=options.workers_per_node,
        together=options.together,
        walltime=options.walltime,
        queue=options.queue,
        project=options.project,
        resume_jobs=options.resume_jobs,
    )
    folder = experiments_folder(options.experiments, root)
    return open_host(
        root,
        folder,
        options.site,
        asked,
        warm=not options.cold,
        console=console,
        reports=reports,
        makes_environments=not options.dry_run,
    )


def typed_command() -> str:
    return shlex.join(["comparator", *sys.argv[1:]])


def show_plan(host: Host, plan: Plan, *, as_json: bool) -> None:
    """Say what would be done; for programs, what would be frozen."""
    from comparator.experiment.dry_run import describe

    describe(host, plan)
    if as_json:
        print(json.dumps(plan.frozen.model_dump(exclude_unset=True, exclude={"id"}), indent=1))


def run_again(host: Host, options: RunOptions, opened: Session, *, as_json: bool) -> None:
    """Run what tries another experiment again, and end as what came of it says, whichever command was typed."""
    from comparator.experiment.again import again_as_json
    from comparator.experiment.closing import say_where_it_is_read
    from comparator.findings import recheck as findings

    with shown(host.experiments, opened.path.name, is_asked=options.is_shown):
        found = opened.run()
    if as_json:
        print(json.dumps(again_as_json(found), indent=1))
    elif found is not None:
        say_where_it_is_read(host, found, opened.path)
    if isinstance(found, list):
        verdicts = {each.verdict for each in found}
        if not verdicts <= set(findings.HELD):
            raise typer.Exit(1 if verdicts & set(findings.LOST) else 3)
