"""Models that a command of their own trains: the words that a run is called by, its settings and links, its metric."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from comparator.drafting.definitions import find_definitions
from comparator.errors import InputError
from comparator.model.description import parse_description
from comparator.model.links import linked, linked_files
from comparator.model.model import Model
from comparator.model.own_files.settings_file import named_settings, read_settings_file, with_values
from comparator.model.references import find_model
from comparator.model.runners.runner import make_runner
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot

#: An ordinary script: flags with hyphens, a switch, a seed, a list, and a number at the end of what it prints.
SCRIPT = """
import argparse
from own.parts import add_units

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, default=0.01, help="step size")
parser.add_argument("--epochs", type=int, default=2, choices=range(9))
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--no-bias", action="store_true")
parser.add_argument("--sizes", type=int, nargs="+", default=[4])
parser.add_argument("--out")
add_units(parser)
given = parser.parse_args()
for epoch in range(given.epochs):
    print(f"epoch {epoch}: test mse: {1 / (epoch + 1)}")
print("test mse:", given.learning_rate * (2 if given.no_bias else 1) + sum(given.sizes) + given.units, "(held out)")
"""
PARTS = 'def add_units(parser):\n    parser.add_argument("--units", type=int, default=0)\n'
DESCRIBED = """
command = ["python", "train.py", "--out", "{run}"]

[metrics.test_mse]
kind = "error"
printed = "test mse: "
"""


def model_of(folder: Path, described: str = DESCRIBED, **files: str) -> Model:
    """The model of a folder with these files, a `__` in whose names stands for `/`."""
    own = {"train.py": SCRIPT, "own/parts.py": PARTS, "model.toml": described}
    for name, text in {**own, **{name.replace("__", "/"): text for name, text in files.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return find_model(str(folder), folder, folder, "test")


def run_of(model: Model, folder: Path, metric: str, **given: Any) -> Outcome:
    folder.mkdir(exist_ok=True)
    runner = make_runner(model, Slot(0), folder)
    try:
        return runner.run(Training(given, folder, folder / "model.log", metric, 60.0))
    finally:
        runner.close()


def called(model: Model, **given: Any) -> list[str]:
    assert model.own_command is not None
    return model.own_command.call(given, Path("/data"), Path("/run"))


def test_an_ordinary_script_is_a_model_without_a_script_of_ours(tmp_path: Path) -> None:
    model = model_of(tmp_path / "model")
    known = model.description.hyperparameters
    assert list(known) == ["learning_rate", "epochs", "seed", "no_bias", "sizes", "units"]
    assert (known["learning_rate"].type, known["learning_rate"].description) == ("float", "step size")
    assert model.description.seed == "seed"
    found = find_definitions(model, Slot(0), tmp_path)
    assert (found["learning_rate"].default, found["no_bias"].type) == (0.01, "bool")
    outcome = run_of(model, tmp_path / "run", "test_mse", learning_rate=0.5, no_bias=True, sizes=[1, 2], epochs=1)
    assert (outcome.status, outcome.metrics) == ("ok", {"test_mse": 4.0})


def test_words_are_those_that_the_script_reads(tmp_path: Path) -> None:
    words = called(model_of(tmp_path), Learning_Rate=-1e-05, no_bias=False, sizes="4 8", epochs=None, other=True)
    script = str(tmp_path / "train.py")
    assert words[:4] == ["python", script, "--out", "/run"]
    assert words[4:] == ["--learning-rate=-0.00001", "--sizes", "4", "8", "--other", "True"]


def test_small_numbers_below_0_reach_a_script_that_takes_several_or_has_one_hyphen(tmp_path: Path) -> None:
    script = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("-lr", type=float)
parser.add_argument("--shifts", type=float, nargs="+")
given = parser.parse_args()
assert given.lr == -1e-05
print("test mse:", 1e6 * given.shifts[0])
"""
    model = model_of(
        tmp_path / "model", 'command = ["python", "train.py"]\n' + DESCRIBED.split("\n\n")[1], **{"train.py": script}
    )
    outcome = run_of(model, tmp_path / "run", "test_mse", lr=-1e-05, shifts=[-2.5e-07, 3.0])
    assert (outcome.status, outcome.metrics) == ("ok", {"test_mse": -0.25}), outcome.reason


def test_places_hold_hyperparameters_folders_and_paths_of_the_model(tmp_path: Path) -> None:
    described = """
command = ["./fit", "-a", "{alpha}", "lr={model.lr}", "--on={data}/x", "--from=tables/x.csv", "tables/", "tables"]
flags = "-name value"
[hyperparameters.alpha]
default = 0.5
"""
    model = model_of(tmp_path, described, fit="", tables__x="", **{"tables__x.csv": ""})
    (tmp_path / "fit").chmod(0o755)
    own, table = str(tmp_path / "fit"), str(tmp_path / "tables")
    assert called(model) == [own, "-a", "0.5", "--on=/data/x", f"--from={table}/x.csv", table, "tables"]
    given = called(model, **{"ALPHA": 2, "model.lr": 0.1, "depth": 3})
    assert given[1:4] == ["-a", "2", "lr=0.1"] and given[-2:] == ["-depth", "3"]
    assert list(model.description.hyperparameters) == ["alpha", "model.lr"]
    assert called(model, alpha=None)[1:3] == ["-a", "0.5"]  # else what follows would be in its place


def test_a_program_need_not_be_executable_and_a_shell_has_variables_of_its_own(tmp_path: Path) -> None:
    described = 'command = ["./fit.sh", "-x", "${HOME}/{alpha}"]\n[hyperparameters.alpha]\ndefault = 1\n'
    words = called(model_of(tmp_path, described, **{"fit.sh": "#!/bin/sh -e\n"}))
    assert words == ["/bin/sh", "-e", str(tmp_path / "fit.sh"), "-x", "${HOME}/1"]


def test_settings_of_hydra_are_given_as_it_takes_them(tmp_path: Path) -> None:
    script = '@hydra.main(config_path="../conf", config_name="main")\ndef train(cfg): ...\n'
    files = {
        "src__go.py": script,
        "conf__main.yaml": "defaults:\n  - _self_\n  - net: small\nseed: 3\ndata: ${here}/x\n",
        "conf__net__small.yaml": "_target_: Net\nwidth: 8\n",
    }
    described = 'command = ["python", "src/go.py", "data=1"]\n'
    model = model_of(tmp_path, described, **files)
    assert list(model.description.hyperparameters) == ["seed", "net.width"]
    assert called(model, **{"net.width": 16})[2:] == ["data=1", "net.width=16"]


def test_a_run_has_settings_of_its_own_and_links_around_them(tmp_path: Path) -> None:
    script = """
import pathlib, yaml
given = yaml.safe_load(open("conf/base.yaml"))
print("score =", given["net"]["width"] + given["runs"][0]["lr"] + len(pathlib.Path("conf/more.txt").read_text()), "%")
pathlib.Path("../left.txt").write_text(str(given["name"]))
"""
    described = """
command = ["python", "go.py"]
start_in = "src"
settings = "src/conf/base.yaml"
links = ["src/conf"]
[metrics.score]
kind = "score"
printed = "score ="
"""
    base = "name: é\nnet: {width: 8, depth: 2}\nruns:\n  - lr: 1e-1\n"
    files = {"src__go.py": script, "src__conf__base.yaml": base, "src__conf__more.txt": "abc"}
    model = model_of(tmp_path / "model", described, **files)
    assert list(model.description.hyperparameters) == ["name", "net.width", "net.depth", "runs.0.lr"]
    run = tmp_path / "run"
    outcome = run_of(model, run, "score", **{"Net.Width": 16, "runs.0.lr": 0.5})
    assert (outcome.status, outcome.metrics) == ("ok", {"score": 19.5})
    assert (run / "left.txt").read_text() == "é"
    assert (tmp_path / "model" / "src" / "conf" / "base.yaml").read_text() == base
    assert [path.name for path in (run / "src" / "conf").iterdir()] == ["base.yaml"]  # the links are gone


@pytest.mark.parametrize(
    ("ending", "text", "again"),
    [
        (".json", '{"net": {"width": 8}, "a-b": 1, "name": "x"}', {"net": {"width": 9}, "a-b": 1, "name": "x"}),
        (".yaml", "net: {width: 8}\nname: x\nlr: 1e-4\n", {"net": {"width": 9}, "name": "x", "lr": "1e-4"}),
    ],
)
def test_a_copy_of_settings_is_the_same_but_for_what_is_given(
    tmp_path: Path, ending: str, text: str, again: dict[str, Any]
) -> None:
    file = tmp_path / f"settings{ending}"
    file.write_text(text)
    content = read_settings_file(file)
    assert dict(named_settings(content))["net.width"] == 8
    file.write_text(with_values(file, read_settings_file(file), {"net.width": 9}))
    assert read_settings_file(file) == again


def test_what_an_alias_repeats_is_a_setting_of_each_place(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("a: &same {lr: 0.1, sizes: [1]}\nb: *same\nruns: [*same, *same]\n")
    file.write_text(with_values(file, read_settings_file(file), {"b.lr": 0.5, "runs.1.lr": 0.7}))
    assert dict(named_settings(read_settings_file(file))) == {
        **{"a.lr": 0.1, "b.lr": 0.5, "runs.0.lr": 0.1, "runs.1.lr": 0.7},
        **{f"{place}.sizes": [1] for place in ("a", "b", "runs.0", "runs.1")},
    }


#: Words of which readers of YAML 1.1 and of YAML 1.2 make different things.
READ_IN_TWO_WAYS = """mode: 0644
flag: no
Switch: ON
big: 1_000
at: 12:30:00
lr: 1e-4
octal: 0o17
quoted: '0644'
text: "no"
"yes": 3
off: 2
net:
  rate: 1e-3
  sizes:
  - 1_0
  - 0b11
  - 12:30
  "on": yes
"""


def test_what_is_not_given_of_a_yaml_file_is_written_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(READ_IN_TWO_WAYS)
    assert with_values(file, read_settings_file(file), {}) == READ_IN_TWO_WAYS
    unchanged = {"mode": 420, "flag": False, "at": 45000, "net.rate": "1e-3"}
    assert with_values(file, read_settings_file(file), unchanged) == READ_IN_TWO_WAYS
    file.write_text(f"%YAML 1.2\n---\n{READ_IN_TWO_WAYS}")
    assert with_values(file, read_settings_file(file), {}) == file.read_text()


@pytest.mark.parametrize(
    ("name", "value", "before", "after"),
    [
        ("flag", True, "flag: no", "flag: yes"),
        ("Switch", False, "Switch: ON", "Switch: OFF"),
        ("text", True, 'text: "no"', "text: true"),
        ("text", "off", 'text: "no"', "text: 'off'"),
        ("quoted", "1e-4", "'0644'", "'1e-4'"),
        ("quoted", "0o17", "'0644'", "'0o17'"),
        ("quoted", "0644", "'0644'", "'0644'"),
        ("mode", "12:30:00", "0644", "'12:30:00'"),
        ("mode", 1000, "0644", "1000"),
        ("lr", 1e-5, "lr: 1e-4", "lr: 1.0e-05"),
        ("net.rate", 2e-3, "rate: 1e-3", "rate: 0.002"),
    ],
)
def test_what_is_given_to_a_yaml_file_means_one_thing_to_every_reader(
    name: str, value: Any, before: str, after: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(READ_IN_TWO_WAYS)
    text = with_values(file, read_settings_file(file), {name: value})
    assert text == READ_IN_TWO_WAYS.replace(before, after, 1)
    file.write_text(text)
    read: Any = read_settings_file(file)
    for key in name.split("."):
        read = read[key]
    assert read == value and type(read) is type(value)


def test_what_is_merged_into_a_yaml_table_is_a_setting_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("base: &base {mode: 0644, lr: 1}\nnet: {<<: *base, lr: 2}\n")
    assert (
        with_values(file, read_settings_file(file), {"net.mode": 3})
        == "base:\n  mode: 0644\n  lr: 1\nnet:\n  mode: 3\n  lr: 2\n"
    )


def test_a_copy_of_an_ini_file_has_its_words_as_they_are_written(tmp_path: Path) -> None:
    net = "[net]\nact = relu\nkind = 'a'\nsizes = 1,2\nname = \"q\"\nflags = [1]\nlong = x\n    y\n"
    text = f"[DEFAULT]\nbase = /d\n\n{net}"
    file = tmp_path / "settings.ini"
    file.write_text(text)
    content = read_settings_file(file)
    assert [name for name, _ in named_settings(content)][:2] == ["DEFAULT.base", "net.act"]
    assert with_values(file, read_settings_file(file), {}) == text
    given = {"DEFAULT.base": "/e", "net.act": "tanh", "net.kind": "b", "net.sizes": [3, 4], "net.flags": [2, 3]}
    assert with_values(file, read_settings_file(file), given) == (
        text.replace("/d", "/e").replace("relu", "tanh").replace("'a'", "'b'").replace("1,2", "3, 4")
    ).replace("[1]", "[2, 3]")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "a: &a {b: *a}", r"a\.yaml: no YAML that can be read: "),
        ("a.yaml", "how: !mine {}", r"a\.yaml: no YAML that can be read: could not determine a constructor"),
        ("a.json", "{", r"a\.json: no JSON: Expecting property name"),
        ("a.yaml", "- 1", "has no names with values"),
        ("a.ini", "x = 1", "File contains no section headers"),
    ],
)
def test_settings_that_cannot_be_read_are_a_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        model_of(tmp_path, f'command = ["python", "train.py"]\nsettings = "{name}"\n')


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ("command = []\n", "'command' = .*must not be empty"),
        ('command = ["a"]\nconvention = "candle"\n', "'command' and 'convention' say two ways to call it"),
        ('command = ["a"]\nmodule = "b"\n', "'command' and 'module' say two ways to call it"),
        ('start_in = "src"\n', r"'start_in' belongs to command = \[\.\.\.\], which is not there"),
        ('command = ["a"]\nstart_in = "src"\n', "start_in = 'src': no folder "),
        (
            'command = ["python", "trian.py"]\n',
            r"command: 'trian.py': no file .*trian.py \(did you mean 'train.py'\?\)",
        ),
        ('command = ["python", "-u", "trian.py"]\n', r"command: 'trian.py': no file .*trian.py \(did you mean"),
        ('command = [""]\n', r"command = \[''\]: its first word is empty"),
        ('command = ["python", " "]\n', "its second word is empty"),
        ('command = ["a"]\nflags = "-x"\n', "'flags' = '-x': must be '--name value'"),
        (
            'command = ["a", "{alpha}"]\n',
            r"'\{alpha\}' is nothing that can be left out .*\[hyperparameters.alpha\] default = ",
        ),
        ('command = ["sh", "-c", "go --x={alpha} b"]\n', r"'\{alpha\}' is nothing that can be left out"),
        ('command = ["a", "--out={rnu}"]\n', r"'\{rnu\}' is no hyperparameter that is known \(did you mean 'run'\?\)"),
        ('command = ["a"]\nfolders = ["../x"]\n', r"'\.\./x' is not below the folder of a run"),
        ('command = ["a"]\nlinks = ["data"]\n', "links: 'data': there is none in "),
        ('command = ["a"]\n[metrics.m]\nkind = "error"\nprinted = "("\n', "no regular expression: missing"),
        ('command = ["a"]\n[metrics.m]\nkind = "error"\nprinted = "(a)(b)"\n', "has 2 groups; the number is one"),
        ('command = ["a"]\n[metrics.m]\nkind = "error"\nkey = "a"\n', "key is the name of a number in a file"),
        ('command = ["a"]\n[metrics.m]\nkind = "error"\nprinted = "a"\nfile = "b"\nkey = "c"\n', "leave one of them"),
    ],
)
def test_a_command_that_cannot_be_called_is_a_line(tmp_path: Path, described: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        model_of(tmp_path, described)
    assert "\n" not in str(refused.value)


def test_a_python_file_has_no_command(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def run(params): return 1.0\n")
    (tmp_path / "mine.toml").write_text('command = ["python", "mine.py"]\n')
    with pytest.raises(InputError, match=r"mine\.toml: command: .*mine\.py is no folder"):
        find_model("mine.py", tmp_path, tmp_path, "test")


def test_a_folder_that_is_none_is_told_what_of_it_may_be_called(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "parts.py").write_text(PARTS)
    (tmp_path / "src" / "train_all.py").write_text(SCRIPT)
    (tmp_path / "plot.py").write_text(SCRIPT)
    (tmp_path / "setup.py").write_text(SCRIPT)
    says = r'a model\.toml with command = \["python", "src/train_all\.py"\] makes it one \(or plot\.py\)$'
    with pytest.raises(InputError, match=says):
        find_model(str(tmp_path), tmp_path, tmp_path, "test")


@pytest.mark.parametrize(
    "command",
    [
        'command = ["python", "../clone/train.py", "--config", "../clone/conf/a.yaml"]',
        'command = ["python", "train.py", "--config=conf/a.yaml"]\nstart_in = "../clone"',
        'command = ["python", "-m", "train"]\nstart_in = "../clone"\nsettings = "../clone/conf/a.yaml"',
    ],
)
def test_what_a_command_names_of_elsewhere_is_of_the_models_identity(tmp_path: Path, command: str) -> None:
    clone, seen = tmp_path / "clone", set()
    for name, text in {"train.py": SCRIPT, "own/parts.py": PARTS, "conf/a.yaml": "a: 1\n", "left.txt": ""}.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(text)

    def identity() -> str:
        return model_of(tmp_path / "model", f"{command}\nreads = []\n").identity

    seen.add(identity())
    for name in ("train.py", "own/parts.py", "conf/a.yaml"):
        (clone / name).write_text((clone / name).read_text() + "# another\n")
        assert identity() not in seen, name
        seen.add(identity())
    (clone / "left.txt").write_text("another")
    assert identity() in seen


def test_links_lie_where_the_model_has_them_and_go_with_the_run(tmp_path: Path) -> None:
    model, run, beside = tmp_path / "model", tmp_path / "run", tmp_path / "clone"
    for file in (model / "data" / "x.csv", model / "deep" / "y.txt", beside / "vocabulary" / "v.txt"):
        file.parent.mkdir(parents=True)
        file.write_text(file.name)
    run.mkdir()
    (run / "deep").mkdir()
    files = linked_files(model, ["data/", "*/*.txt", "../clone/vocabulary"], "model.toml")
    with linked(files, run):
        found = [(run / name).read_text() for name in ("data/x.csv", "deep/y.txt", "vocabulary/v.txt")]
        assert found == ["x.csv", "y.txt", "v.txt"]
        (run / "data" / "made.txt").write_text("")  # as in the model's own folder
    assert [path.name for path in run.iterdir()] == ["deep"]
    assert (model / "data" / "made.txt").is_file()


LINES = "loss: 2\nacc 0.5\nVal loss=1.5, done\nVal loss=nan\nAUC (0.71, 0.92)\nshare 81.25%\nmean tensor(0.25)\n"
LINES += "sum 1,234.5\nhalf 0.5,2\n"


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ('printed = "^loss: "', 2.0),
        ('printed = "acc"', 0.5),
        ('printed = "Val loss="', None),  # the last one counts
        ('printed = "AUC .*, "', 0.92),
        ("printed = 'AUC \\((\\S+),'", 0.71),
        ('printed = "share "', 81.25),
        ('printed = "mean"', 0.25),
        ('printed = "half"', 0.5),
        ('printed = "sum"', "printed = 'sum': no number follows"),
        ('file = "one.txt"', 0.125),
        ('file = "a/*/metrics.csv"\nkey = "val/loss"', 0.75),
        ('file = "a/0/scores.json"\nkey = "test.auc"', 0.875),
        ('file = "a/0/log.jsonl"\nkey = "val.auc"', 0.625),
        ('file = "a/0/history.json"\nkey = "val_loss"', 0.25),
        ('file = "a/0/state.json"\nkey = "log.loss"', 0.5),
        ('file = "a/0/rows.json"\nkey = "loss"', 1.5),
        ('file = "a/0/set.toml"\nkey = "test.mse"', 3.0),
        ('file = "mlruns/*/metrics/loss"', 0.375),
        ('file = "a/*.txt"\nprinted = "MSE: "', 0.75),
        ('file = "a/*.ckpt"\nprinted = "loss="', 0.12),
        ('file = "a/*.ckpt"\nprinted = "mse="', r"epoch=1-loss=0.12.ckpt: printed = 'mse=': is nowhere in it"),
        ('file = "a/0/set.toml"\nkey = "mse"', r"no number called 'mse' \(did you mean 'test.mse'\?\)"),
        ('file = "a/0/scores.json"\nkey = "large"', r"no number called 'large'"),
        ('printed = "r2: "', "printed = 'r2: ': is nowhere in what it printed"),
        ('printed = "don"', "printed = 'don': no number follows"),
        ('file = "no.csv"', "file = 'no.csv': it wrote none"),
        ('file = "a/0/scores.json"\nkey = "tset.auc"', r"no number called 'tset.auc' \(did you mean 'test.auc'\?\)"),
    ],
)
def test_a_metric_is_read_where_the_description_says(tmp_path: Path, place: str, found: float | str | None) -> None:
    script = f"""
import pathlib
print({LINES!r}, end="")
folder = pathlib.Path("a/0")
folder.mkdir(parents=True)
pathlib.Path("one.txt").write_text("0.125\\\\n")
(folder / "metrics.csv").write_text("epoch,val/loss,x\\\\n0,0.9,\\\\n1,0.75,\\\\n2,,1\\\\n")
(folder / "log.jsonl").write_text('{{"val": {{"auc": 0.5}}}}\\n{{"val": {{"auc": 0.625}}}}\\n{{"x": 1}}\\n')
(folder / "history.json").write_text('{{"val_loss": [0.5, 0.25]}}')
(folder / "state.json").write_text('{{"log": [{{"loss": 1.0}}, {{"loss": 0.5}}, {{"at": true}}]}}')
(folder / "rows.json").write_text('[{{"loss": 2}}, {{"loss": 1.5}}]')
(folder / "set.toml").write_text("[test]\\nmse = 3\\n")
(folder.parent / "scores.txt").write_text("MSE: 1.5, R2: 2\\nMSE: 0.75, R2: 3\\n")
(folder.parent / "epoch=1-loss=0.12.ckpt").write_bytes(bytes(range(256)))
metric = pathlib.Path("mlruns/7/metrics")
metric.mkdir(parents=True)
(metric / "loss").write_text("1700000000000 0.5 0\\n1700000000001 0.375 1\\n")
(folder / "scores.json").write_text('{{"test": {{"auc": 0.875}}, "large": 1' + "0" * 400 + "}}")
""".replace("\\\\n", "\\n")
    described = f'command = ["{sys.executable}", "go.py"]\n[metrics.m]\nkind = "error"\n{place}\n'
    outcome = run_of(model_of(tmp_path / "model", described, **{"go.py": script}), tmp_path / "run", "m")
    if isinstance(found, str):
        assert outcome.status == "failed" and outcome.reason is not None
        assert re.search(found, outcome.reason)
    else:
        assert outcome.metrics["m"] == found


def test_a_command_that_fails_or_is_not_there_is_said_in_its_own_words(tmp_path: Path) -> None:
    model = model_of(tmp_path / "model")
    outcome = run_of(model, tmp_path / "a", "test_mse", epochs=12)
    assert outcome.status == "failed" and "invalid choice: 12" in str(outcome.reason)
    outcome = run_of(model, tmp_path / "b", "other")
    assert outcome.status == "ok" and "other" not in outcome.metrics
    missing = model_of(tmp_path / "more", 'command = ["no_such_program"]\n')
    outcome = run_of(missing, tmp_path / "c", "m")
    assert outcome.status == "failed" and "no_such_program" in str(outcome.reason)


def test_links_of_other_models_are_part_of_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    table = tmp_path / "clone" / "table.csv"
    table.write_text("1")
    described = DESCRIBED.replace("[metrics", 'links = ["../clone/table.csv"]\n[metrics', 1)
    first = model_of(tmp_path / "model", described).identity
    table.write_text("2")
    assert model_of(tmp_path / "model", described).identity != first


def test_a_description_says_where_a_metric_stands_whatever_trains_it() -> None:
    described = parse_description('[metrics.m]\nkind = "score"\nprinted = "m="\n', "model.toml")
    assert described.metrics["m"].printed == "m="


def test_a_module_of_the_repository_is_run_as_one_and_its_flags_are_read(tmp_path: Path) -> None:
    described = DESCRIBED.replace('"train.py"', '"-m", "own.train"').replace(
        "[metrics", 'start_in = "src"\n[metrics', 1
    )
    files = {"src__own__train.py": SCRIPT, "src__own__parts.py": PARTS, "src__own__more.py": ""}
    model = model_of(tmp_path / "model", described, **files)
    assert "units" in model.description.hyperparameters
    assert run_of(model, tmp_path / "run", "test_mse", units=3).metrics == {"test_mse": 7.01}


def test_a_clone_is_called_from_a_folder_beside_it(tmp_path: Path) -> None:
    model_of(tmp_path / "clone")
    (tmp_path / "mine").mkdir()
    described = 'code = ["../clone"]\nlinks = ["../clone/own"]\n' + DESCRIBED.replace(
        '"train.py"', '"../clone/train.py"'
    )
    (tmp_path / "mine" / "model.toml").write_text(described)
    model = find_model("mine", tmp_path, tmp_path, "test")
    assert "units" in model.description.hyperparameters
    assert run_of(model, tmp_path / "run", "test_mse", units=3).metrics == {"test_mse": 7.01}


def test_a_run_has_the_folders_that_its_script_writes_into(tmp_path: Path) -> None:
    script = 'open("results/deep/x.txt", "w")\nprint("IMPROVE_RESULT m: 1")\n'
    described = 'command = ["python", "go.py"]\nfolders = ["results/deep"]\n'
    model = model_of(tmp_path / "model", described, **{"go.py": script})
    assert run_of(model, tmp_path / "run", "m").metrics == {"m": 1.0}
    assert (tmp_path / "run" / "results" / "deep" / "x.txt").is_file()


def test_a_module_is_given_no_links(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def run(params): return 1.0\n")
    (tmp_path / "mine.toml").write_text('links = ["mine.py"]\n')
    with pytest.raises(InputError, match=r"mine\.toml: links, folders: a module is given none"):
        find_model("mine.py", tmp_path, tmp_path, "test")


def test_a_train_sh_finds_links_where_it_works(tmp_path: Path) -> None:
    script = 'import sys\nprint("IMPROVE_RESULT val_loss:", open("own/parts.txt").read())\n'
    (tmp_path / "model" / "own").mkdir(parents=True)
    (tmp_path / "model" / "own" / "parts.txt").write_text("0.5")
    (tmp_path / "model" / "go.py").write_text(script)
    (tmp_path / "model" / "train.sh").write_text('python "$IMPROVE_MODEL_DIR/go.py"\n')
    (tmp_path / "model" / "model.toml").write_text('links = ["own"]\n')
    model = find_model("model", tmp_path, tmp_path, "test")
    assert run_of(model, tmp_path / "run", "val_loss").metrics == {"val_loss": 0.5}


def test_a_copy_of_a_toml_file_has_the_values_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text(
        'lr = 1e-3\nwhen = 2024-01-02\n[net]\n"a b" = "x\\ty"\nsizes = [1]\n[[runs]]\nok = true\nseed = 1\n'
    )
    content = read_settings_file(path)
    assert [name for name, _ in named_settings(content)] == ["lr", "when", "net.sizes", "runs.0.ok", "runs.0.seed"]
    path.write_text(with_values(path, content, {"lr": 0.5, "net.sizes": [3], "runs.0.seed": 7}))
    net = {"a b": "x\ty", "sizes": [3]}
    assert read_settings_file(path) == {**content, "lr": 0.5, "net": net, "runs": [{"ok": True, "seed": 7}]}
    path.write_text("lr = ")
    with pytest.raises(InputError, match=r"set.toml: no TOML: "):
        read_settings_file(path)
