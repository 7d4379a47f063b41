"""One experiment from its file to its end, in the order in which it goes that way.

| on the way | modules |
|---|---|
| the file is read with what was typed | experiment_file, settings, of_the_environment |
| all of it is checked, and frozen | planning, lines_of_models, context, freezing, stages |
| a plan has what is frozen and what lives | plan, strategy |
| or one is made of what was frozen before | opening, reopening, earlier_format, resuming, doubts |
| it is carried out by workers of a host | host, session, worker |
| by the stages of its search | controller |
| beside the search | beside, noting |
| what is said before, and meanwhile | dry_run, terminal, saying, running, progress, small_map |
| what is said at its end, and of all experiments | closing, listing |
| what tries another one again, or nothing at all | again, recheck, controls, null_search, simulation |
"""
