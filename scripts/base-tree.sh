#!/usr/bin/env bash
# Make an unpacked root file system to build images from where no image registry is reached.
#   ./scripts/base-tree.sh FOLDER
# It is Debian's smallest with Python; wants mmdebstrap (a package of Debian's), and root or user namespaces.
# ./scripts/build-container.sh NAME --base FOLDER then builds from it what it would build from the public base image.
set -euo pipefail

die() {
  echo "base-tree.sh: $*" >&2
  exit 2
}

folder=${1:---help}
if [[ $folder == -h || $folder == --help ]]; then
  sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
fi
command -v mmdebstrap >/dev/null || die "there is no mmdebstrap on the PATH (Debian: apt install mmdebstrap)"
[[ ! -e $folder ]] || die "$folder is there already"

mode=unshare
[[ $(id -u) != 0 ]] || mode=root
mkdir -p "$(dirname "$folder")"
part=$(mktemp -d "$folder.part-XXXXXX")
# Where it is interrupted there may be mounts in it: none of those is to be emptied.
trap 'rm -rf --one-file-system "$part" 2>/dev/null' EXIT
mmdebstrap --quiet --mode="$mode" --variant=minbase --include=python3,python3-pip,ca-certificates \
  "${SUITE:-bookworm}" "$part/root"
# A build in a user namespace may not copy device nodes; a runtime brings its own.
find "$part/root/dev" -mindepth 1 -delete
mv --no-target-directory "$part/root" "$folder"
echo "root file system: $folder"
