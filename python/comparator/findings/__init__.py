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
| sureness | how sure a finding is, in three words |
| so_far | what each evaluation rests on, its own trainings and earlier ones of its point |
| idle | whether what was varied changes anything |
| other_metric | the same experiment read in another metric |
| metric_agreement | the verdicts of all metrics beside each other |
| yardstick | what is claimed, in the other metrics of the same fresh trainings |
| mean_predictor | whether models do better than one that predicts the mean |
| explanation | who carries a difference: which drugs, which cell lines |
| studies, controls | which studies the models were trained on, and whether it is these or only their sizes |
| recheck | what became of claims that were tried again |
| variance | what makes the trainings of one point differ |
| workers | when the workers worked |
| like_for_like | whether two models were trained and judged alike |
"""
