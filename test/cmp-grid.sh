#!/usr/bin/env bash
# The difference of two Unos over noise and layer size (the paper's Figure 5a): ./test/cmp-grid.sh [SITE] [OPTIONS of comparator sweep]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" sweep "$root/cfg/cmp-grid.toml" --site "$site" "$@"
