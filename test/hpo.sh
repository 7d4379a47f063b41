#!/usr/bin/env bash
# Search one model's own hyperparameters: ./test/hpo.sh [SITE] [OPTIONS of comparator search]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" search "$root/cfg/hpo.toml" --site "$site" "$@"
