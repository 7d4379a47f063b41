# Perlmutter, NERSC: 1,794 GPU nodes of one EPYC (64 cores) and four A100, Slurm. Help: help.nersc.gov
# A queue is a QOS here: debug, regular, preempt and others.
# After NERSC's documentation, docs.nersc.gov, of which less could be read than of the other machines'. Untested on the
# machine: all of it, above all the limit of debug and a Swift/T (no module of one is documented). Images run there by
# Shifter and podman-hpc, which Comparator does not call: a model has to be a folder or a Python file.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="Perlmutter, NERSC: 1,794 nodes of 4 A100, Slurm (untested on the machine)"
SITE_ENGINES="swift-t local"

# Best on $SCRATCH, which is purged, or in a project's folder on CFS.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# GPU 3 is next to the first cores: a rank gets GPU 3 - local rank.
SITE_DEVICES=4
SITE_DEVICE_ORDER=descending
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
SITE_DEVICE_VARIABLE=CUDA_VISIBLE_DEVICES

SITE_SCHEDULER=slurm
SITE_JOB_SCRIPT=comparator
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-00:30:00}
SITE_QUEUE=${SITE_QUEUE:-debug}
# Empty: the project that is your default in Iris.
SITE_PROJECT=${SITE_PROJECT:-}
SITE_DIRECTIVES="
--qos={queue}
--exclusive
--constraint=gpu
--gpus-per-node=4
"
# A core has two threads: 32 of the 128 for each of four ranks.
# shellcheck disable=SC2016
SITE_LAUNCH_OPTIONS='--cpus-per-task=$(( 64 / {ranks_per_node} * 2 )) --cpu-bind=cores --gpus-per-node=4 --gpu-bind=none'
SITE_LEAF=${SITE_LEAF:-python}

site_launch() {
  # SWIFT_T: the folder of your own Swift/T, with stc/bin and turbine/bin in it.
  export PATH="${SWIFT_T:+$SWIFT_T/stc/bin:$SWIFT_T/turbine/bin:}$PATH"
}
