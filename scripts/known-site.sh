#!/usr/bin/env bash
# Asked by the workflows before a set-up that takes minutes, whether there is a site of this name: scripts/known-site.sh SITE
set -eu
root=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for file in "$root"/sites/*.sh "${COMPARATOR_ROOT:-$root}"/sites/*.sh; do
  [ ! -f "$file" ] || basename "$file" .sh
done | grep -vx template | sort -u | {
  mapfile -t known
  for name in "${known[@]}"; do
    [ "$name" != "$1" ] || exit 0
  done
  printf -v listed ', %s' "${known[@]}"
  echo "comparator: no site '$1'; there are: ${listed:2} (in $root/sites)" >&2
  exit 2
}
