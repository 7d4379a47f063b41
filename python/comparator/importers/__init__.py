"""Past work: searches that other programs made, read from their records into ours.

| form | known by | written by |
|---|---|---|
| `hpo.csv` | columns iteration, sample, the varied hyperparameters, metric, result, walltime | CANDLE users |
| `output.csv` | a column run_id (`run_01_002_0003`: restart, iteration, sample), then one of the metric | the same |
| `population-N.txt` | points as JSON objects with `;` between, values in `fitnesses-N.txt` | CANDLE's Supervisor |
| `hpo_results.csv`, `results.csv` | columns p:NAME, objective, m:NAME | DeepHyper |
| any table | columns number, value, state, params_NAME | Optuna: `study.trials_dataframe().to_csv(...)` |
| any table | a column y, the hyperparameters, dob of an optimisation path | mlrMBO, and what CANDLE restarts it from |

`deap-N.log` has statistics of generations and no evaluations: it is read to see whether a table beside it is whole. In
its place, or that of `fitnesses-N.txt`, `fitness-N.txt` or `best-N.json`, the population beside it is read.

`read_past` tells what a file holds, and in words what is wrong with it; `import_experiment` makes a finished experiment
of it, which `report`, `list` and `export` treat as any other; `as_told` gives what a new search may be told. Imported
results are marked so, have no runs in the store, and are never taken for such.
"""

from comparator.importers.adoption import as_told, import_experiment, records_of
from comparator.importers.records import PastRecords, PastResult, read_past

__all__ = ["PastRecords", "PastResult", "as_told", "import_experiment", "read_past", "records_of"]
