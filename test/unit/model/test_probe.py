"""What a model is known to take that does not describe itself."""

from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.model.described import HyperparameterDescription
from comparator.model.description import ModelDescription, parse_description
from comparator.model.model import Model
from comparator.model.probe import described, likely_seed, with_defaults
from comparator.model.references import find_model
from comparator.site.profile import Slot


@pytest.mark.parametrize(
    ("body", "seed"),
    [
        ('def run(params):\n    return {"val_loss": params.get("rng_seed", 1)}\n', "rng_seed"),
        (
            'def seed(given):\n    return given["RNG_SEED"]\ndef run(params):\n    return {"val_loss": seed(params)}\n',
            "RNG_SEED",
        ),
        ('def run(params):\n    return {"val_loss": params["noise"]}\n', None),
    ],
)
def test_a_python_file_that_reads_the_usual_seed_is_given_it(tmp_path: Path, body: str, seed: str | None) -> None:
    file = tmp_path / "own.py"
    file.write_text(body)
    assert described(Model("own", file), Slot(0), tmp_path).description.seed == seed


def test_where_a_package_is_missing_it_is_said_how_another_python_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("import no_such_package_anywhere\ndef run(params):\n    return 0.5\n")
    words = rf"No module named 'no_such_package_anywhere'.*; .* python = 'ENVIRONMENT' in {tmp_path}/own\.toml$"
    with pytest.raises(InputError, match=words):
        described(Model("own", file), Slot(0), tmp_path)


@pytest.mark.parametrize(
    ("body", "is_script"),
    [
        ("import argparse\nargparse.ArgumentParser().parse_args(['--odd'])\n", True),
        ("print('val_loss: 0.5')\n", True),
        ("raise ValueError\ndef run(params): ...\n", False),
        ("from json import *\n", False),
        ("from json import loads as run\nraise ValueError\n", False),
    ],
)
def test_of_a_script_that_has_no_run_it_is_said_how_it_becomes_a_model(
    tmp_path: Path, body: str, is_script: bool
) -> None:
    file = tmp_path / "train.py"
    file.write_text(body)
    with pytest.raises(InputError) as error:
        described(Model("own", file), Slot(0), tmp_path)
    hint = f'by its folder, with command = ["python", "train.py"] in {tmp_path}/model.toml'
    assert (hint in str(error.value)) is is_script


def test_a_python_file_imports_from_the_folders_that_its_toml_names_and_these_are_its_code(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "fitting.py").write_text("DEFAULTS = {'rng_seed': 1, 'width': 64}\n")
    file = tmp_path / "models" / "mine.py"
    file.parent.mkdir()
    file.write_text(
        "import fitting\n\ndef initialize_parameters():\n    return fitting.DEFAULTS\n\ndef run(params): ...\n"
    )
    file.with_suffix(".toml").write_text('python_path = ["../library"]\n')
    model = find_model(str(file), tmp_path, tmp_path, "here")
    assert set(described(model, Slot(0), tmp_path).description.hyperparameters) == {"rng_seed", "width"}
    before = model.code()
    (tmp_path / "library" / "fitting.py").write_text("DEFAULTS = {'rng_seed': 1, 'width': 128}\n")
    assert model.code() != before


def test_a_seed_by_another_usual_name_is_likely_one() -> None:
    assert likely_seed(["noise", "Seed"]) == "Seed"
    assert likely_seed(["seed", "rng_seed"]) == "rng_seed"
    assert likely_seed(["seeds", "noise"]) is None


def test_a_seed_that_is_described_stays(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text('def run(params):\n    return {"val_loss": params.get("rng_seed", 1)}\n')
    model = Model("own", file, ModelDescription(seed="my_seed"))
    assert described(model, Slot(0), tmp_path).description.seed == "my_seed"


@pytest.mark.parametrize("given", ["model.py", "folder/model", ""])
def test_a_module_that_is_named_like_a_file_is_refused(tmp_path: Path, given: str) -> None:
    (tmp_path / "model.py").write_text("def run(params): return {'val_loss': 1.0}\n")
    (tmp_path / "model.toml").write_text(f'module = "{given}"\n')
    with pytest.raises(InputError, match=f"model.toml: .*module.*'{given}' is no module's name"):
        find_model(str(tmp_path), tmp_path, tmp_path, "test")


@pytest.mark.parametrize(("named", "split"), [("", "split_seed"), ("fold", "fold")])
def test_the_seed_of_a_split_is_taken_by_its_usual_name_where_none_is_named(
    tmp_path: Path, named: str, split: str
) -> None:
    file = tmp_path / "own.py"
    defaults = '{"split_seed": 1, "rng_seed": 1, "fold": 0}'
    file.write_text(
        f'def initialize_parameters():\n    return {defaults}\ndef run(params):\n    return {{"val_loss": 1.0}}\n'
    )
    model = Model("own", file, ModelDescription(split=named or None))
    found = described(model, Slot(0), tmp_path).description
    assert (found.seed, found.split) == ("rng_seed", split)


@pytest.mark.parametrize(
    ("said", "defaults", "seeds"),
    [
        ("", "rng_seed=1", None),
        ("", "init_seed=1, shuffle_seed=2", {"initialisation": "init_seed", "order": "shuffle_seed"}),
        ("", "Init_Seed=1, initialization_seed=2", {"initialisation": "initialization_seed"}),
        ("seeds = { order = 'Mix' }", "mix=1, init_seed=2", {"order": "mix"}),
        ("seeds = {}", "init_seed=2", {}),
    ],
)
def test_what_seeds_a_part_is_taken_by_its_usual_name_where_none_is_named(
    said: str, defaults: str, seeds: dict[str, str] | None
) -> None:
    description = parse_description(said, "model.toml")
    known = {each.split("=")[0]: HyperparameterDescription() for each in defaults.split(", ")}
    assert with_defaults(description, known).seeds == seeds


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("seed = 'rngseed'", "seed = 'rngseed': the model has no such hyperparameter (did you mean 'rng_seed'?)"),
        ("seeds = { initialisation = 'wseed' }", "initialisation = 'wseed'"),
        ("split = 'split_sed'", "split = 'split_sed'"),
    ],
)
def test_a_slip_in_what_takes_a_seed_is_refused(tmp_path: Path, said: str, words: str) -> None:
    file = tmp_path / "own.py"
    defaults = '{"split_seed": 1, "rng_seed": 1, "w_seed": None}'
    file.write_text(f"def initialize_parameters():\n    return {defaults}\ndef run(params):\n    return 1.0\n")
    with pytest.raises(InputError) as raised:
        described(Model("own", file, parse_description(said, "own.toml")), Slot(0), tmp_path)
    assert words in str(raised.value) and "did you mean" in str(raised.value)


@pytest.mark.parametrize("said", ["initialisation = 'mix', order = 'Mix'", "order = 'rng_seed'"])
def test_each_part_of_a_seed_has_a_hyperparameter_of_its_own(said: str) -> None:
    with pytest.raises(InputError, match="stands twice in seed, split and seeds"):
        parse_description(f"seed = 'rng_seed'\nseeds = {{ {said} }}", "model.toml")


def test_a_part_of_a_seed_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match=r"'seeds\.batches' = 'batches'.*'initialisation' or 'order'"):
        parse_description("seeds = { batches = 'mix' }", "model.toml")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("maximun = 20", "'hyperparameters.noise.maximun' is unknown (did you mean 'maximum'?)"),
        ("maximum = 'x'", "model.toml: 'hyperparameters.noise.maximum' = 'x': must be a number"),
        ("item_minimum = true", "'hyperparameters.noise.item_minimum' = True: must be a number"),
        ("choices = 'a'", "'hyperparameters.noise.choices' = 'a': must be a list"),
        ("choices = []", "'hyperparameters.noise.choices' = []: must be a list of values"),
        ("values = 3", "'hyperparameters.noise.values' = 3: must be a list of values"),
    ],
)
def test_a_limit_that_would_limit_nothing_is_refused(said: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_description(f'name = "Mine"\n[hyperparameters.noise]\n{said}\n', "model.toml")
    assert words in str(raised.value)
