#!/usr/bin/env bash
# Evaluate every line of cfg/upf-1.txt: ./test/upf-1.sh [SITE] [OPTIONS of comparator sweep]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" sweep "$root/cfg/upf-1.toml" --site "$site" "$@"
