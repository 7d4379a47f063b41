# shellcheck shell=bash
# Sourced by train.sh, preprocess.sh and infer.sh: where the model's code is, and how it is started.

# In an image the scripts stand in /usr/local/bin and the code where UNO_FOLDER says.
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
model=${UNO_FOLDER:-$here}

export PYTHONPATH="$model:$model/../common:$model/../../python${PYTHONPATH:+:$PYTHONPATH}"
# One thread: small networks lose by more, and as many models run at once as there are cores.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}

# stage NAME ARGUMENTS...: the data folder is absolute by now, so any working folder will do.
stage() {
    exec python3 -m uno.command_line "$@"
}

# use_data FOLDER: the data folder of this run.
use_data() {
    if ! CANDLE_DATA_DIR=$(cd "$1" 2>/dev/null && pwd); then
        echo "$(basename "$0"): data folder '$1': no such folder" >&2
        exit 2
    fi
    export CANDLE_DATA_DIR IMPROVE_DATA_DIR=$CANDLE_DATA_DIR
}
