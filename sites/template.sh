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
SITE_DEVICE_VARIABLE=CUDA_VISIBLE_DEVICES

# none, slurm or pbs. What follows counts for jobs only.
SITE_SCHEDULER=none
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-}
SITE_PROJECT=${SITE_PROJECT:-}
# One directive on a line, without #SBATCH or #PBS, such as
#   --gres=gpu:4
SITE_DIRECTIVES="
"
# Options of what starts the ranks (srun, mpiexec); {ranks} stands for their number.
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
