"""Models: what stands behind `train.sh` or `run(params)`, and how one training of it is carried out.

| on the way | modules |
|---|---|
| a name becomes a model | references, catalogue, model |
| what it says of itself | description, described, described_results |
| what is read of its own files, which are not run | own_files, definitions, stage_flags, probe |
| by which words it is called | own_command, stages, flag_words, links |
| what it runs in: an image | image, image_sources, runtime |
| or a Python of its own | python_environment, environment_making, installed |
| what its runs rest on | inputs, data, fingerprint, named_paths |
| one training of it is carried out | training, runners, ml_data |
| in processes that end with it | process, guard, server |
| what such a process reports | reported, log_lines, number_files, tensorboard_events |
| what it reads beside | reads, watching, trace |
| what a check measures of it | witness |
| a new one | scaffold, skeleton |
"""
