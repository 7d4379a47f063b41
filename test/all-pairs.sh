#!/usr/bin/env bash
# Compare all pairs of several models, each trained once a point: ./test/all-pairs.sh [SITE] [OPTIONS of comparator all-pairs]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" all-pairs "$root/cfg/all-pairs.toml" --site "$site" "$@"
