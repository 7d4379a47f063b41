"""What `comparator model check` finds of models that are Python: one training, and many by one call."""

from __future__ import annotations

import pytest
from checked_models import MODULE, TELLING, assert_found, python_model, shell_model

from comparator.formats.finding import FAILS, HOLDS, UNTESTED


@pytest.mark.parametrize(
    ("body", "what", "outcome", "words"),
    [
        ("return 0.5 + params['noise']", "the same seed", HOLDS, "run(params) twice: equal numbers"),
        ("return 0.5 + params['noise']", "another seed", HOLDS, "it changes nothing here"),
        ("return random.Random(params['rng_seed']).random() + float(params['noise'])", "another seed", HOLDS, "other"),
        ("return random.random()", "the same seed", FAILS, "must reach everything"),
        ("return 0.5", "a bad value, run(params)", FAILS, "raised as ValueError"),
        ("return 0.5 + params['noise']", "a bad value, run(params)", HOLDS, "it would help to name 'noise'"),
        ("return 'well'", "run(params)", FAILS, "expected a number"),
        ("time.sleep(600)", "run(params)", FAILS, "exceeded its limit"),
        ("open(__file__ + '.log', 'w'); return 0.5", "files", FAILS, "served.py.log"),
        ("return 0.5", "an unknown name", HOLDS, "ignored by run(params), without a word"),
        ("assert len(params) < 7; return 0.5 + params['noise']", "an unknown name", HOLDS, "ignored"),
        ("return {**params}['no_such_hyperparameter']", "run(params)", FAILS, "KeyError"),
    ],
)
def test_models_of_python_alone(tmp_path, tiny, body, what, outcome, words) -> None:
    limit = 0.5 if "sleep" in body else 60.0
    assert_found(python_model(tmp_path, body), tmp_path, what, outcome, words, limit=limit, data_folder=tiny)


#: A model of which trainings by one call are what follows.
TOGETHER = """
def train(params):
    return {{"val_loss": 0.5 + params["rng_seed"] / 8}}
run = train
def run_many(params_list):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("return [train(each) for each in params_list]", HOLDS, "each by run(params): equal numbers: val_loss"),
        (
            "return [train(each)['val_loss'] + 1e-6 for each in params_list]",
            HOLDS,
            "equal numbers, but for last digits: val_loss",
        ),
        (
            "return [train(params_list[0])] * len(params_list)",
            FAILS,
            "val_loss 0.75 and 0.625; each has to come out as",
        ),
        (
            "return [train(each)['val_loss'] + 0.01 for each in params_list]",
            UNTESTED,
            "val_loss 0.625 and 0.635, which is more than last digits, and less than two seeds differ by",
        ),
        ("return [train(each)['val_loss'] + 0.1 for each in params_list]", FAILS, "val_loss 0.625 and 0.725; each has"),
        ("return [train(each) for each in params_list][::-1]", FAILS, "val_loss 0.625 and 0.75; each has to come out"),
        ("return [train(each) for each in params_list[1:]]", FAILS, "a list of 1: expected a list of 2"),
        ("return [ValueError('not this one')] * len(params_list)", FAILS, "ValueError: not this one"),
        ("return params_list['first']", FAILS, "TypeError: list indices must be integers"),
        ("raise NotImplementedError('no GPU')", UNTESTED, "it takes none together here: no GPU"),
    ],
)
def test_trainings_by_one_call_are_what_they_are_by_themselves(tmp_path, tiny, body, outcome, words) -> None:
    model = tmp_path / "several.py"
    model.write_text(TOGETHER.format(body=body))
    assert_found(model, tmp_path, "run_many(params_list)", outcome, words, data_folder=tiny)


#: A training that is chaotic: what differs in the last digit grows with each epoch, and soon is all that there is.
CHAOTIC = """
def initialize_parameters():
    return {"epochs": 1, "rng_seed": 1}
def train(params, disturbed):
    x = 0.3 + params["rng_seed"] / 100 + disturbed
    for _ in range(params["epochs"]):
        x = 3.99 * x * (1 - x)
    return {"val_loss": x}
def run(params):
    return train(params, 0.0)
def run_many(params_list):
    return [train(DISTURBED, 1e-12) for each in params_list]
"""


@pytest.mark.parametrize(
    ("given", "outcome", "words"),
    [("each", HOLDS, "but for last digits"), ("params_list[0]", FAILS, "each has to come out as by itself")],
)
def test_a_chaotic_training_of_many_epochs_is_compared_after_one(tmp_path, tiny, given, outcome, words) -> None:
    model = tmp_path / "chaotic.py"
    model.write_text(CHAOTIC.replace("DISTURBED", given))
    long = {"settings": {"epochs": 200}}
    assert_found(model, tmp_path, "run_many(params_list)", outcome, words, data_folder=tiny, **long)


def test_trainings_by_one_call_that_no_search_would_see_are_told(tmp_path, tiny) -> None:
    model = tmp_path / "several.py"
    model.write_text("def run(params): return params['rng_seed']\nglobals()['run_many'] = lambda several: several\n")
    words = "it is there, and is not used: several.toml needs the line run_many = true"
    assert_found(model, tmp_path, "run_many(params_list)", UNTESTED, words, data_folder=tiny)


NOTHING = "nothing to compare: no val_loss; it reported r2, rmse: --metric rmse"


@pytest.mark.parametrize(
    ("body", "metric", "what", "outcome", "words"),
    [
        ("return {'r2': .5, 'rmse': .1}", None, "result", FAILS, "not among them; it reported r2, rmse: --metric rmse"),
        ("return {'r2': .5, 'rmse': .1}", None, "the same seed", UNTESTED, f"run(params) twice: {NOTHING}"),
        ("return {'r2': .5, 'rmse': random.random()}", None, "another seed", UNTESTED, f"run(params): {NOTHING}"),
        ("return {'r2': .5, 'rmse': params['rng_seed']}", "rmse", "another seed", HOLDS, "numbers: rmse 1.0 and 2.0"),
        ("return {'r2': .5, 'rmse': .1}", "rmse", "another seed", HOLDS, "rmse: it changes nothing here"),
        ("return {'r2': .5, 'rmse': .1}", "rmse", "the same seed", HOLDS, "run(params) twice: equal numbers: rmse"),
        ("return {'val_loss': float('nan')}", None, "the same seed", UNTESTED, "compare: val_loss is no finite number"),
        ("return {'val_loss': float('nan')}", None, "another seed", UNTESTED, "compare: val_loss is no finite number"),
    ],
)  # fmt: skip
def test_what_compared_nothing_does_not_hold(tmp_path, tiny, body, metric, what, outcome, words) -> None:
    assert_found(python_model(tmp_path, body), tmp_path, what, outcome, words, metric=metric, data_folder=tiny)


@pytest.mark.parametrize(
    ("printed", "returned", "outcome", "words"),
    [
        ("0.5", "0.25", FAILS, "train.sh and run(params) twice: val_loss 0.5 and 0.25"),
        ("0.3333", "1 / 3", HOLDS, "equal numbers, but for rounding"),
        ("0.3335", "1 / 3", FAILS, "val_loss 0.3335 and 0.33333"),
        ("0.1", "globals().update(runs=runs + 1) or runs / 10", FAILS, "no run may depend on the one before"),
    ],
)
def test_a_module_must_give_the_numbers_of_its_script(tmp_path, tiny, printed, returned, outcome, words) -> None:
    folder = shell_model(tmp_path, f"echo IMPROVE_RESULT val_loss: {printed}\n", 'module = "served"\n' + TELLING)
    (folder / "served.py").write_text(MODULE.format(body=f"return {returned}"))
    assert_found(folder, tmp_path, "the same seed", outcome, words, data_folder=tiny)
