"""Is what an experiment's record says true? The record against itself and its runs, and trainings done again."""
