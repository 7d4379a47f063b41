"""What train.sh, preprocess.sh and infer.sh run: flags in, files and result lines out.

Exit status: 0; 2 for wrong input, with one line on standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from . import DEFAULTS, check, data_folder, load, predict, prepare, rows_of, run, scores

#: Flags that callers give to every model.
COMMON = ("experiment_id", "run_id", "model_dir", "input_model_dir")


def read_flags(words: list[str]) -> dict[str, str]:
    """Return the flags with their values as text; several words after a flag are a list."""
    flags: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            flags[name] = []
        elif not name:
            raise ValueError(f"'{word}': expected a flag such as --width 300")
        else:
            flags[name].append(word)
    for name in flags:
        if name not in DEFAULTS and name not in COMMON:
            print(f"warning: --{name}: unknown, ignored", file=sys.stderr)
    return {name: " ".join(values) for name, values in flags.items()}


def train(flags: dict[str, str]) -> None:
    for name, value in run(flags).items():
        print(f"IMPROVE_RESULT {name}: {value!r}")


def preprocess(flags: dict[str, str]) -> None:
    settings = check(flags)
    studies = prepare(data_folder())
    rows_of(load(data_folder()), settings["train_sources"])
    print(f"prepared; studies: {', '.join(studies)}")


def infer(flags: dict[str, str]) -> None:
    """Predict the rows of the test studies whose cell lines the model was not trained on."""
    folder = Path(flags.get("model_dir") or flags.get("input_model_dir") or "")
    if not (folder / "model.npz").is_file():
        raise ValueError(f"--model_dir '{folder}': holds no model.npz, which train.sh writes")
    with np.load(folder / "model.npz") as arrays:
        model = dict(arrays)
    data = load(data_folder())
    rows = rows_of(data, check(flags)["test_sources"])
    rows = rows[~np.isin(data["cell_lines"][data["cell"][rows]], model["trained_on"])]
    if not len(rows):
        raise ValueError("the model was trained on every cell line of the test studies")
    predictions = predict(model, data, rows)
    output = Path(flags.get("output_dir") or folder)
    output.mkdir(parents=True, exist_ok=True)
    (output / "test_scores.json").write_text(
        json.dumps(scores(data["auc"][rows], predictions), indent=4), encoding="utf-8"
    )
    lines = ["improve_sample_id,improve_chem_id,auc_true,auc_pred"]
    for row, prediction in zip(rows, predictions, strict=True):
        pair = [data["cell_lines"][data["cell"][row]], data["drugs"][data["drug"][row]]]
        lines.append(",".join([*pair, f"{data['auc'][row]:.4f}", f"{prediction:.4f}"]))
    (output / "test_y_data_predicted.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    stages = {"train": train, "preprocess": preprocess, "infer": infer}
    try:
        stages[sys.argv[1]](read_flags(sys.argv[2:]))
    except ValueError as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
