# Any cluster with Slurm. Devices and limits by variables of the environment; for a machine that you use more often
# than once, copy template.sh.
# shellcheck shell=bash disable=SC2034

SITE_DESCRIPTION="any Slurm cluster: SITE_DEVICES, SITE_DIRECTIVES and the like in the environment describe it"
SITE_ENGINES="swift-t local"

CANDLE_DATA_DIR=${CANDLE_DATA_DIR:-$COMPARATOR_ROOT/data}

SITE_DEVICES=${SITE_DEVICES:-0}
SITE_MODELS_PER_DEVICE=${SITE_MODELS_PER_DEVICE:-1}
SITE_DEVICE_VARIABLE=${SITE_DEVICE_VARIABLE:-CUDA_VISIBLE_DEVICES}
SITE_DEVICE_ORDER=${SITE_DEVICE_ORDER:-ascending}
SITE_CORES=${SITE_CORES:-}

SITE_SCHEDULER=slurm
# The job's script is written from this file; swift-t: from Swift/T's own template.
SITE_JOB_SCRIPT=${SITE_JOB_SCRIPT:-comparator}
SITE_NODES=${SITE_NODES:-1}
SITE_WORKERS_PER_NODE=${SITE_WORKERS_PER_NODE:-}
SITE_WALLTIME=${SITE_WALLTIME:-01:00:00}
SITE_QUEUE=${SITE_QUEUE:-}
SITE_PROJECT=${SITE_PROJECT:-}
# Further lines for the scheduler, one for each line, such as: --gres=gpu:4
SITE_DIRECTIVES=${SITE_DIRECTIVES:-}
# Further options of srun.
SITE_LAUNCH_OPTIONS=${SITE_LAUNCH_OPTIONS:-}
SITE_LEAF=${SITE_LEAF:-python}

SITE_CONTAINER_RUNTIME=${SITE_CONTAINER_RUNTIME:-}
SITE_CONTAINER_OPTIONS=${SITE_CONTAINER_OPTIONS:-}
SITE_IMAGE_FOLDER=${SITE_IMAGE_FOLDER:-}

# Ranks are started by srun unless the site's Swift/T wants another launcher.
export TURBINE_LAUNCHER=${TURBINE_LAUNCHER:-srun}
