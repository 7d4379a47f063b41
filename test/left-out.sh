#!/usr/bin/env bash
# Leave each part of the training data out, and see what changes: ./test/left-out.sh [SITE] [OPTIONS of comparator left-out]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" left-out "$root/cfg/left-out.toml" --site "$site" "$@"
