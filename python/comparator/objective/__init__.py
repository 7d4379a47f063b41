"""What a search minimises: the difference of two runs, or the metric of one."""
