#!/usr/bin/env bash
# Style and types, which the test suite and a commit have to pass: scripts/check.sh [lint|format|types|shell], or all four.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
code=(python containers test scripts .ci)

lint() { "$bin/ruff" check --quiet "${code[@]}"; }

format() { "$bin/ruff" format --check --quiet "${code[@]}"; }

types() {
  "$bin/mypy" --no-error-summary python containers/common containers/uno containers/lgbm containers/graphdrp
}

shell() {
  find . -path ./.venv -prune -o -path ./images -prune -o -name '*.sh' -print0 | xargs -0 "$bin/shellcheck" .ci/run
}

case ${1:-all} in
  all) lint && format && types && shell ;;
  lint | format | types | shell) "$1" ;;
  *) echo "check.sh: '$1': lint, format, types, shell, or nothing for all of them" >&2 && exit 2 ;;
esac
