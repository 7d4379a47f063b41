#!/usr/bin/env bash
# Train a model on each study and test it on all: ./test/cross-study.sh [SITE] [OPTIONS of comparator cross-study]
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
case "${1:-}" in "" | -*) site=local ;; *) site=$1 && shift ;; esac
"$root/scripts/known-site.sh" "$site"
"$root/scripts/setup.sh"
exec "$root/.venv/bin/comparator" cross-study "$root/cfg/cross-study.toml" --site "$site" "$@"
