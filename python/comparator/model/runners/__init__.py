"""How a training of a model is carried out, by a `Runner` for each way in which models are run.

| of | modules |
|---|---|
| which way a model takes | runner |
| a process for each training | cold, script |
| a process for each of its steps | staged, script |
| one process for all trainings of a worker | warm |
| many trainings in one call | together |
"""
