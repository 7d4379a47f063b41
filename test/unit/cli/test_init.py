"""`comparator init`: from two models to an experiment file, by flags and by questions."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from desk import COMPARATOR, QUICK, Desk

from comparator.model.description import read_toml

RIDGE = """
def initialize_parameters():
    return {"noise": 0.0, "width": 64, "epochs": 5, "rng_seed": 1}

def run(params):
    return {"rmse": 0.1 + params["noise"] + SHIFT, "rows": 3.0}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write("ridge.py", RIDGE.replace("SHIFT", "0"))
    desk.write("forest.py", RIDGE.replace("SHIFT", "0.001 * params['width']"))
    return desk


@pytest.mark.long
def test_two_models_of_ones_own_become_a_file_that_runs(desk: Desk) -> None:
    (desk.folder / "made").mkdir()
    done = desk.run("init", "ridge.py", "forest.py", "--yes", "--evaluations", "9", "--output", "made/mine.toml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "made/mine.toml: is written"
    assert done.stdout.splitlines()[-1].endswith("comparator search made/mine.toml")
    assert read_toml(desk.folder / "made" / "mine.toml") == {
        "cmp": {"models": ["../ridge.py", "../forest.py"], "metric": "rmse"},
        "search": {"find": "both", "evaluations": 9},
        "space": {
            "noise": {"type": "float", "lower": 0, "upper": 1},
            "width": {"type": "int", "lower": 16, "upper": 256, "use_log_scale": True},
        },
        "set": {},
    }
    ran = desk.search("made/mine.toml", "--set", "confirm.points=0", "--set", "search.strategy=random")
    assert ran.returncode == 0, ran.stderr
    assert len(desk.records("mine-1")) == 9


def test_flags_say_all_that_is_asked_and_a_single_model_is_searched(desk: Desk) -> None:
    words = ["--metric", "val_loss", "--no-try", "--vary", "noise=0:5", "--set", "size=20"]
    done = desk.run("init", str(QUICK), *words)
    assert done.returncode == 0, done.stderr
    content = read_toml(desk.folder / "search-quick.toml")
    assert content["model"] == os.path.relpath(QUICK, desk.folder)
    assert (content["metric"], content["set"]) == ("val_loss", {"size": 20})
    assert list(content["space"]) == ["noise"]


def test_two_copies_of_one_model_need_what_sets_them_apart(desk: Desk) -> None:
    refused = desk.run("init", "ridge.py", "ridge.py", "--yes")
    assert refused.returncode == 2
    assert "give --set cmp_0_NAME=VALUE" in refused.stderr
    apart = ["--set", "cmp_0_width=8", "--set", "cmp_1_width=64"]
    done = desk.run("init", "ridge.py", "ridge.py", *apart, "--vary", "noise", "--metric", "rmse")
    assert done.returncode == 0, done.stderr
    assert "Where do width 8 and width 64 differ in rmse?" in done.stdout
    assert read_toml(desk.folder / "compare-ridge.toml")["set"] == {"cmp_0_width": 8, "cmp_1_width": 64}


def test_functions_of_one_file_are_two_models(desk: Desk) -> None:
    desk.write(
        "two.py", "def low(noise=0.0, seed=1):\n    return noise\n\ndef high(params):\n    return params['noise'] + 1\n"
    )
    done = desk.run("init", "two.py:low", "two.py:high", "--yes")
    assert done.returncode == 0, done.stderr
    content = read_toml(desk.folder / "compare-low-high.toml")
    assert content["cmp"]["models"] == ["two_low.py", "two_high.py"]
    assert content["cmp"]["labels"] == ["low", "high"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ridge.py", "forest.py"], "nobody can be asked here; give --vary NAME=LOWER:UPPER, or --yes for noise=0:1"),
        ([], "nobody can be asked here; give FIRST SECOND"),
        (["ridge.py", "forest.py", "ridge.py"], "3 models are given; two are compared, and one is searched"),
        (["ridge.py", "nowhere.py", "--yes"], "no model at"),
        (["ridge.py", "two.py:low", "--yes"], "two.py: no such file"),
        (["ridge.py", "forest.py", "--yes", "--metric", "rms", "--try"], "is not reported (did you mean 'rmse'?)"),
        (["ridge.py", "forest.py", "--yes", "--output", "none/mine.toml"], "there is no folder"),
        (["ridge.py", "forest.py", "--yes", "--output", "mine.json"], "an experiment file is called NAME.toml"),
        (["ridge.py", "forest.py", "--yes", "--output", "quick.toml"], "quick.toml: is there already; --output"),
        (["ridge.py", "forest.py", "--vary", "noise=0:1", "--set", "NOISE=3"], "--set NOISE=3 sets it; leave one of"),
        (["ridge.py", "forest.py", "--vary", "epochs=3"], "nothing is varied; give --vary NAME=LOWER:UPPER"),
        (
            ["ridge.py", "forest.py", "--yes", "--no-try", "--vary", "nose=0:5"],
            "nose=0:5: no such hyperparameter (did you mean 'noise'?)",
        ),
        (
            ["ridge.py", "forest.py", "--yes", "--no-try", "--vary", "momentum=0:5"],
            "momentum=0:5: no such hyperparameter; there are ",
        ),
        (
            ["ridge.py", "forest.py", "--yes", "--no-try", "--vary", "cmp_0_momentum=0:5"],
            "cmp_0_momentum=0:5: no such hyperparameter; there are ",
        ),
        (
            ["ridge.py", "forest.py", "--vary", "noise=0:5", "--set", "epoch=3", "--yes"],
            "--set epoch=...: no such hyperparameter (did you mean 'epochs'?)",
        ),
        (
            ["ridge.py", "forest.py", "--vary", "noise=0:5", "--set", "cmp_1_widht=3", "--yes"],
            "--set widht=...: no such hyperparameter (did you mean 'width'?)",
        ),
        (
            ["ridge.py", "forest.py", "--vary", "noise=0:5", "--set", "search.seed=3", "--yes"],
            "it is a key of the file, 'seed' in [search]",
        ),
        (
            ["ridge.py", "forest.py", "--vary", "noise=0:5", "--set", "hyperparameters.width=3", "--yes"],
            "by its name alone: --set width=...",
        ),
        (  # what only the file as a whole tells
            ["ridge.py", "forest.py", "--vary", "noise=0:5", "--set", "config_file=x.txt", "--yes"],
            "config_file = 'x.txt': no such file",
        ),
        (["ridge.py", "forest.py", "--find", "region"], "(did you mean 'regions'?)"),
        (["ridge.py", "broken.py", "--yes"], "KeyError: 'gone'; where it lacks a value, --set NAME=VALUE gives it"),
        (["ridge.py", "lacking.py", "--yes"], "No module named 'not_there'; a Python that has it is named by python ="),
    ],
)
def test_what_cannot_be_drafted_is_one_line_and_leaves_nothing(desk: Desk, words: list[str], said: str) -> None:
    desk.write("broken.py", "def run(params):\n    return {}['gone']\n")
    desk.write("lacking.py", "def run(params):\n    import not_there\n")
    before = {path: path.read_bytes() for path in desk.folder.glob("*.*")}
    done = desk.run("init", *words)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert done.stderr.count("\n") == 1 + done.stderr.count("note:")
    left = {path: path.read_bytes() for path in desk.folder.glob("*.*") if not path.name.startswith(".std")}
    assert {**left} == {path: text for path, text in before.items() if not path.name.startswith(".std")}


def test_a_script_whose_number_is_not_found_says_how_to_name_it(desk: Desk) -> None:
    (desk.folder / "silent").mkdir()
    desk.write("silent/train.py", "print('final loss: 0.3')\n")
    desk.write("silent/model.toml", 'command = ["python", "train.py"]\n')
    done = desk.run("init", "silent", "--vary", "noise=0:1", "--yes")
    assert done.returncode == 2, done.stdout
    assert "printed = 'WORDS BEFORE IT' in " in done.stderr
    assert "the last that it printed: final loss: 0.3" in done.stderr


def test_the_seed_that_a_search_gives_is_not_offered_to_be_set(desk: Desk) -> None:
    (desk.folder / "seeded").mkdir()
    flags = [f"parser.add_argument('--{name}', type=int, default=8)" for name in ("width", "other", "seed")]
    script = ["import argparse", "parser = argparse.ArgumentParser()", *flags, "parser.parse_args()"]
    desk.write("seeded/train.py", "\n".join(script))
    desk.write("seeded/model.toml", 'command = ["python", "train.py"]\n')
    done = desk.run("init", "seeded", "--vary", "width", "--metric", "val_loss", "--output", "seeded.toml")
    assert done.returncode == 0, done.stderr
    text = (desk.folder / "seeded.toml").read_text()
    assert "# other = 8" in text and "seed = 8" not in text


def test_force_writes_over_a_file_that_is_there(desk: Desk) -> None:
    words = ["init", "ridge.py", "forest.py", "--vary", "noise", "--metric", "rmse", "--output", "quick.toml"]
    assert desk.run(*words).returncode == 2
    assert desk.run(*words, "--force").returncode == 0
    assert read_toml(desk.folder / "quick.toml")["cmp"]["metric"] == "rmse"


PATIENCE = 10.0  # seconds


class Typist:
    """Someone at a terminal, who types when they are asked."""

    def __init__(self, desk: Desk, *words: str) -> None:
        ours, theirs = pty.openpty()
        self._end, self.said = ours, ""
        self.process = subprocess.Popen(
            [*COMPARATOR, *words],
            cwd=desk.folder,
            env={**desk.environment, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(theirs)

    def read_until(self, words: str) -> None:
        while words not in self.said:
            self._read()

    def _read(self) -> None:
        read = os.read(self._end, 1 << 16).decode()
        assert read, self.said
        self.said += read

    def type(self, words: str) -> None:
        self.said = ""
        os.write(self._end, words.encode())

    def press_ctrl_c(self, said: str) -> None:
        """Until it is answered: Python looks at no signal that comes between a prompt and the read of its answer."""
        while said not in self.said:
            os.kill(self.process.pid, signal.SIGINT)
            while said not in self.said and select.select([self._end], [], [], PATIENCE)[0]:
                self._read()

    def end(self) -> int:
        code = self.process.wait(300)
        os.close(self._end)
        return code


@pytest.mark.long
def test_questions_have_defaults_that_enter_takes(desk: Desk) -> None:
    typist = Typist(desk, "init")
    typist.read_until("First model")
    typist.type("ridge.py\n")
    typist.read_until("Second model")
    typist.type("forest.py\n")
    typist.read_until("[noise=0:1 width=16:256:log]")
    typist.type("noise=0:2\n")
    typist.read_until("[yes]")
    typist.type("\n")
    typist.read_until("[rmse]")
    typist.type("\n")
    typist.read_until("run it by:")
    assert typist.end() == 0
    content = read_toml(desk.folder / "compare-ridge-forest.toml")
    assert content["space"] == {"noise": {"type": "float", "lower": 0, "upper": 2}}


@pytest.mark.long
def test_an_answer_that_cannot_be_taken_is_told_and_asked_for_again(desk: Desk) -> None:
    typist = Typist(desk, "init")
    answers = [
        ("First model", "rigde.py", "no model at"),
        ("First model", "ridge.py", ""),
        ("Second model", "forest.py", ""),
        ("What is varied", "'noise=0:1", "a quote is not closed"),
        ("What is varied", "noise=5:1", "is above 'upper'"),
        ("What is varied", "noise=0:2", ""),
        ("(yes or no)", "maybe", "'maybe': the answer is yes or no"),
        ("(yes or no)", "yes", ""),
        ("Metric", "rms", "is not reported (did you mean 'rmse'?)"),
        ("Metric", "rmse", "run it by:"),
    ]
    for question, answer, said in answers:
        typist.read_until(question)
        typist.read_until("]: " if question != "First model" else "): ")
        typist.type(f"{answer}\n")
        typist.read_until(said)
    assert typist.end() == 0
    assert list(read_toml(desk.folder / "compare-ridge-forest.toml")["space"]) == ["noise"]


@pytest.mark.long
def test_the_third_answer_that_cannot_be_taken_ends_it(desk: Desk) -> None:
    typist = Typist(desk, "init", "ridge.py", "ridge.py")
    for _ in range(3):
        typist.read_until("NAME=VALUE: ")
        typist.type('"width=8\n')
        typist.read_until("a quote is not closed")
    assert typist.end() == 2


@pytest.mark.long
def test_ctrl_c_at_a_question_leaves_nothing_behind(desk: Desk) -> None:
    desk.write("two.py", "def low(params):\n    return params['noise']\n")
    before = sorted(desk.folder.iterdir())
    typist = Typist(desk, "init", "ridge.py", "two.py:low")
    typist.read_until("What is varied")
    typist.press_ctrl_c("stopped")
    assert typist.end() == 130
    assert sorted(desk.folder.iterdir()) == before


def test_what_runs_a_model_is_said_by_flags_as_the_file_says_it(desk: Desk) -> None:
    (desk.folder / "made").mkdir()
    venv = desk.folder / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    given = ("--yes", "--metric", "rmse", "--output", "made/mine.toml", "--force")
    two = desk.run("init", "ridge.py", "forest.py", *given, "--python", "cmp.1=venv", "--vary", "noise=0:1")
    assert two.returncode == 0, two.stderr
    content = read_toml(desk.folder / "made" / "mine.toml")
    assert content["cmp"]["1"] == {"python": "../venv"} and "0" not in content["cmp"]
    assert "[cmp.1]\npython" in (desk.folder / "made" / "mine.toml").read_text()
    copies = desk.run("init", "ridge.py", "ridge.py", *given, "--python", "cmp.1=venv", "--vary", "noise=0:1")
    assert copies.returncode == 0, copies.stderr  # two Pythons set them apart
    one = desk.run("init", "ridge.py", *given, "--python", sys.executable, "--vary", "noise=0:1")
    assert one.returncode == 0, one.stderr
    content = read_toml(desk.folder / "made" / "mine.toml")
    assert (desk.folder / "made" / content["python"]).samefile(sys.executable)
    assert desk.search("made/mine.toml", "--dry-run").returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--python", "nowhere"), "init: python = 'nowhere': there is no "),
        (("--python", "cmp.2=venv"), "--python cmp.2=venv: cmp.0=... and cmp.1=... are of one model"),
        (("--python", "cmp.0=venv", "--python", "cmp.0=other"), "--python cmp.0=venv cmp.0=other: is given twice"),
        (("--python", "cmp.1="), "--python cmp.1=: is empty"),
        (("--requirements", "missing.txt"), "init: requirements = 'missing.txt': there is no file "),
    ],
)
def test_a_python_that_is_not_there_is_one_line(desk: Desk, words: tuple[str, ...], said: str) -> None:
    refused = desk.run("init", "ridge.py", "forest.py", "--yes", "--no-try", "--metric", "rmse", *words)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and said in refused.stderr
    assert not list(desk.folder.glob("compare-*"))


def test_cmp_1_is_not_of_a_single_model(desk: Desk) -> None:
    refused = desk.run("init", "ridge.py", "--yes", "--metric", "rmse", "--python", "cmp.1=venv")
    assert refused.returncode == 2 and "cmp.0 and cmp.1 are of two models" in refused.stderr


def test_a_file_that_is_in_the_way_of_a_functions_is_kept_whatever_is_in_it(desk: Desk) -> None:
    (desk.folder / "ridge_run.py").write_bytes(b"\xff")
    refused = desk.run("init", "ridge.py:run", "--yes", "--metric", "rmse", "--vary", "noise=0:1")
    assert refused.returncode == 2 and refused.stderr.startswith("comparator: "), refused.stderr
    assert "ridge_run.py: is there already" in refused.stderr and refused.stderr.count("\n") == 1
    assert (desk.folder / "ridge_run.py").read_bytes() == b"\xff"


@pytest.mark.parametrize("text", ["def run(params):\n    return 1\n\0", "def run(params:\n", "x = " + "(" * 5000])
def test_a_file_of_functions_that_is_no_python_is_a_line(desk: Desk, text: str) -> None:
    desk.write("wrong.py", text)
    refused = desk.run("init", "wrong.py:run", "--yes", "--metric", "rmse")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("comparator: wrong.py") and ": not Python: " in refused.stderr, refused.stderr


FLAGS = 'import argparse\np = argparse.ArgumentParser()\np.add_argument("--lr", type=float, default=0.1)\n'


def test_what_init_has_read_of_a_script_is_not_doubted(desk: Desk) -> None:
    for name in ("one", "two"):
        (desk.folder / name).mkdir()
        desk.write(f"{name}/train.py", FLAGS)
        desk.write(f"{name}/train.sh", 'python "$IMPROVE_MODEL_DIR"/train.py "$@"\n')
    done = desk.run("init", "one", "two", "--yes", "--metric", "val_loss", "--vary", "lr=0.1:1")
    assert done.returncode == 0 and "cannot be checked" not in done.stderr + done.stdout
    done = desk.run("search", "compare-one-two.toml", "--dry-run", "--set", "hyperparameters.depth=3")
    assert "whether it takes depth cannot be checked" in done.stderr + done.stdout


@pytest.mark.long
def test_two_scripts_that_a_command_trains_become_a_file_that_runs(desk: Desk) -> None:
    described = 'command = ["python", "train.py"]\n[metrics.mse]\nkind = "error"\nprinted = "mse "\n'
    for name, factor in (("one", 1), ("two", 2)):
        (desk.folder / name).mkdir()
        desk.write(f"{name}/train.py", f"{FLAGS}print('mse', {factor} * p.parse_args().lr)\n")
        desk.write(f"{name}/model.toml", described)
    done = desk.run("init", "one", "two", "--yes", "--evaluations", "3")
    assert done.returncode == 0, done.stderr
    content = read_toml(desk.folder / "compare-one-two.toml")
    assert (content["cmp"]["metric"], list(content["space"])) == ("mse", ["lr"])
    ran = desk.search("compare-one-two.toml", "--set", "confirm.points=0")
    assert ran.returncode == 0, ran.stderr
    assert [record["value"] for record in desk.records("compare-one-two-1")] == pytest.approx([-0.5] * 3)
