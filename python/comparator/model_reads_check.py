"""What `model check` says of the files that a model reads: are they part of a run's identity?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from comparator.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.model.description import ModelDescription
from comparator.model.reads import CACHES
from comparator.model.training import Outcome

READS = "what {} reads"
ALONE = "its trainings serve no other experiment"
SHOWN = 6
#: Files that libraries make for themselves, where there are none.
OF_LIBRARIES = ("/.keras/keras.json",)


def served_reads(outcome: Outcome) -> Finding:
    """Of a module: what its server saw, which counts as it was seen."""
    what = READS.format("run(params)")
    if outcome.untold is not None:
        return Finding(what, UNTESTED, f"{outcome.untold}, so {ALONE}; reads = [...] in model.toml says what it is")
    if outcome.reads is None:
        return Finding(what, HOLDS, "an image sees the data folder, and nothing else of this machine")
    files = [path for path in outcome.reads.files if not _is_of_a_library(path)]
    beside = f", with {_listed(files)}" if files else ""
    return Finding(what, HOLDS, f"part of a run's identity: the model's files and the data folder{beside}")


def script_reads(
    description: ModelDescription, opened: Sequence[str], covers: Callable[[str], bool], data_folder: Path
) -> Finding:
    """Of a script: what it and all that it started opened, against what its author says."""
    what = READS.format("train.sh")
    outside = [path for path in opened if not covers(path) and not _is_of_a_library(path)]
    if description.tells_what_is_read:
        if outside:
            words = f"more than model.toml says, so that old numbers can pass for new ones: {_listed(outside)}"
            return Finding(what, FAILS, f"{words}; code = [...] or reads = [...] in model.toml has to name it")
        return Finding(what, HOLDS, "nothing that is not part of a run's identity")
    lines = [f"reads = {_toml(_of_data(opened, data_folder))}"]
    lines += [f"code = {_toml(outside)}"] if outside else []
    words = f"without a word of its author in model.toml {ALONE}; this one opened what these lines say"
    return Finding(what, UNTESTED, f"{words}: {'; '.join(lines)}")


def _is_of_a_library(path: str) -> bool:
    return path.endswith(OF_LIBRARIES) or any(cache in path for cache in CACHES)


def _of_data(opened: Sequence[str], data_folder: Path) -> list[str]:
    """The files and folders at the top of the data folder in which files were opened."""
    prefix = f"{data_folder}/"
    return sorted({path[len(prefix) :].partition("/")[0] for path in opened if path.startswith(prefix)})


def _toml(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
