"""Formats that users bring: hyperparameter files, unrolled parameter files, names, values as they are written.

Models in `containers/` import `hyperparameters`, `spelling` and `text`, and by these `expressions` and `python_source`:
all five are part of their identity.
"""
