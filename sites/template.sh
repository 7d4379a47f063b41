# A new machine: copy this file to sites/NAME.sh, fill it in from the top, and see what `comparator site check NAME`
# says. Not needed, not there: every line but SITE_DESCRIPTION may go. README.md beside it explains each.
# First the machine in a line: whose it is, how many nodes of what, and who helps.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="NAME, INSTITUTION: 100 nodes of 4 GPUs, Slurm"
# The default first: local (this host alone) and swift-t (MPI, jobs).
SITE_ENGINES="local swift-t"

# Must be on a file system that the nodes mount.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# Devices of a node; trainings that share one; the variable that binds a training to it. 0: every core is a place.
SITE_DEVICES=${SITE_DEVICES:-0}
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
# Trainings that a worker gives at once to a model with run_many(params_list): as many as fit a device's memory.
SITE_TOGETHER=${SITE_TOGETHER:-1}
SITE_DEVICE_VARIABLE=CUDA_VISIBLE_DEVICES
# In which order they are given out: ascending, descending, or all their names ("4 5 2 3 6 7 0 1", "0.0 0.1 1.0 1.1").
SITE_DEVICE_ORDER=ascending

# none, slurm or pbs. What follows counts for jobs only.
SITE_SCHEDULER=none
# The job's script is written from this file; swift-t: Swift/T writes it from a template of its own.
SITE_JOB_SCRIPT=comparator
# What starts the ranks of a job, where it is not srun under Slurm, else the mpiexec that Swift/T was built with. To
# Swift/T's template for Slurm srun has to be named too.
#   export TURBINE_LAUNCHER=srun
# What no job may be without: SITE_QUEUE, SITE_PROJECT.
SITE_REQUIRES=""
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-}
SITE_PROJECT=${SITE_PROJECT:-}
# One directive on a line, without #SBATCH or #PBS, such as
#   --gpus-per-node=4
#   -l select={nodes}:ncpus=32:ngpus=4:mpiprocs={ranks_per_node}
# What a line asks for is not asked for by the script's own lines too.
SITE_DIRECTIVES="
"
# Options of what starts the ranks, as srun and mpiexec have them: srun is told of nodes and ranks anyway, mpiexec takes
#   -n {ranks} --ppn {ranks_per_node}
SITE_LAUNCH_OPTIONS=""

# What runs models in images: apptainer or charliecloud, empty for the first that there is; further words for its
# program; a folder on a disk of each node, where images are copied before they are started.
SITE_CONTAINER_RUNTIME=
SITE_CONTAINER_OPTIONS=""
SITE_IMAGE_FOLDER=

# On the host where commands are typed: the modules that Swift/T was built with, and swift-t on the PATH.
site_launch() {
  :
}

# On the nodes, before the ranks start: modules and variables that models need.
site_worker() {
  :
}
