"""Draft an experiment file: what models take, what of it may be varied, and how that is written down.

`definitions` finds the hyperparameters of a model, `given` refuses what is set and no model has, `ranges` proposes what
each is varied over, `metrics` finds what a model reports, `draft` writes the file. Who asks the user is
`comparator.cli.init`.
"""
