"""Commands that try an experiment again: `recheck`, and `variance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comparator.cli import completion, resuming
from comparator.cli.app import RUN, JsonOption, app, stop_signals_like_ctrl_c
from comparator.cli.hosting import host_of, run_again, show_plan, typed_command
from comparator.cli.options import RunOptions, with_run_options
from comparator.errors import InputError
from comparator.results.store import check_new_experiment

if TYPE_CHECKING:
    from comparator.experiment.host import Host
    from comparator.experiment.plan import Plan
    from comparator.results.frozen import FrozenExperiment


@app.command(rich_help_panel=RUN, short_help="Does what one found still hold?")
@with_run_options
def recheck(
    options: RunOptions,
    checked: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="The experiment whose claims are tried again.", autocompletion=completion.experiment_ids
        ),
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="With equal rows, shared drugs, shared cell lines: study, or its size?")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try what an experiment claimed again, with models, data and settings as they are now.

    Exit status 1 where it is weaker or gone, 3 where it is not settled. By --controls it is tried as the models are,
    with both studies cut alike, to tell the study from its size; the exit status is 0 then, whatever it is.
    """
    from comparator.experiment.recheck import plan_recheck

    host = host_of(options, as_json=as_json, reports=False)
    if controls:
        _control(host, options, checked, as_json=as_json)
        return
    _carry_out_again(
        host,
        options,
        "recheck",
        checked,
        {"ID": checked},
        lambda identifier: plan_recheck(host, identifier, options.settings or [], command=typed_command()),
        as_json=as_json,
    )


def _control(host: Host, options: RunOptions, checked: str | None, *, as_json: bool) -> None:
    """Try whether what an experiment has shown of two studies is the study or only its size."""
    from comparator.experiment.controls import plan_controls
    from comparator.findings.controls import is_control

    def plan(identifier: str) -> Plan:
        planned = plan_controls(host, identifier, options.settings or [], command=typed_command())
        if not planned.frozen.claims:
            raise InputError(f"experiment '{identifier}': {'; '.join(planned.frozen.notices[-3:])}")
        return planned

    def check(begun: FrozenExperiment) -> None:
        if not any(map(is_control, begun.claims or ())):
            raise InputError(f"'{begun.id}' began without --controls, and goes on as it began; leave that out")

    _carry_out_again(host, options, "recheck", checked, {"ID": checked}, plan, check, as_json=as_json)


@app.command(rich_help_panel=RUN, short_help="What makes trainings differ: study, split, seed?")
@with_run_options
def variance(
    options: RunOptions,
    looked_at: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="The experiment.", autocompletion=completion.experiment_ids),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=VALUE", help="The point, once for each hyperparameter; else the best."),
    ] = None,
    levels: Annotated[
        int | None,
        typer.Option(
            "--levels",
            min=5,
            max=99,
            metavar="N",
            help="Levels of split, first weights, order of rows and other draws: odd; N by N pairs are trained. 5.",
        ),
    ] = None,
    splits: Annotated[
        int | None, typer.Option("--splits", min=3, max=100, help="Data splits, where seeds are not told apart. 4.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=3, max=100, help="Seeds, each met with each of these splits. 4.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train one point of an experiment on several splits and seeds, and say which of them makes trainings differ."""
    from comparator.experiment.recheck import Meeting, plan_crossing

    if levels is not None and (splits is not None or seeds is not None):
        raise InputError("--levels tells the seeds apart, --splits and --seeds do not: give the one or the others")
    if levels is not None and levels % 2 == 0:
        raise InputError(f"--levels {levels}: must be an odd number from 5, so that all four can meet evenly")
    host = host_of(options, as_json=as_json, reports=False)
    size, given = Meeting(splits, seeds, levels), options.settings or []
    _carry_out_again(
        host,
        options,
        "variance",
        looked_at,
        {"ID": looked_at, "--at": at},
        lambda identifier: plan_crossing(host, identifier, at or [], size, given, command=typed_command()),
        as_json=as_json,
    )


def _carry_out_again(
    host: Host,
    options: RunOptions,
    verb: str,
    identifier: str | None,
    typed: Mapping[str, Any],
    plan_of: Callable[[str], Plan],
    check: Callable[[FrozenExperiment], None] = lambda begun: None,
    *,
    as_json: bool,
) -> None:
    """Run what `verb` makes of another experiment, or go on with it.

    `typed` are the arguments that do not go with `--resume`. `check` raises `InputError` where what was begun is not
    what the command line asks to go on with.
    """
    from comparator.experiment import opening

    stop_signals_like_ctrl_c()
    if options.resume is not None:
        resuming.refuse({"--set": options.settings, **typed})
        begun = resuming.chosen_of(verb, host, options)
        check(begun)
        opened = opening.resume(host, begun.id)
    elif identifier is None:
        raise InputError("give the id of an experiment, or --resume ID (see comparator list)")
    else:
        check_new_experiment(host.experiments, options.identifier)
        plan = plan_of(identifier)
        if options.dry_run:
            show_plan(host, plan, as_json=as_json)
            return
        opened = opening.begin(host, plan, f"{identifier}-{verb}", options.identifier)
    run_again(host, options, opened, as_json=as_json)
