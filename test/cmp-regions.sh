#!/usr/bin/env bash
# Find under which conditions two Uno models differ: ./test/cmp-regions.sh [SITE] [OPTIONS of comparator search]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" search "$root/cfg/cmp-regions.toml" --site "$site" "$@"
