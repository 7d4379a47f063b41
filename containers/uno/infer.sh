#!/usr/bin/env bash
# Predict with a trained Uno.
#   infer.sh DEVICE DATA_FOLDER --model_dir FOLDER [--test_sources STUDY ...] [--output_dir FOLDER]
#   infer.sh --model_dir FOLDER ...    the data folder is --input_data_dir or CANDLE_DATA_DIR
# Writes test_scores.json, test_y_data_predicted.csv and, which rows these are, test_rows.txt into --output_dir, else
# into the model's folder; with --separate_tests True into a folder there for each study.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

if [[ ${1:---} != --* ]]; then
    if (($# < 2)); then
        echo "usage: infer.sh DEVICE DATA_FOLDER --model_dir FOLDER [--test_sources STUDY ...]" >&2
        exit 2
    fi
    export CUDA_VISIBLE_DEVICES=$1
    use_data "$2"
    shift 2
fi
stage infer "$@"
