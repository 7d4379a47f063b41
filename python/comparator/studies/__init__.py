"""One model over several studies: who predicts whom (`cross_study`), and how many rows it takes (`learning_curve`).

Both are ordinary sweeps of a single model, whose trainings go to the store like any others, followed by what is
made of them: predictions, tables in the form of IMPROVE, figures.
"""
