#!/bin/sh
# Starts one rank. Ranks of MPI poll without pause while they wait; on a node without cores to spare they would take
# them from the trainings. Hence every rank's session gets the lowest priority (Linux: sched(7), autogroups), which
# the trainings do not share, being in sessions of their own; the ranks that serve (the resident rank and the servers,
# which come last) get the lowest as processes too. It changes nothing where a core is free.
rank=${PMI_RANK:-${PALS_RANKID:-${OMPI_COMM_WORLD_RANK:-${SLURM_PROCID:-0}}}}
(echo 19 >/proc/self/autogroup) 2>/dev/null
if [ "$rank" -ge "${RESIDENT_WORK_RANKS:?}" ]; then
  exec nice -n 19 "$@"
fi
exec "$@"
