#!/usr/bin/env bash
# Train a model on more and more rows of each study: ./test/learning-curve.sh [SITE] [OPTIONS of comparator learning-curve]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" learning-curve "$root/cfg/learning-curve.toml" --site "$site" "$@"
