#!/usr/bin/env bash
# Train Uno.
#   train.sh DEVICE DATA_FOLDER [CONFIG] [--name value ...]
#   train.sh --name value ...          the data folder is --input_dir or CANDLE_DATA_DIR
# DEVICE goes to CUDA_VISIBLE_DEVICES; CONFIG is a file of hyperparameters under DATA_FOLDER. Output goes to
# --output_dir, else to DATA_FOLDER/Uno/Output/EXPERIMENT_ID/RUN_ID. The last line is
# `IMPROVE_RESULT val_loss: NUMBER`.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

if [[ ${1:---} != --* ]]; then
    if (($# < 2)); then
        echo "usage: train.sh DEVICE DATA_FOLDER [CONFIG] [--name value ...]" >&2
        exit 2
    fi
    export CUDA_VISIBLE_DEVICES=$1
    use_data "$2"
    shift 2
fi
stage train "$@"
