"""A small model in IMPROVE's form: three scripts that refuse flags that they do not know, as IMPROVE's do."""

from __future__ import annotations

from pathlib import Path

PREPROCESS = """
import argparse, json, pathlib

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--input_dir", type=str)
parser.add_argument("--output_dir", type=str)
parser.add_argument("--train_split_file", type=str, default="CCLE_split_0_train.txt")
parser.add_argument("--val_split_file", type=str)
parser.add_argument("--test_split_file", type=str)
parser.add_argument("--scaling", type=str, default="std", help="how features are scaled")
parser.add_argument("--gene_file", type=str)
given = parser.parse_args()
raw, made = pathlib.Path(given.input_dir), pathlib.Path(given.output_dir)
with (raw / "preprocessed.txt").open("a") as times:
    times.write("once\\n")
(made / "half").touch()
if given.scaling == "broken":
    raise SystemExit("scaling = broken: there is no such scaler")
rows = (raw / "splits" / given.train_split_file).read_text().split()
(made / "data.json").write_text(json.dumps({"rows": rows, "scaling": given.scaling, "genes": given.gene_file}))
"""

TRAIN = """
import argparse, json, pathlib

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--input_dir", type=str)
parser.add_argument("--output_dir", type=str)
parser.add_argument("--epochs", type=int, default=7)
parser.add_argument("--learning_rate", type=float, default=0.1, help="step")
parser.add_argument("--layers", type=int, nargs="+", default=[8])
given = parser.parse_args()
read = json.loads((pathlib.Path(given.input_dir) / "data.json").read_text())
loss = given.learning_rate + len(read["rows"]) / 1000
(pathlib.Path(given.output_dir) / "val_scores.json").write_text(json.dumps({"mse": loss, "r2": 1 - loss}))
(pathlib.Path(given.output_dir) / "model.json").write_text(json.dumps([loss, given.epochs, given.layers]))
"""

INFER = """
import argparse, json, pathlib

parser = argparse.ArgumentParser(allow_abbrev=False)
for flag in ("--input_data_dir", "--input_model_dir", "--output_dir"):
    parser.add_argument(flag, type=str)
given = parser.parse_args()
loss = json.loads((pathlib.Path(given.input_model_dir) / "model.json").read_text())[0]
(pathlib.Path(given.output_dir) / "test_scores.json").write_text(json.dumps({"mse": 2 * loss}))
"""

PARAMETERS = """[Preprocess]
train_split_file = CCLE_split_0_train.txt
gene_file = ./genes.txt
scaling = minmax

[Train]
epochs = 20
"""

#: As the repositories have it: it takes the device and the data folder first, and is not executable.
HYBRID = """#!/bin/bash
CUDA_VISIBLE_DEVICES=$1 ; shift
CANDLE_DATA_DIR=$1 ; shift
python toy_train_improve.py "$@"
"""


def write_model(folder: Path, **others: str) -> Path:
    """The model in `folder`; `others` are files beside its scripts by name, with `__` for the point."""
    folder.mkdir(parents=True)
    texts = {f"toy_{name}_improve.py": text for name, text in SCRIPTS.items()}
    texts |= {"toy_params.txt": PARAMETERS, "train.sh": HYBRID, "genes.txt": "TP53\n"}
    texts |= {name.replace("__", "."): text for name, text in others.items()}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_raw_data(folder: Path) -> Path:
    """A data folder with what the model reads: split files of two studies, of ten and twenty rows."""
    for part in ("x_data", "y_data", "splits"):
        (folder / part).mkdir(parents=True)
    for study, rows in (("CCLE", 10), ("gCSI", 20)):
        for part in ("train", "val", "test"):
            (folder / "splits" / f"{study}_split_0_{part}.txt").write_text("".join(f"{n}\n" for n in range(rows)))
    return folder


SCRIPTS = {"preprocess": PREPROCESS, "train": TRAIN, "infer": INFER}
