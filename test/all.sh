#!/usr/bin/env bash
# The test suite: sets itself up, then checks style, types and behaviour. Options go to pytest;
# --hypothesis-profile=search has the tests of properties look for examples that no run has tried.
# With --ordinary first, without the long tests: what to run at every change.
# With --images first, the suite of images instead: it builds the models' images and runs them, where it can.
# With --coverage first, it also says which lines of the package no test runs; that takes longer.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
scripts/setup.sh test
unset PYTHONDONTWRITEBYTECODE # hundreds of processes would each compile the package anew
pytest=$PWD/.venv/bin/pytest
if [ "${1:-}" = --images ]; then
  shift
  exec "$pytest" -rs test/images "$@" # one after the other: they share what they build
fi
scripts/check.sh
if [ "${1:-}" = --ordinary ]; then
  shift
  # Most of its tests wait for processes of their own: two of them for each core keep it busy.
  set -- -m "not long" -n "$((2 * $(getconf _NPROCESSORS_ONLN)))" "$@"
fi
if [ "${1:-}" = --coverage ]; then
  shift
  set -- --cov --cov-report=term:skip-covered --cov-report=html "$@"
fi
exec "$pytest" -n auto --dist loadfile "$@" # by file: what the tests of a file share is made once
