#!/usr/bin/env bash
# Predict with a trained model of drevalpy.
#   infer.sh DEVICE DATA_FOLDER --model_dir FOLDER [--test_sources STUDY ...] [--output_dir FOLDER]
#   infer.sh --model_dir FOLDER ...    the data folder is --input_data_dir or CANDLE_DATA_DIR
# Writes test_scores.json, test_y_data_predicted.csv and, which rows these are, test_rows.txt into --output_dir, else
# into the model's folder; with --separate_tests True into a folder there for each study.
set -eu
# shellcheck source-path=SCRIPTDIR source=../common/run.sh
. "$(dirname "$(readlink -f "$0")")/../common/run.sh"
module=drevalpy_adapter
run_stage infer "--model_dir FOLDER [--test_sources STUDY ...]" "$@"
