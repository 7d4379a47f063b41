"""Models in R: what their scripts tell of their options, how they are called, and how they fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.model.definitions import Definition
from comparator.model.own_files.r_options import options_in_r
from comparator.model.references import find_model
from comparator.model.reported import last_words
from comparator.model.runners.runner import make_runner
from comparator.model.training import Training
from comparator.site.profile import Slot

OPTPARSE = """
library(optparse)   # make_option("--not-this")
options <- list(
  make_option(c("-s", "--hidden-size"), type = "integer", default = 3L, help = "hidden units,
                in (one) layer"),
  make_option("--decay", default = 1e-3, type = 'double'),
  make_option(c("--skip"), action = "store_true", default = FALSE),
  make_option(opt_str = "--kernel", default = if (is.null(x)) "a" else "b", type = "character")
)
"""
ARGPARSE = """
parser <- ArgumentParser()
parser$add_argument("--activation", choices = c("relu", "tanh"), default = "relu")
parser$add_argument("--layers", type = "integer", nargs = "+")
parser$add_argument("--no_bias", action = 'store_false', dest = "bias")
p <- add_argument(p, "--verbose", help = "say more = more", flag = TRUE)
p <- add_argument(p, "table", help = "where the data are")
"""


def test_options_of_its_packages_are_read() -> None:
    assert list(options_in_r(OPTPARSE)) == [
        Definition("hidden_size", "int", 3, "hidden units, in (one) layer", flag="--hidden-size"),
        Definition("decay", "float", 0.001, flag="--decay"),
        Definition("skip", "bool", False, flag="--skip", switch="on"),
        Definition("kernel", "string", None, flag="--kernel"),
    ]
    assert list(options_in_r(ARGPARSE)) == [
        Definition("activation", "any", "relu", "", ("relu", "tanh"), flag="--activation"),
        Definition("layers", "list", None, flag="--layers"),
        Definition("no_bias", "bool", True, flag="--no_bias", switch="off"),
        Definition("verbose", "bool", False, "say more = more", flag="--verbose", switch="on"),
    ]


@pytest.mark.parametrize(
    "source", ["make_option(", 'make_option("--x', "add_argument(p, '--x', default = c(1", "(" * 999]
)
def test_what_is_no_r_tells_what_it_can(source: str) -> None:
    assert all(each.name == "x" for each in options_in_r(source))


def test_a_command_calls_it_by_its_flags(tmp_path: Path) -> None:
    (tmp_path / "fit.R").write_text(OPTPARSE)
    with pytest.raises(InputError, match=r'command = \["Rscript", "fit.R"\] makes it one'):
        find_model(str(tmp_path), tmp_path, tmp_path, "test")
    (tmp_path / "model.toml").write_text('command = ["Rscript", "fit.R"]\n')
    own = find_model(str(tmp_path), tmp_path, tmp_path, "test").own_command
    assert own is not None
    words = own.call({"hidden_size": 5, "skip": False, "decay": -0.5}, tmp_path, tmp_path)
    assert words[2:] == ["--hidden-size", "5", "--decay=-0.5"]
    assert own.call({"skip": True}, tmp_path, tmp_path)[2:] == ["--skip"]


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("Error: bad value of lr\nExecution halted\n", "Error: bad value of lr"),
        ("fit\nError in f(3) : \n  it is too large\nCalls: f\nExecution halted\n", "Error in f(3) : it is too large"),
        (
            'Error in file(file, "rt") : cannot open the connection\nCalls: read.csv -> file\n'
            'In addition: Warning message:\nIn file(file, "rt") :\n'
            "  cannot open file 'drugs.csv': No such file or directory\nExecution halted\n",
            'Error in file(file, "rt") : cannot open the connection'
            " cannot open file 'drugs.csv': No such file or directory",
        ),
        ("Execution halted\n", "Execution halted"),
        ("Error in the fit: 0.3\nlast epoch\n", "last epoch"),
    ],
)
def test_an_error_of_r_is_what_stands_before_its_end(tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / "model.log").write_text(log)
    assert last_words(tmp_path / "model.log") == words


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="there is no Rscript on the PATH")
@pytest.mark.parametrize("flags", ["--name value", "--name=value"])
def test_a_regression_in_r_is_trained(tmp_path: Path, flags: str) -> None:
    """By flags that it takes apart itself, on a table of its own, with a file of settings."""
    model, run = tmp_path / "model", tmp_path / "run"
    model.mkdir()
    run.mkdir()
    (model / "drugs.csv").write_text("x,y\n" + "".join(f"{x},{3 * x + (x % 3)}\n" for x in range(30)))
    (model / "settings.json").write_text('{"rows": 30}')
    (model / "train.R").write_text(
        "words <- commandArgs(trailingOnly = TRUE)\n"
        'words <- unlist(strsplit(words, "="))\n'
        'power <- as.numeric(words[which(words == "--power") + 1])\n'
        'rows <- as.numeric(gsub("[^0-9]", "", paste(readLines(words[1]), collapse = "")))\n'
        'table <- read.csv("drugs.csv")[seq_len(rows), ]\n'
        "fitted <- lm(y ~ I(x^power), table)\n"
        'cat("deviance of the fit:", deviance(fitted), "\\n")\n'
    )
    (model / "model.toml").write_text(
        f'command = ["Rscript", "train.R", "settings.json"]\nflags = "{flags}"\nsettings = "settings.json"\n'
        'links = ["drugs.csv"]\n[metrics.deviance]\nkind = "error"\nprinted = "deviance of the fit:"\n'
    )
    runner = make_runner(find_model(str(model), model, model, "test"), Slot(0), tmp_path)
    outcome = runner.run(Training({"power": 1, "rows": 12}, run, run / "model.log", "deviance", 60.0))
    runner.close()
    assert outcome.status == "ok", outcome
    assert 7 < outcome.metrics["deviance"] < 9
