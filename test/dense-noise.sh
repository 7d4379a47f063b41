#!/usr/bin/env bash
# Uno's loss over noise and layer size, for each study alone (the paper's Figure 4): ./test/dense-noise.sh [SITE] [OPTIONS of comparator sweep]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" sweep "$root/cfg/dense-noise.toml" --site "$site" "$@"
