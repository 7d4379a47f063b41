"""What `model check` says of the files that a model reads: are they part of a run's identity?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from comparator.checks.model.bench import RUNS
from comparator.checks.model.trainings import BY_SERVER
from comparator.checks.model.trial import Trial, Way
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings, listed
from comparator.formats.names import ML_DATA, home_written_out
from comparator.model.model import Model
from comparator.model.reads import CACHES
from comparator.model.trace import can_trace, files_read, traced_by
from comparator.model.training import Outcome

READS = "what {} reads"
ALONE = "its trainings are not re-used by other experiments"
#: What follows the folder of an environment in the paths of its modules.
_ENVIRONMENT = re.compile(r"/lib(64)?/python\d+(\.\d+)?/.*$")
#: Files that libraries make for themselves, where there are none.
OF_LIBRARIES = ("/.keras/keras.json",)
#: So many files are named each by itself, of more the folders, which have so many parts at the least (`/home/me`).
MOST_NAMED, LEAST_PARTS = 12, 3
#: Where the system tells of itself.
OF_THE_SYSTEM = ("/proc", "/sys")


def check_reads(trial: Trial, ways: Sequence[Way]) -> Findings:
    """What a run opens that is not part of its identity; an image sees nothing but what it is lent."""
    model, traces = trial.model, can_trace()
    if model.image is not None:
        yield Finding("what is read", HOLDS, "the image, the data folder, and nothing else of this machine")
        return
    # What is installed in an environment of the model's own is part of its identity by itself.
    installed = [] if model.python is None else [model.python.folder, Path(model.python.interpreter.base_prefix)]
    covers = model.covers(trial.data_folder, trial.bench.folder / RUNS, trial.bench.folder / ML_DATA, *installed)
    script = next((way.name for way in ways if way.is_script), None)
    if any(not way.is_script for way in ways):
        folder = trial.new_folder("trace-served")
        outcome = trial.serve_anew(traced_by(folder) if traces else ())
        opened = [path for path in files_read(folder) if not covers(path)]
        yield _served_reads(outcome, opened if traces else None, model.description_file)
    if script is not None and traces:
        folder = trial.new_folder("trace")
        trial.train({}, traced_by(folder))
        opened = files_read(folder)
        yield _script_reads(script, model, opened, covers, trial.data_folder)
    elif script is not None:
        words = "it takes strace(1), which is not there or may not trace"
        yield Finding(READS.format(script), UNTESTED, words)


def _served_reads(outcome: Outcome, opened: Sequence[str] | None, description_file: Path) -> Finding:
    """Of a module: what its server saw, which counts as it was seen; `opened` is what it opened, None: not known."""
    what = READS.format(BY_SERVER)
    if outcome.untold is not None:
        return Finding(what, UNTESTED, f"{outcome.untold}; until then {ALONE}")
    if outcome.reads is None:
        return Finding(what, UNTESTED, outcome.reason or "nobody has seen it")
    seen = {*outcome.reads.files, *outcome.reads.noticed}
    seen |= {str(home_written_out(path)) for path in seen}
    unseen = [path for path in opened or () if path not in seen and not _is_of_a_library(path)]
    unseen = [path for path in unseen if not path.endswith(".pyc") and not Path(path).is_dir()]
    if unseen:
        words = f"files that a library opens past Python are not noticed: {listed(_short(unseen))}"
        return Finding(what, FAILS, f"{words}; name them in code = [...] in {description_file}")
    files = [path for path in seen if not _is_of_a_library(path) and home_written_out(path).exists()]
    beside = f", with {listed(sorted(files))}" if files else ""
    traced = "" if opened is not None else "; past Python it may open more, which strace(1), not there, would tell"
    return Finding(what, HOLDS, f"part of a run's identity: the model's files and the data folder{beside}{traced}")


def _script_reads(
    script: str,
    model: Model,
    opened: Sequence[str],
    covers: Callable[[str], bool],
    data_folder: Path,
) -> Finding:
    """Of a script: what it and all that it started opened, against what its author says."""
    what, description, description_file = READS.format(script), model.description, model.description_file
    outside = [
        path for path in opened if not covers(path) and not _is_of_a_library(path) and not _is_import_folder(path)
    ]
    if description.tells_what_is_read:
        if outside:
            words = f"more than {description_file} says, so that old numbers can pass for new ones"
            return Finding(what, FAILS, f"{words}: {listed(_short(outside))}; name it there in code = [...]")
        return Finding(what, HOLDS, "nothing that is not part of a run's identity")
    reads, code = _toml(_of_data(opened, data_folder)), _toml(_short(outside))
    lines = f"the line reads = {reads}" + (f" and the line code = {code}" if outside else "")
    words = f"until its author says it in {description_file} {ALONE}; to say what this training opened it takes"
    return Finding(what, UNTESTED, f"{words} {lines}")


def _is_import_folder(path: str) -> bool:
    """Whether a folder may have been listed to find modules, which are seen themselves."""
    return Path(path).is_dir() and any(Path(path).glob("*.py"))


def _is_of_a_library(path: str) -> bool:
    of_system = any(f"{path}/".startswith(f"{root}/") for root in OF_THE_SYSTEM)
    return of_system or path.endswith(OF_LIBRARIES) or any(cache in path for cache in CACHES)


def _short(paths: Sequence[str]) -> list[str]:
    """Paths, environments of Python, whose files are many, by their folders; of many others the folders too."""
    names = list(dict.fromkeys(_ENVIRONMENT.sub("", path) for path in paths))
    depth = max((len(Path(name).parts) for name in names), default=0)
    while len(names) > MOST_NAMED and depth > LEAST_PARTS:
        depth -= 1
        names = list(dict.fromkeys(str(Path(*Path(name).parts[:depth])) for name in names))
    return [name for name in names if not any(str(folder) in names for folder in Path(name).parents)]


def _of_data(opened: Sequence[str], data_folder: Path) -> list[str]:
    """The files and folders at the top of the data folder in which files were opened."""
    prefix = f"{data_folder}/"
    return sorted({path[len(prefix) :].partition("/")[0] for path in opened if path.startswith(prefix)})


def _toml(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
