# Frontier, OLCF: 9,856 nodes of one EPYC (64 cores, 56 of them for users) and four MI250X, which are eight GPUs of
# 64 GB, Slurm. Help: help@olcf.ornl.gov
# Partitions: batch (up to 91 nodes 2 h, 183 nodes 6 h, more 12 h), extended (64 nodes, 24 h).
# After OLCF's user guide of 2026, docs.olcf.ornl.gov. Untested on the machine: all of it, above all --gpu-bind=none
# with ranks that bind their models themselves, and models in images, which need ROCm inside: what the module
# apptainer-enable-gpu sets is kept from models.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="Frontier, OLCF: 9,856 nodes of 4 MI250X, which are 8 GPUs, Slurm (untested on the machine)"
SITE_ENGINES="swift-t local"

# On Orion, /lustre/orion/PROJECT: put the data there, and the project's folder too.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# Cores 1-7 are next to GPU 4, 9-15 to GPU 5, and so on: ranks of seven cores each have the GPUs in this order.
SITE_DEVICES=8
SITE_DEVICE_ORDER="4 5 2 3 6 7 0 1"
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
SITE_DEVICE_VARIABLE=ROCR_VISIBLE_DEVICES

SITE_SCHEDULER=slurm
SITE_JOB_SCRIPT=comparator
SITE_REQUIRES="SITE_PROJECT"
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-batch}
SITE_PROJECT=${SITE_PROJECT:-${PROJECT:-}}
# FRONTIER_QOS=debug has one job of up to 2 h start sooner.
SITE_DIRECTIVES="
--exclusive
--gpus-per-node=8
--constraint=nvme
${FRONTIER_QOS:+--qos=$FRONTIER_QOS}
"
# A rank gets its cores, and sees all GPUs of its node: the server's rank is one too, and has none.
# shellcheck disable=SC2016
SITE_LAUNCH_OPTIONS='--cpus-per-task=$(( 56 / {ranks_per_node} )) --gpus-per-node=8 --gpu-bind=none'
SITE_LEAF=${SITE_LEAF:-python}

SITE_CONTAINER_RUNTIME=apptainer
SITE_IMAGE_FOLDER=/mnt/bb/${USER:-$(id -un)}/comparator-images

site_launch() {
  module load swift-t/1.6.5
}
