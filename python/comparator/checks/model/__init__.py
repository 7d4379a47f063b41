"""Try a model against the convention, step by step, and say what holds, what fails and how to mend it.

The model is found, described, its module imported, its data prepared, and then it is trained the ways that a search
trains it: by `train.sh`, and warm where it has a module. What a step needs that an earlier one did not give is said to
be untested. All trainings are small: on a tiny data set made here (`tiny_benchmark`), for one epoch where the model
has epochs.

Here is what is asked, in its order; how a model is run is in `trial`, and each of the other modules asks one thing.
"""

from __future__ import annotations

from comparator.checks.model.bench import Bench, bench_folder
from comparator.checks.model.data import check_data, check_manifest
from comparator.checks.model.description import (
    check_description,
    check_module,
    check_scripts,
    check_seed_is_named,
    kind_words,
    misnamed,
)
from comparator.checks.model.files import check_files, own_files
from comparator.checks.model.mistakes import check_bad_value, check_unknown_name
from comparator.checks.model.python import check_python
from comparator.checks.model.reads import check_reads
from comparator.checks.model.seeds import check_other_seed, check_same_seed, check_together
from comparator.checks.model.trainings import check_first_trainings, check_inference, cost
from comparator.checks.model.trial import Trial
from comparator.checks.tiny_benchmark import write_tiny_benchmark
from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings
from comparator.formats.names import home_written_out
from comparator.model.references import find_model

__all__ = ["Bench", "bench_folder", "check_model"]

WHERE = "model check"


def check_model(reference: str, bench: Bench) -> Findings:
    """Try the model that `reference` names; findings come as they are made.

    Raises `InputError` where there is no such model, or the metric asked for is not among those that it describes.
    """
    try:
        model = find_model(reference, bench.working_folder, bench.containers, WHERE, python=bench.python)
    except InputError as error:
        path = (bench.working_folder / home_written_out(reference)).resolve()
        folder = path if path.is_dir() else bench.containers / reference
        if not path.exists() and not folder.is_dir():
            raise
        yield Finding("found", FAILS, str(error).removeprefix(f"{WHERE}: ") + misnamed(folder, "train.sh"))
        return
    yield Finding("found", HOLDS, kind_words(model))
    if not (yield from check_python(model)):
        return
    trial = Trial(model, bench)
    try:
        yield from _steps(trial)
    finally:
        trial.close()


def _steps(trial: Trial) -> Findings:
    before = own_files(trial.model)
    yield from check_scripts(trial)
    yield from check_description(trial)
    if trial.bench.data_folder is None:
        trial.data_folder.mkdir()
        write_tiny_benchmark(trial.data_folder)
    yield from check_module(trial)
    yield from check_seed_is_named(trial)
    prepared = yield from check_data(trial)
    if prepared:
        yield from check_manifest(trial)
        yield from _trainings(trial)
    yield check_files(trial, before)


def _trainings(trial: Trial) -> Findings:
    ways = yield from check_first_trainings(trial)
    if not ways:
        yield Finding("further trainings", UNTESTED, "the first ones failed")
        return
    yield from check_same_seed(trial, ways)
    yield from check_other_seed(trial, ways)
    if not ways[-1].is_script:
        yield from check_together(trial, ways[-1])
    yield from check_reads(trial, ways)
    for way in ways:
        yield check_bad_value(trial, way)
    yield check_unknown_name(trial, ways[0])
    if ways[0].is_script:
        yield from check_inference(trial, ways[0].first)
    yield cost(ways)
