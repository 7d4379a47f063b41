"""What an experiment has found, read from its record alone: the numbers, and the words that go with each.

| module | what it answers |
|---|---|
| axes | which hyperparameters vary, and over what |
| summary | what was evaluated, and the best of it |
| exactness | whether a training repeated gives the same number |
| reliability | what fresh trainings say of the best points, and of the blocks |
| verdict | whether and where the models differ, and which hyperparameters matter |
| reasons | why a verdict is what it is |
| beforehand | what a search will see, before it and after its pilot |
| other_metric | the same experiment read in another metric |
| metric_agreement | the verdicts of all metrics beside each other |
| workers | when the workers worked |
| like_for_like | whether two models were trained and judged alike |
"""
