# Aurora, ALCF: 10,624 nodes of two Xeon Max (104 cores) and six Data Center GPU Max of two tiles each, PBS Pro.
# Help: support@alcf.anl.gov
# Queues: debug (1-2 nodes, 1 h), debug-scaling (2-256, 1 h), capacity (1-16, 168 h), prod (256 and more, 24 h).
# After ALCF's user guide of 2026, docs.alcf.anl.gov/aurora. Untested on the machine: all of it, above all a Swift/T
# (the guide names no module of one), PALS' mpiexec with it, and models in images, which need Intel's runtime inside.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="Aurora, ALCF: 10,624 nodes of 6 GPU Max of two tiles, PBS Pro (untested on the machine)"
SITE_ENGINES="swift-t local"

# Jobs are to be sent from a project's folder on flare, /lus/flare/projects/NAME, and not from home: put the data there.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# A tile is a device: GPU rank / 2 % 6, tile rank % 2, as gpu_tile_compact.sh binds them. So named they are where
# ZE_FLAT_DEVICE_HIERARCHY is COMPOSITE; the module frameworks makes it FLAT, and 0 to 11 of them.
SITE_DEVICES=12
SITE_DEVICE_ORDER="0.0 0.1 1.0 1.1 2.0 2.1 3.0 3.1 4.0 4.1 5.0 5.1"
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
SITE_DEVICE_VARIABLE=ZE_AFFINITY_MASK

SITE_SCHEDULER=pbs
SITE_JOB_SCRIPT=comparator
SITE_REQUIRES="SITE_QUEUE SITE_PROJECT"
SITE_NODES=${SITE_NODES:-1}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-debug}
SITE_PROJECT=${SITE_PROJECT:-${PROJECT:-}}
# Nodes are given whole.
SITE_DIRECTIVES="
-l select={nodes}
-l filesystems=${FILESYSTEMS:-home:flare}
"
# Cores 0 and 52 are the system's: the ranks of a node share the 102 others.
# shellcheck disable=SC2016
SITE_LAUNCH_OPTIONS='-n {ranks} --ppn {ranks_per_node} --depth=$(( 102 / {ranks_per_node} )) --cpu-bind=depth'
SITE_LEAF=${SITE_LEAF:-python}

# Apptainer is on the compute nodes, and wants --fakeroot there. What is exported below does not reach into images.
SITE_CONTAINER_RUNTIME=apptainer
SITE_CONTAINER_OPTIONS="--fakeroot --env ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE --env ZE_ENABLE_PCI_ID_DEVICE_ORDER=1"

site_launch() {
  # SWIFT_T: the folder of your own Swift/T, with stc/bin and turbine/bin in it.
  export PATH="${SWIFT_T:+$SWIFT_T/stc/bin:$SWIFT_T/turbine/bin:}$PATH"
}

site_worker() {
  module load apptainer
  export ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE ZE_ENABLE_PCI_ID_DEVICE_ORDER=1
  # Ranks send no data of GPUs.
  export MPIR_CVAR_ENABLE_GPU=0
}
