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
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec python3 -m @NAME@ preprocess "$@"
