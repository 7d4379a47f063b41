"""The data of an experiment's models: prepared before it begins, and told apart from others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.formats.hyperparameters import as_flags
from comparator.formats.names import home_written_out
from comparator.model.image import DATA_FOLDER
from comparator.model.inputs import inputs_of
from comparator.model.log_lines import plain
from comparator.model.model import Model
from comparator.model.process import call
from comparator.model.reported import LAST_WORDS
from comparator.model.runners.staged import check_raw_data
from comparator.site.profile import Slot


class MissingData(InputError):
    """The model's data do not have what the hyperparameters ask for."""


def what_it_reads(model: Model, context: Context) -> dict[str, Any]:
    """What a model's code and data are, and why it cannot be told what its runs read; None where it can."""
    description, data_folder = model.description, context.host.site.data_folder
    manifest = {} if description.data_manifest is None else {"data_manifest": [description.data_manifest]}
    for key, names in {"reads": description.reads or [], **manifest}.items():
        for name in names:
            if not (data_folder / name).exists():
                raise InputError(
                    f"{model.description_file}: {key}: '{name}': there is none in the data folder {data_folder}"
                )
    inputs = inputs_of(model, data_folder)
    return {**inputs, "untold": model.untold(warm=context.host.serves_warm) or inputs["untold"]}


def prepare(model: Model, given: Mapping[str, Any], context: Context) -> None:
    """Run the model's `preprocess.sh`, which prepares its data once and refuses what the data do not have."""
    data_folder = context.host.site.data_folder
    if model.stages is not None:  # each training's data are preprocessed when it needs them
        if model.image is None:
            check_raw_data(model, given, data_folder)
        return
    script = model.script("preprocess.sh")
    if (script is None and model.image is None) or not model.is_ready:
        return
    if model.image is not None and model.image.runtime is None and model.description.data_manifest is not None:
        _check_prepared(model, data_folder)
    asked = os.environ.get("CANDLE_DATA_DIR")
    if asked and home_written_out(asked).absolute() == data_folder and not data_folder.exists():
        raise InputError(f"CANDLE_DATA_DIR={data_folder}: no such folder; make it first, or leave the variable out")
    try:
        data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{data_folder}: the data folder cannot be made: {error.strerror}") from None
    if script is None:
        return
    flags = as_flags(model.seen(dict(given), data_folder))
    inside = [*model.command(script.name), model.seen(str(data_folder), data_folder), *flags]
    command, environment = call(model, inside, Slot(0), data_folder)
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=data_folder,  # wherever the user is, something of a name that the script looks for may lie there
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    last = ""
    assert process.stdout is not None
    with process:
        try:
            for line in process.stdout:
                said = plain(line).strip()
                if said:
                    last = said[:LAST_WORDS]
                    context.say(last)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise MissingData(f"{model.name}: {last or f'preprocess.sh ended with exit status {process.returncode}'}")


def _check_prepared(model: Model, data_folder: Path) -> None:
    """Where this host cannot run the image, what prepares its data has to have run on a node."""
    manifest = data_folder / str(model.description.data_manifest)
    if not manifest.is_file():
        raise InputError(
            f"{model.path.name}: {manifest} is missing, and this host has no container runtime to prepare the data;"
            f" on a node run: preprocess.sh {DATA_FOLDER} in the image"
        )
