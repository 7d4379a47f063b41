"""What an experiment's evaluations prove: whether two models differ, and under which conditions.

Pure functions of points and numbers: nothing here reads a file, trains a model or knows how points were chosen.
"""
