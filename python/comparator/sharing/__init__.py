"""How an experiment comes to another machine, or to another program.

`bundle` writes one into a single file, with its runs and what it was made of, described as an RO-Crate (`crate`);
`opening` makes an experiment of such a file elsewhere. `mlflow_runs` and `optuna_trials` show one to those who live
there, `figure_files` writes a figure for a paper.
"""
