# This machine: no scheduler, one worker for each core.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="this machine: no scheduler, one worker for each core"
SITE_ENGINES="local swift-t"

# Where models find their data; made on first use.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

# Devices: none, so that every core is a place for one training. On a machine with two GPUs, on each of which
# two small models may run side by side: SITE_DEVICES=2 SITE_MODELS_PER_DEVICE=2.
SITE_DEVICES=${SITE_DEVICES:-0}
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
# Trainings that a worker gives at once to a model with run_many(params_list).
SITE_TOGETHER=${SITE_TOGETHER:-1}
SITE_DEVICE_VARIABLE=${SITE_DEVICE_VARIABLE:-CUDA_VISIBLE_DEVICES}

# Trainings at a time where there are no devices; empty: one for each core.
SITE_CORES=${SITE_CORES:-}
SITE_LEAF=${SITE_LEAF:-python}

# What runs models in images: apptainer or charliecloud; empty: the first that there is.
SITE_CONTAINER_RUNTIME=${SITE_CONTAINER_RUNTIME:-}
SITE_CONTAINER_OPTIONS=${SITE_CONTAINER_OPTIONS:-}
SITE_IMAGE_FOLDER=${SITE_IMAGE_FOLDER:-}
