#!/usr/bin/env bash
# Prepare the data folder for @NAME@, once; a second call finds that it is done.
#   preprocess.sh DATA_FOLDER [--name value ...]
#   preprocess.sh --name value ...  the data folder is IMPROVE_DATA_DIR or CANDLE_DATA_DIR
# Exits with 2 and one line where the data do not have what the flags ask for.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
if [[ ${1:---} != --* ]]; then
  export CANDLE_DATA_DIR=$1
  shift
fi
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
# As -m does, but for the working folder, which may hold something of the same name.
exec python3 -c 'import runpy, sys
sys.path[:] = filter(None, sys.path)
runpy.run_module("@NAME@", run_name="__main__")' preprocess "$@"
