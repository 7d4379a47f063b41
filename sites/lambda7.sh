# Lambda7, Argonne: one node, two 20-core Xeons, eight V100, no scheduler. Contact: the machine's own admins.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="Lambda7, Argonne: one node of 8 V100, no scheduler (untested on the machine)"
SITE_ENGINES="swift-t local"

# Data and experiments of all users of the node may stand beside each other: set CANDLE_DATA_DIR for your own.
CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

SITE_DEVICES=${SITE_DEVICES:-8}
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
SITE_DEVICE_VARIABLE=CUDA_VISIBLE_DEVICES
SITE_LEAF=${SITE_LEAF:-python}
