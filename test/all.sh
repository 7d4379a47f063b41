#!/usr/bin/env bash
# The test suite: sets itself up, then checks style, types and behaviour. Options go to pytest.
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh test
bin=$PWD/.venv/bin
code=(python containers test)
"$bin/ruff" check --quiet "${code[@]}"
"$bin/ruff" format --check --quiet "${code[@]}"
"$bin/mypy" --no-error-summary python containers/common containers/uno containers/lgbm containers/graphdrp
find . -path ./.venv -prune -o -name '*.sh' -print0 | xargs -0 "$bin/shellcheck" .ci/run
exec "$bin/pytest" -n auto "$@"
