#!/usr/bin/env bash
# The test suite: sets itself up, then checks style, types and behaviour. Options go to pytest.
# With --images first, the suite of images instead: it builds the models' images and runs them, where it can.
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh test
bin=$PWD/.venv/bin
if [ "${1:-}" = --images ]; then
  shift
  exec "$bin/pytest" -rs test/images "$@" # one after the other: they share what they build
fi
code=(python containers test scripts .ci)
"$bin/ruff" check --quiet "${code[@]}"
"$bin/ruff" format --check --quiet "${code[@]}"
"$bin/mypy" --no-error-summary python containers/common containers/uno containers/lgbm containers/graphdrp
find . -path ./.venv -prune -o -path ./images -prune -o -name '*.sh' -print0 | xargs -0 "$bin/shellcheck" .ci/run
exec "$bin/pytest" -n auto --dist loadfile "$@" # by file: what the tests of a file share is made once
