#!/usr/bin/env bash
# Prepare the data folder, the graphs of the drugs too, or check that it is prepared and has the studies that are named.
#   preprocess.sh DATA_FOLDER [CONFIG] [--name value ...]
#   preprocess.sh --name value ...     the data folder is --input_dir or CANDLE_DATA_DIR
# With --count_rows True the last lines are `IMPROVE_RESULT training_rows: N` and `... validation_rows: N`.
# With --count_rows_by drugs (cells, cell_types) one is `ROWS_BY_NAME {"NAME": N, ...}`.
# Exits with 2 and one line on standard error where a study is missing or the folder cannot be written.
set -eu
# shellcheck source-path=SCRIPTDIR source=../common/run.sh
. "$(dirname "$(readlink -f "$0")")/../common/run.sh"
run_stage preprocess "[CONFIG] [--name value ...]" "$@"
