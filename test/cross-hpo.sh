#!/usr/bin/env bash
# Tune models on each study, and say what the settings cost on the others: ./test/cross-hpo.sh [SITE] [OPTIONS of comparator cross-hpo]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" cross-hpo "$root/cfg/cross-hpo.toml" --site "$site" "$@"
