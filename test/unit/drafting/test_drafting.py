"""What is known of models, what is proposed to vary of them, and the file that is written."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.drafting.definitions import find_definitions, shared
from comparator.drafting.draft import Draft
from comparator.drafting.functions import model_of_function
from comparator.drafting.metrics import described_metrics, preferred
from comparator.drafting.pythons import python_keys
from comparator.drafting.ranges import middle, most_telling, proposals, propose, read_vary, words
from comparator.errors import InputError
from comparator.experiment.experiment_file import check_settings, read_settings
from comparator.formats.spelling import as_kept
from comparator.model.definitions import Definition, definitions_in
from comparator.model.description import ModelDescription, read_toml
from comparator.model.model import Model
from comparator.model.python_environment import PythonChoice
from comparator.site.profile import Slot
from comparator.space import ParameterSpace

# The file


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True).filter(lambda name: name != "name")
#: A NUL, which no word that is typed has, is refused.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NUMBERS = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def entries(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
    made: list[dict[str, Any]] = []
    for name in names:
        lower = draw(st.floats(1e-6, 1e3))
        made.append(
            draw(
                st.sampled_from(
                    [
                        {"name": name, "type": "float", "lower": lower, "upper": 2 * lower, "use_log_scale": True},
                        {"name": name, "type": "int", "lower": 1, "upper": 1 + int(lower) + 1},
                        {"name": name, "type": "logical"},
                        {"name": name, "type": "constant", "value": draw(NUMBERS | TEXTS)},
                    ]
                )
            )
        )
    return made


@pytest.mark.long
@given(
    space=entries(),
    settings=st.lists(st.tuples(NAMES, VALUES), max_size=4, unique_by=lambda each: each[0].casefold()).map(dict),
    metric=TEXTS.filter(bool),
    models=st.tuples(TEXTS, TEXTS),
    default=VALUES | st.none(),
)
def test_what_is_written_is_read_back_to_the_same_values(
    tmp_path_factory: pytest.TempPathFactory,
    space: list[dict[str, Any]],
    settings: dict[str, Any],
    metric: str,
    models: tuple[str, str],
    default: Any,
) -> None:
    known = {name: Definition(name, default=default, description=metric) for name in (*settings, "other name", "x")}
    draft = Draft(models, space, metric, evaluations=40, settings=settings, labels=models, known=known)
    file = tmp_path_factory.getbasetemp() / "draft.toml"
    file.write_text(draft.text, encoding="utf-8", newline="")
    assert read_toml(file) == draft.content
    read = read_settings(file, [])
    assert read.space == space
    assert read.set == {as_kept(name): value for name, value in settings.items()}
    assert (read.cmp.models, read.cmp.labels, read.cmp.metric) == (list(models), list(models), metric)
    assert (read.search.find, read.search.evaluations) == ("both", 40)


def test_the_file_of_one_model_is_a_search_of_its_metric(tmp_path: Path) -> None:
    file = tmp_path / "search.toml"
    file.write_text(Draft(("mine.py",), [NOISE], "val_r2", evaluations=12).text)
    read = read_settings(file, [])
    assert (read.model, read.metric, read.compares, read.space) == ("mine.py", "val_r2", False, [NOISE])


def test_a_space_may_be_a_table_of_its_entries_by_name() -> None:
    search, table = {"evaluations": 8}, {key: value for key, value in NOISE.items() if key != "name"}
    assert check_settings({"space": {"noise": table}, "search": search}, "mine.toml").space == [NOISE]
    with pytest.raises(InputError, match=r"mine\.toml: 'space' = .*'noise' = '0:50' is no table; write noise = "):
        check_settings({"space": {"noise": "0:50"}, "search": search}, "mine.toml")
    with pytest.raises(InputError, match="'noise' has another 'name', 'width'"):
        check_settings({"space": {"noise": {**table, "name": "width"}}, "search": search}, "mine.toml")


# What is known of a model


NOISE = {"name": "noise", "type": "float", "lower": 0.0, "upper": 50.0}
SOURCE = """
parser.add_argument("--learning-rate", type=float, default=1e-3, help="step size")
parser.add_argument("-d", "--deep", action="store_true")
parser.add_argument("file")
more = [{"name": "width", "type": int, "default": 64, "help": "units"}, {"name": "no definition"}]

def run(params):
    return params["noise"] + params.get("alpha", 0.5) + other["not"]
"""


def model_in(path: Path, **described: Any) -> Model:
    return Model(path.stem, path, ModelDescription.model_validate(described))


def found_of(model: Model) -> dict[str, Definition]:
    return find_definitions(model, Slot(0), model.folder)


def test_source_tells_of_argparse_of_lists_of_definitions_and_of_what_run_takes() -> None:
    found = {each.name: each for each in definitions_in(ast.parse(SOURCE))}
    assert list(found) == ["width", "learning_rate", "deep", "alpha", "noise"] or set(found) == {
        "learning_rate",
        "deep",
        "width",
        "noise",
        "alpha",
    }
    assert found["learning_rate"] == Definition("learning_rate", "float", 1e-3, "step size", flag="--learning-rate")
    assert (found["deep"].type, found["deep"].default) == ("bool", False)
    assert found["width"] == Definition("width", "int", 64, "units")
    assert (found["noise"].default, found["alpha"].default) == (None, 0.5)


def test_a_folder_tells_by_its_default_model_file_and_its_source(tmp_path: Path) -> None:
    (tmp_path / "my_default_model.txt").write_text("[Global_Params]\ndropout = 0.1\nwidth = 128\nrng_seed = 7\n")
    (tmp_path / "main.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("def (")
    found = found_of(model_in(tmp_path))
    assert (found["dropout"].type, found["width"].default, found["width"].type) == ("float", 128, "int")
    assert found["width"].description == "units"


def test_a_default_model_file_that_cannot_be_read_is_passed_over_and_said(tmp_path: Path) -> None:
    (tmp_path / "my_default_model.txt").write_text("[Global_Params]\ndropout = 0.1\nbroken here\n")
    (tmp_path / "other_params.txt").write_text("[Global_Params]\nwidth = 64\n")
    doubts: list[str] = []
    found = find_definitions(model_in(tmp_path), Slot(0), tmp_path, doubts.append)
    assert list(found) == ["width"]
    (said,) = doubts
    assert said.startswith(f"{tmp_path / 'my_default_model.txt'}, line 3: 'broken here' is not 'key = value'; so its ")


def test_a_folder_tells_by_the_script_that_its_train_sh_calls_and_what_that_imports(tmp_path: Path) -> None:
    own, other = (f'parser.add_argument("--depth", type=int, default={each})\n' for each in (3, 2))
    files = {
        "ablation.py": other + 'parser.add_argument("--knn", type=int, default=5)\n',
        "src/train.py": "from args import parse\nimport numpy\n" + own,
        "src/args.py": 'import train\nparser.add_argument("--width", type=int, default=64)\n',
        "train.sh": '#!/bin/bash\npython "$IMPROVE_MODEL_DIR/src/train.py" "$@"\n',
    }
    (tmp_path / "src").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = found_of(model_in(tmp_path))
    assert {name: each.default for name, each in found.items()} == {"depth": 3, "width": 64}
    (tmp_path / "train.sh").write_text("python elsewhere.py\n")
    assert set(found_of(model_in(tmp_path))) == {"depth", "width", "knn"}


def test_a_folder_tells_by_the_file_of_settings_that_its_train_sh_names(tmp_path: Path) -> None:
    files = {
        "settings.json": '{"lr": 0.01, "units": [8, 4], "no name": 1}',
        "other.json": '{"knn": 5}',
        "train.py": 'parser.add_argument("settings")\n',
        "predict.py": 'parser.add_argument("--confidence", action="store_true")\n',
        "train.sh": 'fill "$IMPROVE_MODEL_DIR/settings.json" > a.json\npython "$IMPROVE_MODEL_DIR"/train.py a.json\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = found_of(model_in(tmp_path))
    assert {name: each.default for name, each in found.items()} == {"lr": 0.01, "units": [8, 4]}
    (tmp_path / "settings.json").write_text("[not JSON")
    doubts: list[str] = []
    found = find_definitions(model_in(tmp_path), Slot(0), tmp_path, doubts.append)
    assert set(found) == {"confidence"}
    assert len(doubts) == 1 and "settings.json: no JSON: " in doubts[0] and doubts[0].endswith("is passed over")


def test_settings_in_yaml_are_told_as_those_in_json_those_of_a_table_by_the_way_to_them(tmp_path: Path) -> None:
    files = {
        "configs/base.yaml": "lr: 1e-3\nmodel:\n  units: 64\n  drop: [0.1, 0.2]\n  2nd: 1\nhow: !mine {}\n",
        "train.py": 'parser.add_argument("--config", default="configs/base.yaml")\n',
        "train.sh": 'cd "$IMPROVE_MODEL_DIR"\npython train.py\n',
    }
    (tmp_path / "configs").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert set(found_of(model_in(tmp_path))) == {"config"}  # a tag of the author's own: nobody else can read it
    (tmp_path / "configs" / "base.yaml").write_text(files["configs/base.yaml"].replace("how: !mine {}\n", ""))
    found = {name: each.default for name, each in found_of(model_in(tmp_path)).items()}
    assert found == {
        "lr": 0.001,
        "model.units": 64,
        "model.drop": [0.1, 0.2],
        "config": "configs/base.yaml",
    }


def test_settings_are_told_that_hydra_is_given(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "train.yaml").write_text("seed: 1\noptimizer: {lr: 0.01}\n")
    (tmp_path / "main.py").write_text(
        '@hydra.main(version_base=None, config_path="conf", config_name="train")\ndef main(cfg): ...\n'
    )
    (tmp_path / "train.sh").write_text('python "$IMPROVE_MODEL_DIR/main.py" "$@"\n')
    assert {name: each.default for name, each in found_of(model_in(tmp_path)).items()} == {
        "seed": 1,
        "optimizer.lr": 0.01,
    }


@pytest.mark.parametrize(
    "script",
    [
        'cd "$IMPROVE_MODEL_DIR" && python -m package.main "$@"\n',
        'bash "$IMPROVE_MODEL_DIR"/scripts/run.sh "$@"\n',
        'cd "$IMPROVE_MODEL_DIR/package"\npython main.py "$@"\n',
    ],
)
def test_scripts_are_found_that_are_run_as_modules_by_other_scripts_and_in_other_folders(
    tmp_path: Path, script: str
) -> None:
    files = {
        "package/__init__.py": "",
        "package/main.py": "from package.parts import options\nfrom . import more\nfrom .deep.down import x\n",
        "package/parts.py": 'parser.add_argument("--depth", type=int, default=3)\n',
        "package/more.py": 'parser.add_argument("--width", type=int, default=8)\n',
        "package/deep/down.py": 'from ..other import x\nparser.add_argument("-lr", type=float, default=0.1)\n',
        "package/other.py": 'parser.add_argument("--drop", type=float, default=0.5)\n',
        "scripts/run.sh": 'python -m package.main "$@"\n',
        "ablation.py": 'parser.add_argument("--knn", type=int, default=5)\n',
        "train.sh": script,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {name: each.default for name, each in found_of(model_in(tmp_path)).items()}
    assert found == {"depth": 3, "width": 8, "lr": 0.1, "drop": 0.5}


def test_source_tells_of_flags_of_absl_and_of_click_and_how_each_is_written() -> None:
    source = """
flags.DEFINE_float("learning_rate", 0.01, "Initial learning rate.")
flags.DEFINE_enum("kind", "gcn", ["gcn", "dense"], "which")
flags.DEFINE_boolean("bias", True, "with a bias")
@click.option("--n-trees", default=100, type=int)
@click.option("--deep/--no-deep", default=False)
def main(): ...
p.add_argument("-epochs", type=int, default=5)
p.add_argument("--amp", action=argparse.BooleanOptionalAction, default=True)
p.add_argument("--no-cuda", action="store_true")
"""
    found = {each.name: each for each in definitions_in(ast.parse(source))}
    assert {name: (each.type, each.default, each.flag, each.switch) for name, each in found.items()} == {
        "learning_rate": ("float", 0.01, "--learning_rate=", None),
        "kind": ("string", "gcn", "--kind=", None),
        "bias": ("bool", True, "--bias=", None),
        "n_trees": ("int", 100, "--n-trees", None),
        "deep": ("bool", False, "--deep", "both"),
        "epochs": ("int", 5, "-epochs", None),
        "amp": ("bool", True, "--amp", "both"),
        "no_cuda": ("bool", False, "--no-cuda", "on"),
    }
    assert found["kind"].choices == ("gcn", "dense")


def test_a_python_file_tells_by_initialize_parameters_and_its_description(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text('def initialize_parameters():\n    return {"noise": 0.0}\n\ndef run(params):\n    return 1.0\n')
    described = {"noise": {"type": "float", "description": "per cent"}, "kind": {"values": ["a", "b"]}}
    found = found_of(model_in(file, hyperparameters=described))
    assert found["noise"] == Definition("noise", "float", 0.0, "per cent")
    assert found["kind"].choices == ("a", "b")
    file.write_text("import nothing_of_this_name\n")
    with pytest.raises(InputError, match="cannot be run: ModuleNotFoundError"):
        found_of(model_in(file))


def test_what_a_script_does_not_read_as_it_is_called_is_not_varied(tmp_path: Path) -> None:
    source = 'p.add_argument("--augment", type=bool, default=True)\np.add_argument("--sizes", type=list)\n'
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "train.sh").write_text("true\n")
    (tmp_path / "shell" / "train.py").write_text(source)
    known = found_of(model_in(tmp_path / "shell"))
    assert proposals(known) == {}
    with pytest.raises(InputError, match="cannot be varied: its script takes every word for true, 'False' too"):
        read_vary("augment=True,False", known)
    with pytest.raises(InputError, match="cannot be varied: its script makes a list of a word's letters"):
        read_vary("sizes", known)
    file = tmp_path / "served.py"  # values reach it as they are
    file.write_text('listed = [{"name": "augment", "type": bool}]\ndef run(params):\n    return 1.0\n')
    assert list(proposals(found_of(model_in(file)))) == ["augment"]


def test_a_python_file_tells_by_the_modules_beside_it_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import sizes as bmk\nimport json\n"
        'def initialize_parameters():\n    return {"dense": None, "dropout": 0, "epochs": 1, "depth": 5}\n'
        'def run(params):\n    return {"val_loss": 1.0}\n'
    )
    (tmp_path / "sizes.py").write_text('listed = [{"name": "dense", "nargs": "+", "type": int, "help": "widths"}]\n')
    (tmp_path / "other.py").write_text('listed = [{"name": "not_its_own", "type": int}]\n')
    known = found_of(model_in(tmp_path / "own.py"))
    assert (known["dense"].type, known["dense"].description) == ("list", "widths")
    assert "not_its_own" not in known and propose(known["dense"]) is None
    assert [known[name].type for name in ("dropout", "epochs", "depth")] == ["number", "number", "int"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [("'nargs': 1", "float"), ("'nargs': '?'", "float"), ("'nargs': 2", "list"), ("'nargs': '*'", "list"),
     ("'nargs': 1, 'default': [0.5]", "list"), ("'nargs': WORDS", "list")],
)  # fmt: skip
def test_a_hyperparameter_of_one_word_is_what_its_type_says(tmp_path: Path, given: str, kind: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        f"WORDS = 2\nlisted = [{{'name': 'x', 'type': float, {given}}}]\ndef run(params):\n    return params['x']\n"
    )
    known = found_of(model_in(file))
    assert known["x"].type == kind
    if kind == "float":
        assert read_vary("x=0:20", known)["type"] == "float"


def test_shared_is_what_all_take_whatever_its_case_and_one_that_tells_nothing_is_not_asked() -> None:
    first = {"LR": Definition("LR", default=0.1), "width": Definition("width")}
    second = {"lr": Definition("lr", description="step size"), "depth": Definition("depth")}
    assert shared([first, second]) == {"LR": Definition("LR", default=0.1, description="step size")}
    assert shared([{}, first]) == first
    assert shared([{}, {}]) == {}


# What is proposed


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (Definition("learning_rate", "float", 0.001), "0.0001:0.01:log"),
        (Definition("alpha", "float", 1.0), "0.1:10:log"),
        (Definition("weight_decay", "float", 0.0), "0:1"),
        (Definition("dropout", "float", 0.1), "0:0.8"),
        (Definition("noise", "float", 0.0, "in per cent of the mean"), "0:50"),
        (Definition("noise", "float", 0.0), "0:1"),
        (Definition("hidden_size", "int", 64), "16:256:log"),
        (Definition("max_depth", "int", 3), "1:6"),
        (Definition("n_train", "int", 200), "20:200:log"),
        (Definition("temperature", "float", 2.0), "0.5:8:log"),
        (Definition("optimizer", "string", "adam", choices=("adam", "sgd")), "adam,sgd"),
        (Definition("batch_size", "int", 32, choices=(16, 32, 64)), "16,32,64"),
        (Definition("residual", "bool", True), "False,True"),
        (Definition("noise"), "0:1"),
        (Definition("dropout", "number", 0), "0:0.8"),
        (Definition("subsample", "number", 1), "0.1:1"),
        (Definition("hidden_layers", "number", 1), "1:4"),
        (Definition("width"), "8:512:log"),
    ],
)
def test_ranges_are_proposed_by_type_default_and_name(definition: Definition, said: str) -> None:
    entry = propose(definition)
    assert entry is not None
    assert words(entry) == said
    space = ParameterSpace.from_entries([entry], "space")
    assert space.warnings == ()
    space.check({definition.name: middle(entry)})
    if definition.default is not None:
        is_fraction = entry["type"] == "float"
        space.check({definition.name: float(definition.default) if is_fraction else definition.default})


@pytest.mark.parametrize(
    "definition",
    [
        Definition("rng_seed", "int", 1),
        Definition("random_state", "int", 1),
        Definition("output_dir", "string", "x"),
        Definition("n_jobs", "int", 2),
        Definition("training.device", "any", 1),
        Definition("val_split", "float", 0.2),
        Definition("depth", "int", -1),
        Definition("optimizer", "string", "adam"),
        Definition("dense", "list", [1, 2]),
        Definition("noise", "float", 0.0, has_effect=False),
        Definition("thing"),
    ],
)
def test_what_is_no_setting_or_says_too_little_is_not_proposed(definition: Definition) -> None:
    assert propose(definition) is None


@given(st.text(max_size=8), st.sampled_from(["int", "float", "bool", "any"]), NUMBERS | st.none() | TEXTS)
def test_whatever_the_default_a_proposal_is_a_space(name: str, kind: str, default: Any) -> None:
    entry = propose(Definition(f"x{name}" if name.isidentifier() else "x", kind, default))
    if entry is not None:
        ParameterSpace.from_entries([entry], "space")


def test_what_tells_most_of_two_models_comes_first() -> None:
    known = {
        name: Definition(name, "int", 16) for name in ("epochs", "batch_size", "other", "width", "noise", "rng_seed")
    }
    known["noise_on"] = Definition("noise_on", "bool", True)
    assert list(proposals(known)) == ["noise", "width", "other", "epochs", "batch_size", "noise_on"]
    assert "width" not in proposals(known, without={"WIDTH"})


def test_what_is_taken_unasked_is_of_several_kinds() -> None:
    known = {name: Definition(name, "float", 0.0, "in percent") for name in ("noise", "cell_noise", "dropped_genes")}
    known["width"] = Definition("width", "int", 16)
    proposed = proposals(known)
    assert [entry["name"] for entry in most_telling(proposed)] == ["noise", "width"]
    assert [proposed[name]["upper"] for name in ("noise", "dropped_genes")] == [50.0, 50.0]


def test_a_setting_of_a_table_is_known_by_the_last_words_of_its_way() -> None:
    known = {name: Definition(name, "number", 0.01) for name in ("other", "model.dropout", "optimizer.lr")}
    assert [(entry["name"], words(entry)) for entry in most_telling(proposals(known))] == [
        ("optimizer.lr", "0.001:0.1:log"),
        ("model.dropout", "0:0.8"),
    ]


KNOWN = {"noise": Definition("noise", "float", 0.0), "Width": Definition("Width", "int", 64)}
KNOWN |= {name: Definition(name, "any") for name in ("kind", "size", "flag", "epochs")}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("noise=0:50", NOISE),
        ("width=25:200:log", {"name": "Width", "type": "int", "lower": 25, "upper": 200, "use_log_scale": True}),
        ("kind=a,b", {"name": "kind", "type": "categorical", "element_type": "string", "values": ["a", "b"]}),
        ("size=8,16", {"name": "size", "type": "ordered", "element_type": "int", "values": [8, 16]}),
        ("flag=True,False", {"name": "flag", "type": "logical"}),
        ("cmp_1_noise=0:2", {"name": "cmp_1_noise", "type": "float", "lower": 0, "upper": 2}),
        ("Width", {"name": "Width", "type": "int", "lower": 16, "upper": 256, "use_log_scale": True}),
        ("epochs=3", {"name": "epochs", "type": "constant", "value": 3}),
    ],
)
def test_what_a_user_says_to_vary(text: str, entry: dict[str, Any]) -> None:
    assert read_vary(text, KNOWN) == entry


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("noise=50:0", "'lower' = 50.0 is above 'upper' = 0.0"),
        ("noise=0:1:log", "needs a 'lower' above zero"),
        ("noise=1:2:lin", "there may stand :log, not :lin"),
        ("noise=a:b", "a range is LOWER:UPPER, two numbers"),
        ("nose", r"no such hyperparameter \(did you mean 'noise'\?\)"),
        ("momentum=0:1", "no such hyperparameter; there are noise, Width, kind, size, flag, epochs"),
        ("2x=0:1", "is not the name of a hyperparameter"),
        ("noise=", "a value is missing; say it, as noise=0:50"),
        ("noise=1,", "a value is missing"),
        ("noise=a,b", "noise takes numbers, and 'a' is none"),
        ("width=1.5:2.5", "Width takes whole numbers, and 1.5 is none"),
        ("noise=1,1", "1 and 1 are the same, so nothing is varied"),
        ("noise=5:5", "5 and 5 are the same, so nothing is varied"),
    ],
)
def test_what_cannot_be_varied_is_said_in_a_line(text: str, words: str) -> None:
    with pytest.raises(InputError, match=f"--vary {text}.*{words}"):
        read_vary(text, KNOWN)


def test_a_name_of_one_model_alone_is_looked_for_among_its_own() -> None:
    own = {**KNOWN, "depth": Definition("depth", "int", 3)}
    assert read_vary("cmp_1_depth=1:9", KNOWN, [KNOWN, own])["name"] == "cmp_1_depth"
    for text, said in (
        ("cmp_0_depth=1:9", "no such hyperparameter"),
        ("depth=1:9", r"the second model alone has it; cmp_1_depth varies it there \(both have noise, Width"),
    ):
        with pytest.raises(InputError, match=said):
            read_vary(text, KNOWN, [KNOWN, own])


def test_where_nothing_is_known_of_a_model_any_name_is_taken() -> None:
    assert read_vary("momentum=0:1", {})["name"] == "momentum"


# Metrics


def test_the_metric_is_one_that_both_report_the_loss_on_held_out_rows_first(tmp_path: Path) -> None:
    assert preferred([["loss", "rmse", "val_loss"], ["val_loss", "rmse"]]) == ["val_loss", "rmse"]
    assert preferred([["time", "r2"], ["r2", "time"]]) == ["r2", "time"]
    assert preferred([["a"], ["b"]]) == []
    described = model_in(tmp_path, metrics={"rows": {"kind": "fact"}, "val_r2": {"kind": "score"}})
    assert described_metrics([described, described]) == ["val_r2"]
    assert described_metrics([described, model_in(tmp_path)]) is None


# Functions


FUNCTIONS = """
import numpy as np

def of_a_dict(params):
    return params["noise"] + params.get("width", 8) + params["random_state"] * 100

def of_arguments(noise=1.0, *, width=8, seed=None):
    return noise + width + seed * 100
"""


@pytest.mark.parametrize("function", ["of_a_dict", "of_arguments"])
def test_a_function_is_a_model_that_takes_its_seed(tmp_path: Path, function: str) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "two.py").write_text(FUNCTIONS)
    found = model_of_function(f"{tmp_path / 'code' / 'two.py'}:{function}", tmp_path)
    assert found is not None
    path, text = found
    assert path == tmp_path / f"two_{function}.py"
    path.write_text(text)
    specification = importlib.util.spec_from_file_location(f"drafted_{function}", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.initialize_parameters()["rng_seed"] == 1
    assert module.run({"noise": 2, "width": 3, "rng_seed": 4}) == 405
    assert found_of(model_in(path))["width"].default == 8


def test_a_reference_to_no_function_says_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "two.py"
    file.write_text(FUNCTIONS)
    assert model_of_function("uno", tmp_path) is None
    with pytest.raises(InputError, match=r"has no function 'of_a_dct' \(did you mean 'of_a_dict'\?\); it has"):
        model_of_function(f"{file}:of_a_dct", tmp_path)
    file.write_text("def (")
    with pytest.raises(InputError, match=r"two\.py, line 1: not Python"):
        model_of_function(f"{file}:run", tmp_path)


def test_what_runs_a_model_is_written_as_it_was_typed_unless_that_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv").mkdir()
    monkeypatch.chdir(tmp_path)
    for typed, written in (("venv", "../venv"), (str(tmp_path / "venv"), str(tmp_path / "venv"))):
        assert python_keys(PythonChoice(typed, None, tmp_path, "init"), tmp_path / "files") == {"python": written}
