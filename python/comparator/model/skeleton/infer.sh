#!/usr/bin/env bash
# Predict with a trained @NAME@.
#   infer.sh DEVICE DATA_FOLDER --model_dir FOLDER [--test_sources STUDY ...] [--output_dir FOLDER]
#   infer.sh --input_model_dir FOLDER ...    the data folder is IMPROVE_DATA_DIR or CANDLE_DATA_DIR
# Writes test_scores.json and test_y_data_predicted.csv.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
if [[ ${1:---} != --* ]]; then
  export CUDA_VISIBLE_DEVICES=$1 CANDLE_DATA_DIR=${2:?the second argument is the data folder}
  shift 2
fi
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
# As -m does, but for the working folder, which may hold something of the same name.
exec python3 -c 'import runpy, sys
sys.path[:] = filter(None, sys.path)
runpy.run_module("@NAME@", run_name="__main__")' infer "$@"
