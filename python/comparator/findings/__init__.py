"""What an experiment has found, as numbers: read from its record, without words and without files.

| module | what it answers |
|---|---|
| axes | which hyperparameters vary, and over what |
| summary | what was evaluated, and the best of it |
| reliability | what fresh trainings say of the best points, and of the blocks |
| verdict | whether and where the models differ, and which hyperparameters matter |
| other_metric | the same experiment read in another metric |
| metric_agreement | the verdicts of all metrics beside each other |
| workers | when the workers worked |
| like_for_like | whether two models were trained and judged alike |
"""
