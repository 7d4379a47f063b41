#!/usr/bin/env bash
# Train @NAME@.
#   train.sh DEVICE DATA_FOLDER [--name value ...]
#   train.sh --name value ...      the data folder is IMPROVE_DATA_DIR or CANDLE_DATA_DIR
# Prints a line `IMPROVE_RESULT metric: number` for each metric; exits with 2 and one line where a value is wrong.
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
runpy.run_module("@NAME@", run_name="__main__")' train "$@"
