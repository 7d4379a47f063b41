"""What a model's `train.sh`, `preprocess.sh` and `infer.sh` run: flags in, files and result lines out.

    python3 -m drug_response.stages MODULE STAGE [CONFIG] [--name value ...]

MODULE is the model's, which has a `MODEL`; STAGE is `train`, `preprocess` or `infer`.
Flags are the names of `model.toml`: `--name value`, `--name=value`, both in one word, or several words after a
flag for a list. A file of CANDLE hyperparameters may stand first. Exit codes: 0; 2 for wrong input, with one
line on standard error; 1 where training itself failed.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import ComparatorError, nearest
from drug_response.hyperparameters import data_folder, named_studies
from drug_response.model import Model
from drug_response.preparation import PREPARED, prepare, summarise
from drug_response.studies import choose_measure, choose_source, match_names

#: Flags of the stages that are no hyperparameters; those of newer IMPROVE scripts among them.
STAGE_FLAGS = ("model_dir", "input_model_dir", "input_dir", "input_data_dir", "y_col_name", "calc_infer_scores")

_FOLDER_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def read_flags(words: Sequence[str]) -> dict[str, str]:
    """Return flags and their values as text; a leading word without dashes is `config_file`.

    A flag without a value is `True`. Raises ValueError for a word that belongs to no flag.
    """
    words = [part for word in words for part in _split_flag(word)]
    flags: dict[str, list[str]] = {}
    name = None
    for place, word in enumerate(words):
        if word.startswith("--"):
            name = word[2:]
            flags[name] = []
        elif name is not None:
            flags[name].append(word)
        elif place == 0:
            flags["config_file"] = [word]
        else:
            raise ValueError(f"'{word}': expected a flag such as --noise 10")
    return {name: " ".join(values) if values else "True" for name, values in flags.items()}


def _split_flag(word: str) -> list[str]:
    """Return the words of `--name=value` and of `--name value` in one word."""
    found = re.match(r"(--[A-Za-z0-9_]+)(?:=|\s+)(.*)", word, re.DOTALL)
    return [found[1], found[2]] if found else [word]


def _adopt_data_folder(flags: Mapping[str, str]) -> None:
    """In the newest convention the data folder is a flag, or IMPROVE_DATA_DIR."""
    folder = flags.get("input_dir", flags.get("input_data_dir", os.environ.get("IMPROVE_DATA_DIR")))
    if folder and not os.environ.get("CANDLE_DATA_DIR"):
        os.environ["CANDLE_DATA_DIR"] = folder


def _warn_of_unknown(model: Model, flags: Mapping[str, str]) -> None:
    known = [*model.hyperparameters.descriptions, *STAGE_FLAGS]
    for name in flags:
        if name not in known:
            print(f"warning: --{name}: unknown, ignored{nearest(name, known)}", file=sys.stderr)


def _output_folder(model: Model, settings: Mapping[str, Any]) -> Path:
    """Return `output_dir`, else `DATA/MODEL/Output/EXPERIMENT/RUN`."""
    if settings["output_dir"]:
        return Path(settings["output_dir"])
    for key in ("experiment_id", "run_id"):
        if not _FOLDER_NAME.fullmatch(settings[key]):
            raise ValueError(f"{key} = '{settings[key]}': letters, digits, '.', '_' and '-', no leading dot")
    return data_folder() / model.name / "Output" / settings["experiment_id"] / settings["run_id"]


def train(model: Model, flags: Mapping[str, str]) -> None:
    """Train, write the output folder, print every metric; `val_loss` is the last line."""
    settings = model.hyperparameters.complete(flags)
    settings["output_dir"] = str(_output_folder(model, settings))
    metrics = model.train(settings)
    print(f"Written to {settings['output_dir']}")
    last = {name: value[-1] if isinstance(value, list) else value for name, value in metrics.items()}
    for name in sorted(last, key=lambda name: name == "val_loss"):
        print(f"IMPROVE_RESULT {name}: {last[name]!r}")


def preprocess(model: Model, flags: Mapping[str, str]) -> None:
    """Prepare the data folder, or check that it is prepared and has the studies that the flags name.

    With `count_rows` also say how many rows a training of these flags would have; with `count_rows_by` how many each
    drug, cell line or tumour type has, in a line of JSON.
    """
    settings = model.hyperparameters.complete(flags)
    folder = data_folder()
    manifest = prepare(folder)
    named = named_studies(settings)
    source = choose_source(manifest, settings["data_source"], named, folder)
    studies = manifest["sources"][source]["studies"]
    for study in match_names([word for words in named.values() for word in words], list(studies))[0]:
        choose_measure(study, studies[study]["measures"], settings["agg_dose"])
    _check_names(settings, folder, source)
    if model.prepare is not None:
        model.prepare(folder, source)
    print(*summarise(manifest), sep="\n")
    print(f"Prepared data: {folder / PREPARED / source}")
    if settings["count_rows"]:
        from drug_response.dataset import count_rows

        for name, rows in zip(("training_rows", "validation_rows"), count_rows(settings, folder), strict=True):
            print(f"IMPROVE_RESULT {name}: {rows}")
    if settings["count_rows_by"]:
        from drug_response.dataset import rows_by_name

        print(f"ROWS_BY_NAME {json.dumps(rows_by_name(settings, folder, settings['count_rows_by']))}")


def _check_names(settings: Mapping[str, Any], folder: Path, source: str) -> None:
    """Raise `DataError` for a drug, cell line, tumour type or feature that is named and not there, before training."""
    from drug_response import exclusion, noise, selection, wrong_groups

    disturbing = ("cell_feature_noise", "drug_feature_noise", "dropped_genes", "feature_noise_columns")
    named = (*exclusion.KEYS, "wrong_groups_named", *disturbing)
    if any(settings.get(key) for key in named) or settings["wrong_groups_of"] != "drug":
        opened = selection.open_prepared(folder, source)
        exclusion.check_names(settings, opened)
        wrong_groups.check_names(settings, opened)
        noise.check_names(settings, opened)


def infer(model: Model, flags: Mapping[str, str]) -> None:
    """Predict with a model that `train` saved; write `test_scores.json` and `test_y_data_predicted.csv`."""
    model_folder = flags.get("model_dir", flags.get("input_model_dir"))
    if model_folder is None:
        raise ValueError("--model_dir is missing: the folder that train.sh wrote")
    if not (Path(model_folder) / "model.json").is_file():
        raise ValueError(f"model_dir = '{model_folder}': holds no model that train.sh saved (with cp = True)")
    given = model.hyperparameters.check({name: value for name, value in flags.items() if name not in STAGE_FLAGS})
    scores = model.predict(Path(model_folder), Path(flags.get("output_dir", model_folder)), given)
    for name, value in scores.items():
        print(f"IMPROVE_RESULT {name}: {value!r}")


STAGES: dict[str, Callable[[Model, Mapping[str, str]], None]] = {
    "train": train,
    "preprocess": preprocess,
    "infer": infer,
}


def main(arguments: Sequence[str]) -> int:
    """Run a stage of a model: module, stage, flags. Returns the exit code."""
    module, stage, *words = arguments
    model: Model = importlib.import_module(module).MODEL
    try:
        flags = read_flags(words)
        _adopt_data_folder(flags)
        _warn_of_unknown(model, flags)
        STAGES[stage](model, flags)
    except ImportError as error:
        packages = f"{model.name}'s packages"
        print(f"{stage}: {error}: python3 must be the one that {packages} are installed for", file=sys.stderr)
        return 2
    except (ValueError, ComparatorError) as error:
        print(f"{stage}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
