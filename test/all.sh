#!/usr/bin/env bash
# The test suite: sets itself up, then checks style, types and behaviour. Options go to pytest.
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh test
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check . 
$bin/mypy python/comparator python/eqpy.py
git ls-files -z '*.sh' | xargs -0 -r $bin/shellcheck
exec $bin/pytest "$@"
