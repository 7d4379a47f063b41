"""The identity of a run: SHA-256 over all that it is and reads (decision 5 of `docs/architecture.md`)."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from comparator.formats.names import home_written_out
from comparator.model.fingerprint import Recent, Tree, content_of, digest_of, tree_of
from comparator.model.reads import Reads
from comparator.results.record import Submodel

#: These cannot change a result; the seed is part of the identity by itself.
NOT_PART_OF_AN_IDENTITY = {"run_id", "experiment_id", "output_dir", "verbose"}
#: Where a run writes, by the names that such hyperparameters go by.
OUTPUT_NAMES = {
    *("log", "logfile", "log_file", "log_path", "log_dir", "logdir", "param_log_file", "log_level"),
    *("output", "output_path", "output_file", "out", "out_dir", "outdir", "model_outdir", "infer_outdir"),
    *("save", "save_path", "save_dir", "save_folder", "save_file", "save_weights", "save_model"),
    *("result_dir", "results_dir", "results_path", "tensorboard_dir", "tb_dir", "cache_dir"),
}
#: Names of other things too: only what can be nothing but a path is where a run writes.
OF_OTHER_THINGS = {"log", "output", "out", "save"}
OUTPUT_ENDINGS = (".log", ".txt", ".csv", ".tsv", ".json", ".h5", ".hdf5", ".keras", ".pt", ".pth", ".pkl", ".npz")
#: Folders that a hyperparameter names are looked through up to so many files.
MOST_FILES_NAMED = 100_000
MOST_WORDS = 100  # of a text that may hold paths


@dataclass(frozen=True)
class Identity:
    """The identity of a run; `untold` says in a line why more may go into its numbers, None where nothing does."""

    digest: str
    untold: str | None = None


class NamedPaths:
    """What hyperparameters name: files and folders, as they stand, under the data folder or beside the model.

    `covered` says of a path whether the identity holds what lies there anyway. Folders are looked at again no more
    often than can be afforded, as `Recent` has it.
    """

    def __init__(self, folders: Sequence[Path], covered: Callable[[str], bool] = lambda path: False) -> None:
        self._folders, self._covered = folders, covered
        self._trees: dict[Path, Recent[Tree]] = {}

    def state(self, value: str) -> tuple[list[str] | None, str | None]:
        """What is at the paths that `value` may be or hold, None where nothing is; and why it cannot be told."""
        states = []
        for path in self._paths_in(value):
            try:
                is_folder = path.is_dir()
            except (OSError, ValueError):  # no name that a file can have
                continue
            if not is_folder:
                states += [content] if (content := content_of(path)) is not None else []
            elif not self._covered(str(path)) and not self._holds_everything(path):
                tree = self._tree(path)
                if tree.digest is None:
                    return None, tree.unknown
                states.append(tree.digest)
        return states or None, None

    def _paths_in(self, value: str) -> list[Path]:
        """Paths that a text may be, or hold between signs and blanks; `~`, variables and patterns are written out."""
        words = dict.fromkeys([value, *re.split(r"[\s,;]+", value), *re.split(r"[\s,;=:|]+", value)])
        paths = []
        for word in [os.path.expandvars(word.removeprefix("file://")) for word in words if word][:MOST_WORDS]:
            for folder in self._folders:
                path = home_written_out(word) if word.startswith("~") else folder / word
                found = glob.glob(str(path)) if glob.has_magic(word) else []  # noqa: PTH207  (paths may be absolute)
                paths += [Path(each) for each in sorted(found)] or [path]
        return list(dict.fromkeys(paths))

    def _holds_everything(self, path: Path) -> bool:
        """Whether the data or the model lie below a folder: a text such as `/` or `.` means no such thing."""
        root = f"{str(path.absolute()).rstrip('/')}/"
        return any(f"{folder.absolute()}/".startswith(root) for folder in self._folders)

    def _tree(self, path: Path) -> Tree:
        look = partial(tree_of, [("", path)], limit=MOST_FILES_NAMED)
        return self._trees.setdefault(path, Recent(look))()


def run_identity(
    submodel: Submodel,
    hyperparameters: Mapping[str, object],
    seed: int,
    named: NamedPaths,
    *,
    varied: Collection[str] = (),
    untold: str | None = None,
    experiment: str = "",
) -> Identity:
    """SHA-256 over the model, its data, its environment, the seed and the hyperparameters that can change a result.

    A hyperparameter that names a file or a folder counts with what is there, and one that is `varied` whatever its
    name. Where it cannot be told what a run reads, `untold` or found out here, the run is one of `experiment` alone.
    """
    telling = telling_hyperparameters(submodel, hyperparameters, varied)
    numbers = set(submodel.numbers)
    unknown: list[str] = []
    content = {
        "model": submodel.identity,
        "data": submodel.data,
        "environment": submodel.environment,
        "seed": [submodel.seed, seed],
        "hyperparameters": {
            name: _canonical(value, named, unknown, is_number=name in numbers) for name, value in telling.items()
        },
    }
    untold = untold or next(iter(unknown), None)
    if untold is not None:
        content["experiment"] = experiment
    return Identity(digest_of([json.dumps(content, sort_keys=True, default=str)]), untold)


def telling_hyperparameters(
    submodel: Submodel, hyperparameters: Mapping[str, object], varied: Collection[str] = ()
) -> dict[str, object]:
    """Those that can change a result, without the seed: all but names of runs, and of where they write.

    What is `varied` counts, whatever its name.
    """
    neutral = {*submodel.without_effect, submodel.seed}
    return {
        name: value
        for name, value in hyperparameters.items()
        if name not in neutral
        and (name in varied or name.lower() not in NOT_PART_OF_AN_IDENTITY)
        and not (name.lower() in OUTPUT_NAMES and _is_path(name.lower(), value))
    }


def _is_path(name: str, value: object) -> bool:
    """Whether a value can be nothing but a path."""
    if not isinstance(value, (str, Path)):
        return False
    text = str(value)
    if name in OF_OTHER_THINGS:
        return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(OUTPUT_ENDINGS)
    return "/" in text or bool(re.search(r"\.[A-Za-z]\w{0,4}$", text))


def identity_after_change(identity: str, now: Reads) -> str:
    """The identity of the run that takes the place of `identity`, what that one read being otherwise `now`."""
    return digest_of([identity, json.dumps(now.as_record(), sort_keys=True)])


def identity_in_experiment(identity: str, experiment: str) -> str:
    """The identity of the run that takes the place of `identity` in another experiment than the one it is of."""
    return digest_of([identity, "of", experiment])


def _canonical(value: Any, named: NamedPaths, unknown: list[str], *, is_number: bool) -> Any:
    """`value` with what lies at the paths that it names, and 50.0 as 50 where a model takes any number for the same."""
    if isinstance(value, str) and value:
        state, reason = named.state(value)
        unknown += [] if reason is None else [reason]
        return [value, state]
    if is_number and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(each, named, unknown, is_number=is_number) for each in value]
    if isinstance(value, Mapping):
        return {key: _canonical(each, named, unknown, is_number=is_number) for key, each in value.items()}
    return value
