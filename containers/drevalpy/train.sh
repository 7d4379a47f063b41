#!/usr/bin/env bash
# Train a model of drevalpy, the one that --drevalpy_model names.
#   train.sh DEVICE DATA_FOLDER [CONFIG] [--name value ...]
#   train.sh --name value ...          the data folder is --input_dir or CANDLE_DATA_DIR
# DEVICE goes to CUDA_VISIBLE_DEVICES; CONFIG is a file of hyperparameters under DATA_FOLDER. Output goes to
# --output_dir, else to DATA_FOLDER/drevalpy/Output/EXPERIMENT_ID/RUN_ID. The last line is
# `IMPROVE_RESULT val_loss: NUMBER`.
set -eu
# shellcheck source-path=SCRIPTDIR source=../common/run.sh
. "$(dirname "$(readlink -f "$0")")/../common/run.sh"
module=drevalpy_adapter
run_stage train "[CONFIG] [--name value ...]" "$@"
