# shellcheck shell=bash
# Sourced by every model's train.sh, preprocess.sh and infer.sh: how a stage of a model is called, and started.
#   train.sh DEVICE DATA_FOLDER [CONFIG] [--name value ...]    infer.sh alike; preprocess.sh takes no DEVICE
#   train.sh --name value ...                                  the data folder is --input_dir or CANDLE_DATA_DIR
# DEVICE goes to CUDA_VISIBLE_DEVICES; CONFIG is a file of hyperparameters under DATA_FOLDER.

common=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
model=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

export PYTHONPATH="$model:$common:$common/../../python${PYTHONPATH:+:$PYTHONPATH}"
# One thread: small models lose by more, and as many run at once as there are cores.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}

# use_data FOLDER: the data folder of this run.
use_data() {
    if ! CANDLE_DATA_DIR=$(cd "$1" 2>/dev/null && pwd); then
        echo "$(basename "$0"): data folder '$1': no such folder" >&2
        exit 2
    fi
    export CANDLE_DATA_DIR IMPROVE_DATA_DIR=$CANDLE_DATA_DIR
}

# run_stage STAGE USAGE ARGUMENTS...: run a stage of the model, whose module is $module, else has its folder's name.
run_stage() {
    local stage=$1 usage=$2
    shift 2
    if [[ ${1:---} != --* ]]; then
        if [[ $stage != preprocess ]]; then
            if (($# < 2)); then
                echo "usage: $(basename "$0") DEVICE DATA_FOLDER $usage" >&2
                exit 2
            fi
            export CUDA_VISIBLE_DEVICES=$1
            shift
        fi
        use_data "$1"
        shift
    fi
    # Not by -m, which would look for the model's modules in the working folder first.
    exec python3 -c '
import sys
sys.path[:] = filter(None, sys.path)
from drug_response.stages import main
sys.exit(main(sys.argv[1:]))' "${module:-$(basename "$model")}" "$stage" "$@"
}
