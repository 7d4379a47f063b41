"""What `comparator model check` finds of models that are scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import long_but
from checked_models import RESULT, TELLING, assert_found, findings, shell_model
from three_steps import write_model, write_raw_data

from comparator.formats.finding import FAILS, HOLDS, UNTESTED

BAD_VALUE = "a bad value, train.sh"


@pytest.mark.parametrize(
    ("script", "what", "words"),
    [
        ("echo done\n", "train.sh runs", "print a line 'IMPROVE_RESULT val_loss: NUMBER'"),
        (RESULT + "exit 3\n", "train.sh runs", "ends with exit status 3: it must be 0"),
        pytest.param("echo 'no such data' >&2; exit 2\n", "train.sh runs", "no such data", marks=pytest.mark.long),
        ("echo \"No module named 'jax'\"; exit 1\n", "train.sh runs", "python = 'ENVIRONMENT' in"),
        ("echo IMPROVE_RESULT val_loss: nan\n", "result", "no finite number"),
        ("echo IMPROVE_RESULT val_lose: 0.5\n", "result", "did you mean 'val_lose'"),
        (RESULT + 'echo x >> "$(dirname "$0")/history.log"\n', "files", "history.log"),
        pytest.param(RESULT + "echo x > ../beside.txt\n", "files", "beside.txt", marks=pytest.mark.long),
        (RESULT + "sleep 60 &\n", "processes", "still running a second after train.sh had ended: sleep"),
        (RESULT, BAD_VALUE, "trained as if nothing were wrong"),
        *long_but(
            (),
            [
                ('case "$*" in *nonsense*) echo wrong; exit 0;; esac\n' + RESULT, BAD_VALUE, "exit status is 0"),
                ('case "$*" in *nonsense*) kill -9 $$;; esac\n' + RESULT, BAD_VALUE, "killed by SIGKILL"),
            ],
        ),
        ("echo IMPROVE_RESULT val_loss: 0.$$\n", "the same seed", "must reach everything"),
    ],
)
def test_what_breaks_a_script(tmp_path, tiny, script, what, words) -> None:
    assert_found(shell_model(tmp_path, script, TELLING), tmp_path, what, FAILS, words, data_folder=tiny)


def test_a_script_that_hangs_is_ended_at_the_limit(tmp_path, tiny) -> None:
    words = "exceeded its limit of 0.5 seconds"
    model = shell_model(tmp_path, "sleep 600\n")
    assert_found(model, tmp_path, "train.sh runs", FAILS, words, limit=0.5, data_folder=tiny)


@pytest.mark.parametrize(
    ("stated", "needed"),
    long_but(
        [("", "improve")],
        [("", "improve"), ("convention = 'candle'\n", "improve"), ("convention = 'improve'\n", "candle")],
    ),
)
def test_a_model_of_the_other_convention_is_found_out(tmp_path, tiny, stated, needed) -> None:
    flags, device = ("result", "refuse") if needed == "improve" else ("refuse", "result")
    script = f"""
result() {{ {RESULT.strip()}; }}
refuse() {{ echo "usage: otherwise" >&2; exit 2; }}
case "$1" in --*) {flags};; *) {device};; esac
"""
    found = findings(shell_model(tmp_path, script, stated), tmp_path, data_folder=tiny)
    assert found["train.sh runs"].outcome == FAILS
    assert "usage: otherwise" in found["train.sh runs"].words
    assert f"needs the line convention = '{needed}'" in found["train.sh runs"].words
    assert found["result"].outcome == HOLDS


def test_a_model_says_by_which_convention_it_is_called(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, f'case "$1" in --*) ;; *) exit 2;; esac\n{RESULT}', "convention = 'improve'\n")
    assert_found(model, tmp_path, "train.sh runs", HOLDS, "called with flags only", data_folder=tiny)


@pytest.mark.parametrize(
    ("script", "outcome", "words"),
    [
        ('echo "a configuration is required"; exit\n', UNTESTED, "left the data folder as it was: a configuration is"),
        ("true\n", HOLDS, "left the data folder as it was"),
        ('mkdir -p "$1/made"; date +%N > "$1/made/table"; echo made\n', HOLDS, "; prepared in "),
    ],
)
def test_that_nothing_was_prepared_is_said(tmp_path, script: str, outcome: str, words: str) -> None:
    model = shell_model(tmp_path, RESULT)
    (model / "preprocess.sh").write_text(script)
    assert_found(model, tmp_path, "data", outcome, words)


STRICT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--lr", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=1)
given = parser.parse_args()
print("epoch 1 of", given.epochs)
print("test mse:", given.lr / given.epochs)
"""


def test_a_script_with_flags_of_its_own_becomes_a_model_as_the_page_says(tmp_path, tiny) -> None:
    page = (Path(__file__).parents[3] / "docs" / "your-models.md").read_text()
    described = page.partition("### A script of its own")[2].partition("```toml\n")[2].partition("```")[0]
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.toml").write_text(described.replace('"train.py"]', '"train.py", "--data", "{data}"]'))
    (model / "train.py").write_text(STRICT)
    (model / "preprocess.py").touch()
    found = findings(model, tmp_path, data_folder=tiny, settings={"epochs": 2})
    assert found["command"].words == "called as python train.py --data '{data}'; it takes 3 flags, by its source"
    assert found["train.py runs"].outcome == HOLDS
    assert "test_mse = 0.25" in found["result"].words
    assert found["a bad value, train.py"].outcome == HOLDS
    assert found["preprocess.sh"].outcome == UNTESTED and "did you mean" not in found["preprocess.sh"].words


def test_of_a_script_that_misses_a_file_of_its_own_it_is_said_how_it_finds_it(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    (model / "tables").mkdir(parents=True)
    (model / "tables" / "x.txt").write_text("0.5")
    (model / "model.toml").write_text('command = ["python", "train.py"]\n')
    (model / "train.py").write_text('print("IMPROVE_RESULT val_loss:", open("./tables/x.txt").read())\n')
    found = findings(model, tmp_path, data_folder=tiny)
    assert found["train.py runs"].words.endswith("links = ['tables'] in model.toml has it there")


def test_of_a_script_that_misses_a_folder_it_is_said_how_it_has_one(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    (model / "src").mkdir(parents=True)
    (model / "model.toml").write_text('command = ["python", "train.py"]\nstart_in = "src"\n')
    (model / "src" / "train.py").write_text('open("../results/deep/x.txt", "w")\n')
    words = findings(model, tmp_path, data_folder=tiny)["train.py runs"].words
    assert words.endswith("folders = ['results/deep'] in model.toml has it there")


def test_of_a_script_whose_number_is_not_found_the_last_that_it_printed_is_said(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.toml").write_text('command = ["python", "train.py", "--data", "{data}"]\n')
    (model / "train.py").write_text(STRICT)
    words = findings(model, tmp_path, data_folder=tiny)["train.py runs"].words
    assert "[metrics.val_loss] printed = 'WORDS BEFORE IT' in model.toml says where it stands" in words
    assert words.endswith("the last that it printed: test mse: 0.5")


@pytest.mark.long
def test_a_script_of_another_name_is_no_script(tmp_path, tiny) -> None:
    folder = shell_model(tmp_path, RESULT)
    (folder / "Infer.sh").write_text("#!/bin/sh\n")
    found = findings(folder, tmp_path, data_folder=tiny)
    assert found["infer.sh"].outcome == FAILS and "It must be called infer.sh" in found["infer.sh"].words
    assert found["data"].outcome == UNTESTED


def test_three_steps_are_tried_one_by_one(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    data = write_raw_data(tmp_path / "data")
    found = findings(folder, tmp_path, data_folder=data)
    assert "train.sh takes its first word for the device, which a flag would hide" in found["train"].words
    assert found["infer"].words.startswith("called as python toy_infer_improve.py --input_data_dir DATA")
    assert "every training of equal data reads them" in found["data"].words
    assert found["toy_train_improve.py runs"].outcome == HOLDS
    assert "val_scores.json: val_loss, val_r2" in found["result"].words
    assert found["a bad value, toy_train_improve.py"].outcome == HOLDS
    assert found["toy_infer_improve.py runs"].words == "test_scores.json is written"
    assert found["files"].outcome == HOLDS


def test_a_preprocessing_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    found = findings(folder, tmp_path, data_folder=write_raw_data(tmp_path / "data"), settings={"scaling": "broken"})
    words = "toy_preprocess_improve.py: scaling = broken: there is no such scaler (log: "
    assert found["data"].outcome == FAILS and words in found["data"].words
    assert "toy_train_improve.py runs" not in found


@pytest.mark.long
def test_scripts_that_do_not_start_by_themselves_are_run_by_a_shell(tmp_path, tiny) -> None:
    folder = shell_model(tmp_path, RESULT)
    (folder / "train.sh").chmod(0o644)
    (folder / "preprocess.sh").write_text("true\n")
    (folder / "preprocess.sh").chmod(0o755)
    found = findings(folder, tmp_path, data_folder=tiny)
    assert str(found["train.sh"]) == "holds    train.sh: not executable: /bin/sh runs it"
    assert found["preprocess.sh"].words == "no first line that says by what it is run: bash runs it"
    assert found["data"].outcome == found["train.sh runs"].outcome == HOLDS


def test_metrics_that_the_description_lacks_cannot_be_asked_for(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, "echo IMPROVE_RESULT rmse: 0.1\n", TELLING)
    words = "it reported rmse, of which the model describes none"
    assert_found(model, tmp_path, "the same seed", UNTESTED, words, data_folder=tiny)


@pytest.mark.long
@pytest.mark.parametrize(
    ("scores", "outcome", "words"),
    [
        ("{}", FAILS, "wrote a test_scores.json without a number"),
        ('{"mse": "n/a"}', FAILS, "wrote a test_scores.json without a number"),
        ("", FAILS, "wrote a test_scores.json without a number"),
        ('{"mse": 0.5, "study": "CCLE"}', HOLDS, "test_scores.json is written"),
    ],
)
def test_scores_without_a_number_are_no_inference(tmp_path, tiny, scores, outcome, words) -> None:
    model = shell_model(tmp_path, RESULT, TELLING)
    last_flag = 'for folder in "$@"; do :; done\n'
    (model / "infer.sh").write_text(f"#!/bin/sh\n{last_flag}echo '{scores}' > \"$folder/test_scores.json\"\n")
    (model / "infer.sh").chmod(0o755)
    assert_found(model, tmp_path, "infer.sh runs", outcome, words, data_folder=tiny)
