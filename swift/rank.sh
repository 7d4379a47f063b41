#!/bin/sh
# Starts one rank. Ranks of MPI poll without pause while they wait; on a node without cores to spare they would take
# them from the trainings. Hence the session of the ranks gets a low priority (Linux: sched(7), autogroups), which the
# trainings do not share, being in sessions of their own; the lowest would starve the ranks on a busy host. It changes
# nothing where a core is free. The ranks themselves stay alike: a server with a lower priority than the workers that
# wait for it would never answer them.
(echo 10 >/proc/self/autogroup) 2>/dev/null
# Where MPI rests on UCX: its handler of crashes can wait for ever for what the crash left locked, and the job with it.
export UCX_HANDLE_ERRORS="${UCX_HANDLE_ERRORS:-none}"
# The rank's keeper ends it as soon as another rank is gone, and says when it is gone itself.
exec ${COMPARATOR_LAUNCH:+"$COMPARATOR_PYTHON" -S -m comparator.engine.keeper} "$@"
