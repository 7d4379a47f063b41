"""Formats that users bring: hyperparameter files, unrolled parameter files, names, values as they are written.

Models in `containers/` import `hyperparameters`, `spelling` and `text`, so that these are part of their identity."""
