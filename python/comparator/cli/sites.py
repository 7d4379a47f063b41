"""`comparator site`: the machines that experiments can run on."""

from __future__ import annotations

from typing import Annotated

import typer

from comparator.cli import completion
from comparator.cli.app import out, sites_app
from comparator.errors import InputError
from comparator.experiment.terminal import copyable, tell
from comparator.site.folders import experiments_folder, project_root

NameArgument = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.sites)]


@sites_app.command("list")
def list_sites() -> None:
    """List the sites there are."""
    from comparator.site.profile import site_description, site_files

    for name, file in site_files(project_root()).items():
        tell(out, f"{name}  {site_description(file)}")


@sites_app.command("show")
def show_site(name: NameArgument = "local") -> None:
    """Show what a site offers here and now."""
    from comparator.engine.engines import check_engines
    from comparator.site.profile import clock, read_site

    site = read_site(name, project_root())
    check_engines(site, project_root())
    tell(out, f"{site.name}: {site.description}")
    copyable(out, f"data folder: {site.data_folder}")
    is_known = site.says_cores or not site.has_nodes  # else those of the site's nodes are others than this host's
    cores = f", {site.cores} cores" if is_known else ""
    out.print(f"engines: {', '.join(site.engines)}; scheduler: {site.scheduler}")
    if site.devices:
        devices = f"{site.devices} devices, {site.models_per_device} models on each"
        tell(out, f"{len(site.slots())} slots a node ({devices}{cores})")
    elif is_known:
        tell(out, f"{site.cores} slots a node (no devices{cores})")
    else:
        tell(out, "a slot for each core of a node (no devices); SITE_CORES says how many")
    if site.together > 1:
        tell(out, f"{site.together} trainings at once in a slot, of models that take several together")
    if site.has_nodes:
        words = [f"queue {site.queue}" if site.queue else "", f"project {site.project}" if site.project else ""]
        out.print(", ".join([f"{site.nodes} nodes", f"walltime {clock(site.walltime)}", *filter(None, words)]))
        for line in site.directives:
            out.print(f"  {line}")


@sites_app.command("check")
def check_site(
    name: NameArgument = "local",
    job: Annotated[bool, typer.Option("--job", help="Try the site on two of its nodes too, by a job.")] = False,
    on_node: Annotated[bool, typer.Option("--on-node", help="This host is one of the site's nodes.")] = False,
) -> None:
    """Try every line of a site's file on this machine, and say what to mend; exit status 1 where something fails."""
    from comparator.checks import site as site_check
    from comparator.checks.site_job import check_job
    from comparator.formats.finding import FAILS
    from comparator.site.profile import read_site

    failed = False
    for found in site_check.check_site(name, project_root(), on_node=on_node):
        copyable(out, str(found))
        failed = failed or found.outcome == FAILS
    if job:
        if not read_site(name, project_root()).has_nodes:
            raise InputError(f"--job: site '{name}' has no scheduler; this host is its node")
        folder = experiments_folder(None, project_root()) / "site-checks" / name
        folder.mkdir(parents=True, exist_ok=True)
        for line in check_job(name, project_root(), folder):
            copyable(out, line)
            failed = failed or line.startswith(FAILS)
    if failed:
        raise typer.Exit(1)
