"""The script of a job, written from a site's settings, where the site says so (SITE_JOB_SCRIPT=comparator)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparator.site.profile import Site, clock


@dataclass(frozen=True)
class Job:
    """What is asked of a site's scheduler for one job."""

    name: str
    output: Path
    nodes: int
    ranks: int
    ranks_per_node: int
    walltime: int  # seconds
    queue: str = ""
    project: str = ""
    after: str | None = None  # the job whose end it waits for


def script(site: Site, job: Job, lines: Sequence[str]) -> str:
    """A job script that carries out `lines` of bash on the first node of the job."""
    scheduler = site.batch
    asked = scheduler.directives(placeholders(site, job), site.directives)
    return "\n".join(["#!/bin/bash -l", *(f"{scheduler.mark} {line}" for line in asked), "", *lines, ""])


def launch_options(site: Site, job: Job) -> str:
    """What follows the program that starts the ranks: words of bash, which works out `$(( 64 / {ranks_per_node} ))`."""
    words = f"{site.batch.launch} {site.launch_options}".strip()
    for name, value in placeholders(site, job).items():
        words = words.replace(f"{{{name}}}", value)
    return words


def placeholders(site: Site, job: Job) -> Mapping[str, str]:
    """What stands in a site's directives and launch options for each name in braces."""
    return {
        "name": job.name,
        "output": str(job.output),
        "nodes": str(job.nodes),
        "ranks": str(job.ranks),
        "ranks_per_node": str(job.ranks_per_node),
        "devices": str(site.devices or ""),
        "walltime": clock(job.walltime),
        "queue": job.queue,
        "project": job.project,
        "after": job.after or "",
    }
