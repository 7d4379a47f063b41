"""Variables that CANDLE's workflows read, and its users may have set: which count here, and what says the others."""

from __future__ import annotations

import os

from comparator.site.profile import Site, clock

#: The metric, by its newer name and by its older one.
METRIC = ("MODEL_RETURN", "OBJ_RETURN")
#: What has no effect, and what says it here.
ELSEWHERE = {
    "MODEL_NAME": "model",
    "PARAM_SET_FILE": "space",
    "INIT_PARAMS_FILE": "search.initial_population",
    "NUM_ITERATIONS": "search.generations",
    "POPULATION_SIZE": "search.population",
    "BENCHMARK_TIMEOUT": "run_timeout",
    "SH_TIMEOUT": "run_timeout",
    "PROCS": "--workers",
    "PPN": "--workers-per-node",
}
#: The same of a site that submits jobs, where its file does not take it; elsewhere such words are of no matter.
OF_JOBS = {"WALLTIME": "--walltime", "QUEUE": "--queue", "PROJECT": "--project"}


def asked_metric() -> tuple[str, str] | None:
    """The variable that names a metric, and that metric."""
    return next(((name, given) for name in METRIC if (given := os.environ.get(name))), None)


def doubt_environment(metric: str, file: str, site: Site) -> list[str]:
    """That the environment asks in vain: for another metric than the `file`'s, or for what is said elsewhere."""
    notes = []
    asked = asked_metric()
    if asked is not None and asked[1] != metric:
        notes.append(f"{asked[0]}={asked[1]} has no effect: {file} states '{metric}'")
    of_jobs = {"WALLTIME": clock(site.walltime), "QUEUE": site.queue, "PROJECT": site.project}
    unused = [f"{name} (here: {key})" for name, key in ELSEWHERE.items() if os.environ.get(name)]
    if site.has_nodes:
        unused += [
            f"{name} (here: {key})"
            for name, key in OF_JOBS.items()
            if os.environ.get(name) not in (None, "", of_jobs[name])
        ]
    if unused:
        notes.append(f"variables of CANDLE's workflows without effect: {', '.join(unused)}")
    return notes
