"""The identity of a run: SHA-256 over all that it is and reads (decision 5 of `docs/architecture.md`)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from comparator.model.fingerprint import digest_of
from comparator.model.named_paths import NamedPaths, canonical
from comparator.model.reads import Reads
from comparator.results.frozen import Submodel

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


@dataclass(frozen=True)
class Identity:
    """The identity of a run; `untold` says in a line why more may go into its numbers, None where nothing does."""

    digest: str
    untold: str | None = None


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
            name: canonical(value, named, unknown, is_number=name in numbers) for name, value in telling.items()
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
