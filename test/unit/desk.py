"""A folder with an experiment of a quick model in it, and the commands typed there."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen, TimeoutExpired

from comparator.cli import main
from comparator.experiment.of_the_environment import METRIC
from comparator.results.record_file import read_records

QUICK = Path(__file__).parent / "models" / "quick.py"
COMPARATOR = [sys.executable, "-c", "from comparator.cli import main; main()"]
SPACE = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10},
    {"name": "size", "type": "int", "lower": 10, "upper": 200},
]
HYPERPARAMETERS = f"""
[Global_Params]
model_name = 'cmp'
cmp_model_name = '{QUICK}'
cmp_0_side = 'left'
cmp_1_side = 'right'
"""
EXPERIMENT = """
title = "left against right"
hyperparameters = "quick.txt"
space = "space.json"
run_timeout = 20
[search]
strategy = "steady_state"
population = 4
evaluations = 12
[cmp]
metric = "val_loss"
"""
#: R2 of two models that differ by 0.3 everywhere, on both sides of zero.
GAP = """
def initialize_parameters():
    return {"rng_seed": 1, "noise": 0.0, "size": 0, "side": "left"}

def run(params):
    skill = 0.25 - 0.015 * float(params["noise"]) + 0.3 * (params["side"] == "right")
    return {"val_r2": skill, "val_loss": 1 - skill}
"""
GAP_TOML = 'seed = "rng_seed"\n[metrics.val_r2]\nkind = "score"\n[metrics.val_loss]\nkind = "error"\n'
GAP_TXT = HYPERPARAMETERS.replace(str(QUICK), "gap.py")
#: What commands import when they come to it.
IMPORTED_LATE = (
    "comparator.evidence.importance",
    "comparator.evidence.verdict",
    "comparator.report.figures",
    "comparator.report.figures.maps",
    "comparator.report.page",
    "comparator.experiment.opening",
    "comparator.experiment.planning",
    "deap.tools",
    "threadpoolctl",
)


class Desk:
    """A folder with an experiment in it, and the commands typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.experiments = folder / "experiments"
        self.write("space.json", json.dumps(SPACE))
        self.write("quick.txt", HYPERPARAMETERS)
        self.write("quick.toml", EXPERIMENT)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("COMPARATOR_ROOT", *METRIC)}
        data = str(self.folder / "data")
        return {**kept, "COMPARATOR_EXPERIMENTS": str(self.experiments), "CANDLE_DATA_DIR": data, "COLUMNS": "200"}

    def run(self, *words: str, **environment: str) -> CompletedProcess[str]:
        """Carry a command out in a process of its own, which has Python's imports behind it."""
        said = [self.folder / name for name in (".stdout", ".stderr")]
        given = {**self.environment, **environment}
        process = _processes().Process(target=_carry_out, args=(words, self.folder, given, *said))
        process.start()
        process.join(600)
        if process.exitcode is None:
            process.kill()
            raise TimeoutExpired(words, 600)
        return CompletedProcess(words, process.exitcode, *(path.read_text() for path in said))

    def search(self, *words: str, **environment: str) -> CompletedProcess[str]:
        """Run a search without its report, which takes longer than a search of quick models."""
        return self.run("search", *words, "--no-report", **environment)

    def start(self, *words: str) -> Popen[str]:
        return Popen(
            [*COMPARATOR, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            # Where the suite itself runs in the background a shell has it ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def records(self, identifier: str) -> list[dict]:
        """The lines of its record, as other programs read them."""
        return [record.as_json() for record in read_records(self.experiments / identifier / "evaluations.jsonl")]


def assert_names_the_models_log(desk: Desk, done: CompletedProcess[str]) -> None:
    """The last line names the log of the run that failed last, and nothing speaks of a traceback of ours."""
    log = Path(done.stderr.rstrip().removesuffix(")").rpartition("(log: ")[2])
    assert log == desk.experiments / desk.records("quick-1")[-1]["runs"][0]["log"] and log.is_file()
    assert "traceback" not in done.stdout + done.stderr
    assert not (desk.experiments / "quick-1" / "errors.log").exists()


@cache
def _processes() -> ForkServerContext:
    """Processes that begin where the imports end: a second for each search, several for each report."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["comparator.cli.carry_out", *IMPORTED_LATE])
    # Read at import, by rich: the width, and whether there are colours.
    os.environ.update(COLUMNS="200", TERM="dumb")
    return context


def _carry_out(words: tuple[str, ...], folder: Path, environment: dict[str, str], stdout: Path, stderr: Path) -> None:
    for path, stream in ((stdout, 1), (stderr, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = words
    main()
