# Polaris, ALCF: 560 nodes of one EPYC (32 cores) and four A100 of 40 GB, PBS Pro. Help: support@alcf.anl.gov
# Queues: debug (1-2 nodes, 1 h), debug-scaling (1-10), preemptable (1-10, 72 h, may be killed at any time),
# capacity (1-4), prod (10-496).
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="Polaris, ALCF: 560 nodes of 4 A100, PBS Pro (untested on the machine)"
SITE_ENGINES="swift-t local"

# Must be on a file system that SITE_DIRECTIVES mounts: home or eagle.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# GPU 0 is next to the last cores, hence the order. Two small models share a device.
SITE_DEVICES=4
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-2}
SITE_DEVICE_VARIABLE=CUDA_VISIBLE_DEVICES
SITE_DEVICE_ORDER=descending

SITE_SCHEDULER=pbs
SITE_JOB_SCRIPT=comparator
SITE_REQUIRES="SITE_QUEUE SITE_PROJECT"
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-debug}
SITE_PROJECT=${SITE_PROJECT:-${PROJECT:-}}
SITE_DIRECTIVES="
-l select={nodes}:system=polaris
-l place=scatter
-l filesystems=${FILESYSTEMS:-home:eagle}
-l singularity_fakeroot=true
"
# The ranks of a node share its 32 cores.
# shellcheck disable=SC2016
SITE_LAUNCH_OPTIONS='-n {ranks} --ppn {ranks_per_node} --depth=$(( 32 / {ranks_per_node} )) --cpu-bind depth'
SITE_LEAF=${SITE_LEAF:-python}

# Apptainer is on the compute nodes only, and wants --fakeroot there. An image needs its description beside it for the
# login node, as scripts/build-container.sh writes it.
SITE_CONTAINER_RUNTIME=apptainer
SITE_CONTAINER_OPTIONS="--fakeroot"
SITE_IMAGE_FOLDER=/local/scratch/comparator-images

site_launch() {
  module load PrgEnv-gnu
  module unload craype-accel-nvidia80
}

site_worker() {
  module use /soft/modulefiles
  module load spack-pe-base apptainer
  export APPTAINER_TMPDIR=/local/scratch APPTAINER_CACHEDIR=/local/scratch
  # Ranks send no data of GPUs, and the module for those is unloaded.
  export MPICH_GPU_SUPPORT_ENABLED=0
}
