"""Scripts that take no flags: their constants are their settings, and a run has a copy with its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.model.model import Model
from comparator.model.own_files.script_constants import constants_in, with_constants
from comparator.model.own_files.settings_file import named_settings, read_settings_file
from comparator.model.references import find_model
from comparator.model.runners.runner import make_runner
from comparator.model.training import Training
from comparator.site.profile import Slot

SCRIPT = '''"""Trains."""
from parts import squared
from pathlib import Path

RATE: float = -0.5  # ü, a step
SIZES = [8, 4]
HERE = Path(__file__).parent
CONFIG = {
    "epochs": 3, "optimiser": {"name": "sgd", "decay": 1e-3},
    "sizes": SIZES, 7: 1,
}
seen = 0
for seen in range(3):
    pass
limit = 1
limit = 2


def helper():
    inner = 5


if __name__ == "__main__":
    dropout = 0.25
    total = squared(RATE) + sum(SIZES) + CONFIG["epochs"] + dropout
    print("final loss:", total, CONFIG["optimiser"]["name"], open("words.txt").read())
'''
DESCRIBED = """
command = ["python", "src/train.py"]
settings = "src/train.py"
links = ["words.txt"]
[metrics.loss]
kind = "error"
printed = "final loss: "
"""


def model_in(folder: Path) -> Model:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(SCRIPT)
    (folder / "src" / "parts.py").write_text("def squared(number):\n    return number**2\n")
    (folder / "words.txt").write_text("said")
    (folder / "model.toml").write_text(DESCRIBED)
    return find_model(str(folder), folder, folder, "test")


def test_what_a_script_assigns_once_is_a_constant(tmp_path: Path) -> None:
    assert constants_in(SCRIPT) == {
        "RATE": -0.5,
        "SIZES": [8, 4],
        "CONFIG": {"epochs": 3, "optimiser": {"name": "sgd", "decay": 0.001}},
        "dropout": 0.25,
    }
    (tmp_path / "train.py").write_text(SCRIPT)
    names = [name for name, _ in named_settings(read_settings_file(tmp_path / "train.py"))]
    assert names == ["RATE", "SIZES", "CONFIG.epochs", "CONFIG.optimiser.name", "CONFIG.optimiser.decay", "dropout"]


@pytest.mark.parametrize(
    "lines",
    [
        'CONFIG["lr"] = 5',
        'CONFIG["lr"] *= 5',
        'for key in ("lr",):\n    CONFIG[key] = 5',
        "CONFIG.update(lr=5)",
        "CONFIG |= dict(lr=5)",
        "from settings import CONFIG",
        "from settings import *",
        "import settings as CONFIG",
        "class CONFIG:\n    pass",
        "def change():\n    global CONFIG\n    CONFIG = dict(lr=5)",
        "del CONFIG",
    ],
)
def test_what_a_script_sets_anew_in_another_way_is_no_constant(lines: str) -> None:
    assert "CONFIG" not in constants_in(f'CONFIG = {{"lr": 1}}\n{lines}\nprint(CONFIG)\n')


@pytest.mark.parametrize(
    "lines",
    [
        'cfg = CONFIG\ncfg["lr"] = 5',
        'cfg: dict = CONFIG\ncfg["lr"] = 5',
        'one, cfg = 1, CONFIG\ncfg["lr"] = 5',
        "cfg = other = CONFIG\nother.update(lr=5)",
        "cfg = CONFIG\ncfg |= dict(lr=5)",
        "cfg = CONFIG if len(CONFIG) else {}\nfor key in cfg:\n    cfg[key] = 5",
        'def main():\n    cfg = CONFIG or {}\n    opt = cfg\n    opt["lr"] = 5',
        'def main(seed, cfg):\n    cfg["lr"] = 5\nmain(1, CONFIG)',
        'def main(*, cfg):\n    cfg["lr"] = 5\nmain(cfg=CONFIG)',
        'def outer(a):\n    inner(a)\ndef inner(b):\n    b["lr"] = 5\nouter(CONFIG)',
        'setattr(CONFIG, "lr", 5)',
        'class Trainer:\n    def __init__(self, cfg):\n        cfg["lr"] = 5\nTrainer(CONFIG)',
        "class Trainer:\n    def __init__(self, cfg):\n        self.own = cfg\n    def train(self):\n"
        '        self.own["lr"] = 5\nTrainer(CONFIG)',
        'cfg = CONFIG\ndef set(table):\n    table["lr"] = 5\nset(cfg["net"])\nset(cfg)',
    ],
)
def test_a_table_that_is_changed_by_another_of_its_names_is_no_constant(lines: str) -> None:
    assert constants_in(f'CONFIG = {{"lr": 1, "net": {{"lr": 2}}}}\n{lines}\nprint(CONFIG)\n').get("CONFIG") in (
        None,
        {"net": {"lr": 2}},
    )


def test_a_table_of_a_function_may_be_changed_by_another() -> None:
    source = 'def main():\n    cfg = {"lr": 1, "n": 2}\n    other(cfg)\ndef other(c):\n    c["lr"] = 3\nmain()\n'
    assert constants_in(source) == {"main": {"cfg": {"n": 2}}}


def test_what_another_name_of_a_table_leaves_as_it_is_stays_a_constant() -> None:
    source = 'CONFIG = {"lr": 1, "kind": "f1", "net": {"width": 2, "depth": 3}}\nprint(CONFIG)\n'
    source += 'net, metric = CONFIG["net"], CONFIG["kind"]\nnet["depth"] = 4\n'
    source += 'def walk(metric, node):\n    metric.update(node)\n    while node:\n        node = node["next"]\n'
    source += 'copied = dict(CONFIG)\ncopied["lr"] = 5\n'
    assert constants_in(source) == {"CONFIG": {"lr": 1, "kind": "f1", "net": {"width": 2}}}
    source += 'first = second["a"]\nsecond = first["b"]\nfirst["c"] = 1\n'  # names that stand for each other
    assert constants_in(source) == {"CONFIG": {"lr": 1, "kind": "f1", "net": {"width": 2}}}


def test_in_a_table_only_what_is_set_anew_is_no_constant() -> None:
    source = 'CONFIG = {"lr": 1, "net": {"width": 2, "depth": 3}, **MORE, "lr": 4, "lr": 5}\nSIZES = [1, 2]\n'
    source += "print(CONFIG, SIZES)\n"
    assert constants_in(source) == {"CONFIG": {"lr": 5}, "SIZES": [1, 2]}
    source = source.replace("**MORE, ", "") + 'CONFIG["net"]["width"] = SIZES[0] = 7\n'
    assert constants_in(source) == {"CONFIG": {"lr": 5, "net": {"depth": 3}}}
    assert '"lr": 4, "lr": 6}' in with_constants(source, {"CONFIG.lr": 6})


def test_what_stands_where_a_script_does_not_run_is_no_constant() -> None:
    assert constants_in('if __name__ != "__main__":\n    RATE = 1\n    print(RATE)\n') == {}


def test_a_list_of_tables_is_no_constant() -> None:
    assert constants_in('RUNS = [{"lr": 1}]\nprint(RUNS)\n') == {}


def test_what_a_script_does_not_read_is_no_constant() -> None:
    assert constants_in('__author__ = "me"\nRATE = EPOCHS = 1\nDEPTH = 2\nprint(f"{DEPTH}")\n') == {"DEPTH": 2}
    assert constants_in("RATE = 1\nprint(globals())\n") == {"RATE": 1}


def test_a_copy_has_texts_that_any_encoding_has() -> None:
    copy = with_constants("# -*- coding: latin-1 -*-\nNAME = 'a'\nprint(NAME)\n", {"NAME": "ü"})
    assert copy == "# -*- coding: latin-1 -*-\nNAME = '\\xfc'\nprint(NAME)\n"


def test_a_copy_has_other_constants_and_all_else_as_it_was() -> None:
    given = {"RATE": 2.0, "CONFIG.optimiser.name": "it's", "CONFIG.epochs": 10, "SIZES": [1]}
    copy = with_constants(SCRIPT, given)
    assert constants_in(copy)["CONFIG"] == {"epochs": 10, "optimiser": {"name": "it's", "decay": 0.001}}
    assert "RATE: float = 2.0  # ü, a step\nSIZES = [1]\n" in copy
    assert with_constants(SCRIPT, {}) == SCRIPT
    assert (
        with_constants(copy, {"RATE": -0.5, "SIZES": [8, 4], "CONFIG.epochs": 3}).replace('"it\'s"', '"sgd"') == SCRIPT
    )


def test_a_run_is_trained_by_a_copy_that_imports_as_the_script_does(tmp_path: Path) -> None:
    model, run = model_in(tmp_path / "model"), tmp_path / "run"
    assert model.trained_by == "train.py"
    assert model.description.hyperparameters["CONFIG.epochs"].type == "int"
    run.mkdir()
    runner = make_runner(model, Slot(0), tmp_path)
    outcome = runner.run(Training({"RATE": 3, "CONFIG.epochs": 1}, run, run / "model.log", "loss", 60.0))
    runner.close()
    assert outcome.metrics == {"loss": 9 + 12 + 1 + 0.25}, (run / "model.log").read_text()
    assert (tmp_path / "model" / "src" / "train.py").read_text() == SCRIPT
    assert "CONFIG.epochs" not in (run / "model.log").read_text()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys\n", "assigns no constant once, as LR = 0.1"),
        ("def (", "no Python that can be read: invalid syntax"),
    ],
)
def test_a_script_without_constants_is_no_file_of_settings(tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "train.py").write_text(source)
    with pytest.raises(InputError, match=words):
        read_settings_file(tmp_path / "train.py")


def test_a_folder_that_is_no_model_yet_is_told_of_them(tmp_path: Path) -> None:
    model_in(tmp_path)
    (tmp_path / "model.toml").unlink()
    with pytest.raises(InputError, match=r'command = \["python", "src/train.py"\], and settings = "src/train.py"'):
        find_model(str(tmp_path), tmp_path, tmp_path, "test")


def test_a_script_that_the_command_does_not_name_is_not_copied_for_nothing(tmp_path: Path) -> None:
    model_in(tmp_path)
    (tmp_path / "src" / "settings.py").write_text("RATE = 1.0\n")
    (tmp_path / "model.toml").write_text(DESCRIBED.replace('settings = "src/train.py"', 'settings = "src/settings.py"'))
    with pytest.raises(InputError, match=r"settings = 'src/settings.py': is no script that the command names"):
        find_model(str(tmp_path), tmp_path, tmp_path, "test")


@pytest.mark.parametrize(
    ("source", "constants"),
    [
        ("def main():\n    rate = 0.1\n    return rate\nmain()\n", {"main": {"rate": 0.1}}),
        (
            "def main():\n    with log():\n        sizes = {'a': 1}\n        return sizes\n",
            {"main": {"sizes": {"a": 1}}},
        ),
        ("def main():\n    rate = 0.1\n    rate *= 2\n    return rate\nmain()\n", {}),
        ("def main(rate):\n    rate = 0.1\n    return rate\nmain(1)\n", {}),
        ("def main():\n    if late():\n        rate = 0.1\n    return rate\nmain()\n", {}),
        ("def main(rate=0.1, *, folds=5):\n    return rate\nmain()\n", {"main": {"rate": 0.1, "folds": 5}}),
        ("def main(rate=0.1, folds=5):\n    return rate\nmain(folds=3)\n", {"main": {"rate": 0.1}}),
        ("def main(rate=0.1, folds=5):\n    return rate\nmain(3)\n", {"main": {"folds": 5}}),
        ("def main(rate=0.1):\n    return rate\nmain(**given)\n", {}),
        ("def main(rate=0.1):\n    return rate\n", {}),
        ("def main(rate=0.1, /, folds=5):\n    return rate\nmain()\n", {"main": {"folds": 5}}),
    ],
)
def test_constants_of_a_function_and_arguments_that_no_call_gives(source: str, constants: dict[str, object]) -> None:
    assert constants_in(source) == constants


@pytest.mark.parametrize(
    ("source", "constants"),
    [
        ("class C:\n    rate: float = 0.1\n    width = 8\nprint(C.rate)\n", {"C": {"rate": 0.1, "width": 8}}),
        ("class C:\n    rate = 0.1\n    width = 8\nC.rate = 5\nprint(C)\n", {"C": {"rate": 5, "width": 8}}),
        ("@dataclass\nclass C:\n    rate: float = field(default=0.1)\nprint(C())\n", {"C": {"rate": 0.1}}),
        ("@dataclass\nclass C:\n    rate: float = 0.1\n    width: int = 8\nprint(C(0.5))\n", {"C": {"width": 8}}),
        ("class C:\n    def __init__(self):\n        self.rate = 0.1\nprint(C().rate)\n", {"C": {"rate": 0.1}}),
        (
            "class C:\n    def __init__(self):\n        self.a = 0.1\n    def on(self):\n        self.a += 1\nC()\n",
            {},
        ),
        ("class C:\n    rate = 0.1\nprint(1)\n", {}),
        ("class C:\n    rate = 0.1\nfor key in given:\n    setattr(C, key, given[key])\nprint(C)\n", {}),
        ("class C:\n    rate = 0.1\none = C()\none.update(given)\nprint(one)\n", {}),
    ],
)
def test_constants_of_a_class_that_sets_a_script(source: str, constants: dict[str, object]) -> None:
    assert constants_in(source) == constants


@pytest.mark.parametrize(
    ("source", "constants"),
    [
        ("forest = Forest(trees=100, kind='a')\nprint(forest)\n", {"forest": {"trees": 100}}),
        (
            "net = pipe(scaled(), Net(width=8, rate=-1e-3).to(place))\nprint(net)\n",
            {"net": {"width": 8, "rate": -0.001}},
        ),
        ("net = pipe(One(width=8), Two(width=9))\nprint(net)\n", {}),
        ("given = Namespace(kind='a', sizes=[1])\nprint(given)\n", {"given": {"kind": "a", "sizes": [1]}}),
        ("given = Namespace(rate=1)\ngiven.rate = 2\nprint(given)\n", {"given": {"rate": 2}}),
        ("given.net.rate = 1\nprint(given)\n", {"given": {"net": {"rate": 1}}}),
        ("given.rate = 1\ngiven.rate = 2\nprint(given)\n", {}),
    ],
)
def test_what_a_call_is_given_by_name_and_an_attribute_are_constants(source: str, constants: dict[str, object]) -> None:
    assert constants_in(source) == constants


def test_of_a_file_that_runs_nothing_others_read_all() -> None:
    assert constants_in('__author__ = "me"\nRATE = 1\nBASE = "x"\nPATH = BASE + "y"\n') == {"RATE": 1, "BASE": "x"}


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ('"src/train.py"', "src/own/settings.py"),
        ('"-u", "-m", "src.train"', "src/own/settings.py"),
        ('"-m", "src.train"', "src/train.py"),
    ],
)
def test_a_module_that_a_script_imports_is_its_settings_whatever_the_package(
    tmp_path: Path, command: str, settings: str
) -> None:
    files = {
        "src/train.py": "import sys\nfrom own.settings import SET\nWEIGHT = 2\nif __name__ == '__main__':\n"
        "    print('loss:', SET['rate'] * WEIGHT, sys.argv[1:], __file__)\n",
        "src/own/__init__.py": "",
        "src/own/settings.py": 'from .more import *  # noqa\nSET = dict(rate=3, name="a")\n',
        "src/own/more.py": "DEPTH = 5\n",
        "model.toml": f'command = ["python", {command}, "word"]\nsettings = "{settings}"\npython_path = ["src"]\n'
        'seed = "seed"\nflags = "name=value"\n[metrics.loss]\nkind = "error"\nprinted = "loss:"\n',
    }
    for name, text in files.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_text(text)
    model, run = find_model(str(tmp_path / "model"), tmp_path, tmp_path, "test"), tmp_path / "run"
    run.mkdir()
    name = "WEIGHT" if settings.endswith("train.py") else "SET.rate"
    assert model.description.hyperparameters[name].type == "int"
    runner = make_runner(model, Slot(0), tmp_path)
    outcome = runner.run(Training({name: 10, "seed": 1}, run, run / "model.log", "loss", 60.0))
    runner.close()
    log = (run / "model.log").read_text()
    assert outcome.metrics == {"loss": 30 if name == "WEIGHT" else 20}, log
    assert f"['word', 'seed=1'] {tmp_path / 'model' / 'src' / 'train.py'}" in log


@pytest.mark.parametrize(
    ("script", "seed"),
    [
        ("def main():\n    seed = 1\n    print(seed)\n\nmain()\n", "main.seed"),
        ("CONFIG = {'data': {'Random_Seed': 1}, 'lr': 0.1}\n", "CONFIG.data.Random_Seed"),
        ("SEED = 1\nCONFIG = {'seed': 1}\n", "SEED"),
        ("CONFIG = {'data': {'seed': 1}, 'net': {'seed': 2}}\n", None),
        ("CONFIG = {'split_seed': 1, 'lr': 0.1}\n", None),
    ],
)
def test_a_seed_is_known_by_its_name_wherever_it_stands_alone(tmp_path: Path, script: str, seed: str | None) -> None:
    (tmp_path / "train.py").write_text(script)
    (tmp_path / "model.toml").write_text('command = ["python", "train.py"]\nsettings = "train.py"\n')
    assert find_model(str(tmp_path), tmp_path, tmp_path, "test").description.seed == seed
