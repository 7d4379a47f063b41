"""Whether a model can be trained, reports a result, and infers with what it has learnt."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Sequence
from pathlib import Path

from comparator.checks.model.trial import Run, Trial, Way
from comparator.errors import nearest
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings, listed
from comparator.formats.hyperparameters import as_flags
from comparator.model.model import Model
from comparator.model.probe import how_to_mend
from comparator.model.reported import RESULT_FILE, SCORES_FILE, TEST_SCORES_FILE, lacks_scores, last_words, reports_in
from comparator.objective.metrics import reported_instead

BY_SERVER = "run(params)"
MEGABYTE = 1 << 20


def check_first_trainings(trial: Trial) -> Generator[Finding, None, list[Way]]:
    """Train once in each way that there is; gives those that succeeded."""
    ways = []
    if trial.trained_by is not None:
        run = yield from _by_script(trial, trial.trained_by)
        ways.append(Way(trial.trained_by, trial.train, run, is_script=True))
    if trial.is_served:
        run = yield from _by_server(trial)
        ways.append(Way(BY_SERVER, trial.serve, run, is_script=False))
    return [way for way in ways if way.first.is_ok]


def check_inference(trial: Trial, trained: Run) -> Findings:
    if trial.model.stages is not None:
        yield from _infer_in_steps(trial, trained)
        return
    if not trial.is_callable("infer.sh"):
        return
    folder = trial.new_folder("infer")
    flags = {"input_model_dir" if trial.is_improve else "model_dir": str(trained.log.parent), "output_dir": str(folder)}
    reason = trial.call("infer.sh", [*trial.called_with(), *as_flags(flags)], folder)
    lacks = lacks_scores(folder / "test_scores.json")
    if reason is None and lacks is not None:
        reason = f"it ended well but {lacks} into output_dir"
    yield Finding("infer.sh runs", HOLDS if reason is None else FAILS, reason or "test_scores.json is written")


def _infer_in_steps(trial: Trial, trained: Run) -> Findings:
    stages = trial.model.stages
    if stages is None or stages.infer is None:
        return
    what, failure = f"{stages.infer.script.name} runs", trial.infer(trained)
    lacks = lacks_scores(trained.log.parent / TEST_SCORES_FILE)
    if failure is not None:
        yield Finding(what, FAILS, f"{failure.reason} (log: {trial.folders[-1] / 'model.log'})")
    elif lacks is not None:
        yield Finding(what, UNTESTED, f"it ended well but {lacks}")
    else:
        yield Finding(what, HOLDS, f"{TEST_SCORES_FILE} is written")


#: What Python, R, NumPy and PyTorch say of a path at which there is nothing.
MISSING = re.compile(
    r"No such file or directory: '(?P<file>[^']+)'"
    r"|cannot open (?:compressed )?file '(?P<of_r>[^'/][^']*)'"
    r"|FileNotFoundError: (?P<of_numpy>.+) not found"
    r"|Parent directory (?P<folder>[^/ ]\S*) does not exist"
)


def _where_it_is(model: Model, path: str, *, is_read: bool = False) -> str:
    """The key of a description by which a run has what is at a path that was missed; empty where none would do.

    What the model's folder has is linked, a folder that it writes into, or may where it `is_read` not, is made. What
    lies beside the script is there for one who starts it in its folder.
    """
    if not model.is_folder or Path(path).is_absolute():
        return ""
    own = model.own_command
    start = model.folder if own is None else own.start
    beside = None if own is None or own.script is None else own.script.parent
    if beside is not None and (beside / path).exists() and not (start / path).exists():
        beside_it = os.path.relpath(beside, model.folder)
        return f"start_in = '{beside_it}', and links = ['{Path(beside_it, path)}'],"
    place = Path(os.path.relpath(start / path, model.folder))
    if ".." in place.parts:
        return ""
    if (start / path).exists() and not path.endswith("/"):
        return f"links = ['{place.parts[0]}']"
    if is_read:
        return ""
    folder = place if path.endswith("/") else place.parent
    return "" if folder == Path() else f"folders = ['{folder}']"


def cost(ways: Sequence[Way]) -> Finding:
    return Finding("cost", HOLDS, "; ".join(f"{way.name} {_cost_words(way.first)}" for way in ways))


def failure_words(trial: Trial, run: Run) -> str:
    """Why a training failed, where its log is, and what may mend it."""
    words = f"{run.reason} (log: {run.log})"
    if run.outcome.status == "timeout":
        return words + "; if it only needs longer: --limit SECONDS, or a smaller run by --set NAME=VALUE"
    if run.status == 0:
        mend = f"print a line 'IMPROVE_RESULT {trial.metric}: NUMBER' at the end"
        return f"{words}; {mend}, or {naming_words(trial, run)}"
    if run.status is not None and _ways_of_reporting(run.log):
        return f"it reports a result, but ends with exit status {run.status}: it must be 0; {words}"
    missed = _missed(run)
    if missed is not None and (has_it := _where_it_is(trial.model, missed[0], is_read=missed[1])):
        return f"{words}; the current folder is that of the run: {has_it} in {trial.described_in} has it there"
    if missed is None and any(each in run.reason for each in ("ermission denied", "not found", "xec format")):
        return words + "; does its first line name an interpreter that is there?"
    return words + how_to_mend(trial.model, run.reason)


def _missed(run: Run) -> tuple[str, bool] | None:
    """The path at which a training found nothing, from its own folder on, and whether it is known that it reads it."""
    found = MISSING.search(run.reason)
    if found is None:
        return None
    path = found["file"] or found["of_r"] or found["of_numpy"] or f"{found['folder']}/"
    return path.removeprefix(f"{run.log.parent}/"), found["of_numpy"] is not None


def naming_words(trial: Trial, run: Run) -> str:
    """How a description names the result of a training that ended well, and what that printed last."""
    told = f"[metrics.{trial.metric}] printed = 'WORDS BEFORE IT' in {trial.described_in} says where it stands"
    return f"{told}; the last that it printed: {last_words(run.log)}"


def instead_words(trial: Trial, run: Run) -> str:
    """What a run reported in the place of the metric asked for."""
    return reported_instead(trial.metric, run.outcome.metrics, "--metric ", trial.model.description.metrics)


def _by_script(trial: Trial, script: str) -> Generator[Finding, None, Run]:
    asked = trial.model.description.convention
    run = trial.train({})
    has_conventions = trial.model.stages is None and trial.model.own_command is None
    failed = run.outcome.status == "failed" and has_conventions
    other = trial.train_by_other_convention() if failed else None
    if other is not None:
        place = f"{trial.model.path.name}.toml beside it" if trial.model.image else trial.described_in
        yield Finding(
            "train.sh runs",
            FAILS,
            f"not as convention = '{asked}' has it called ({run.reason}), but by the other one:"
            f" {place} needs the line convention = '{trial.model.description.convention}'",
        )
        run = other
    elif run.is_ok:
        called = "flags only" if trial.is_improve else "DEVICE DATA_FOLDER, then flags"
        is_stated = "convention" in trial.model.description.model_fields_set
        stated = "" if is_stated else f" ({trial.described_in} states no convention)"
        words = "after its data were preprocessed" if trial.model.stages else f"called with {called}{stated}"
        if trial.model.own_command is not None:
            settings = trial.model.description.settings
            words = "with its own flags" if settings is None else f"with a copy of {settings} of its own"
        yield Finding(f"{script} runs", HOLDS, words)
    else:
        yield Finding(f"{script} runs", FAILS, failure_words(trial, run))
    if run.is_ok:
        yield from _result(trial, run, _ways_of_reporting(run.log) or f"where {trial.described_in} says")
    yield from _processes(run, script)
    return run


def _processes(run: Run, script: str) -> Findings:
    if run.left_running:
        words = f"still running a second after {script} had ended: {', '.join(run.left_running)}; wait for them"
        yield Finding("processes", FAILS, words)
    elif run.left_running is not None and run.is_ok:
        yield Finding("processes", HOLDS, f"{script} leaves none behind")
    elif run.is_ok:
        yield Finding("processes", UNTESTED, "what watches the run left no word of them")


def _by_server(trial: Trial) -> Generator[Finding, None, Run]:
    run = trial.serve({})
    if not run.is_ok:
        yield Finding("run(params)", FAILS, failure_words(trial, run))
        return run
    yield Finding("run(params)", HOLDS, "called in a server that keeps the module")
    if trial.trained_by is None:
        yield from _result(trial, run, "what run(params) returns")
    return run


def _result(trial: Trial, run: Run, how: str) -> Findings:
    metric, metrics, described = trial.metric, run.outcome.metrics, trial.model.description.metrics
    unknown = [name for name in metrics if name not in described]
    if metric not in metrics:
        absent = f"'{metric}' is not among them{nearest(metric, metrics)}"
        yield Finding("result", FAILS, f"{how}: {absent}; {instead_words(trial, run)}")
    elif metrics[metric] is None:
        yield Finding("result", FAILS, f"{metric} is no finite number, on data that any model can learn from")
    else:
        yield Finding("result", HOLDS, f"{how}: {listed(list(metrics))}; {metric} = {metrics[metric]:.6g}")
        if described and unknown:
            words = f"{trial.described_in} does not describe {listed(unknown)}: no search can ask for them"
            yield Finding("metrics", UNTESTED, words)


def _ways_of_reporting(log: Path) -> str:
    """Which of the ways there are a run of `train.sh` reported by, in words; empty where by none."""
    named = set()
    if log.is_file():
        with log.open("rb") as file:
            named = {report.name is not None for report in reports_in(file) if report.number is not None}
    ways = ["result lines"] if True in named else []
    ways += ["a result line without a name"] if False in named else []
    ways += [name for name in (RESULT_FILE, SCORES_FILE) if (log.parent / name).is_file()]
    return " and ".join(ways)


def _cost_words(run: Run) -> str:
    memory = f", {run.peak_memory / MEGABYTE:.0f} MB in its largest process" if run.peak_memory else ""
    return f"{run.seconds:.2f} s{memory}"
