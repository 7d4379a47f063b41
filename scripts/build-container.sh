#!/usr/bin/env bash
# Build the image of a model in containers/.
#   ./scripts/build-container.sh NAME [--base FOLDER] [--output FILE] [further options of apptainer build]
# Writes images/NAME.sif and its description beside it. Needs Apptainer (or Singularity) and user namespaces, no root.
# --base starts from an unpacked root file system, as base-tree.sh makes, in the place of the public base image that the
# definition file names.
set -euo pipefail

project=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
  echo "build-container.sh: $*" >&2
  exit 2
}

name=${1:---help}
if [[ $name == -h || $name == --help ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
fi
shift
base='' output=$project/images/$name.sif further=()
while (($#)); do
  case $1 in
    --base) base=$(cd "${2:?--base wants a folder}" 2>/dev/null && pwd) || die "--base $2: no such folder" && shift 2 ;;
    --output) output=$(realpath -m "${2:?--output wants a file}") && shift 2 ;;
    *) further+=("$1") && shift ;;
  esac
done

shopt -s nullglob
there=("$project"/containers/*/*.def)
found=("$project/containers/$name"/*.def)
((${#found[@]} == 1)) || die "no definition file for '$name'; there are:" \
  "$(for file in "${there[@]}"; do basename "$(dirname "$file")"; done | tr '\n' ' ')"
runtime=$(command -v apptainer || command -v singularity) || die "there is neither apptainer nor singularity on the PATH"

definition=$(mktemp --suffix .def)
trap 'rm -f "$definition"' EXIT
if [[ -n $base ]]; then
  printf 'Bootstrap: localimage\nFrom: %s\n' "$base" >"$definition"
  sed '1,/^From:/d' "${found[0]}" >>"$definition"
else
  cp "${found[0]}" "$definition"
fi

# Where this host trusts certificates of its own, what is downloaded while building has to trust them too.
if [[ -n ${SSL_CERT_FILE:-} ]]; then
  further+=(--bind "$SSL_CERT_FILE:/etc/ssl/certs/ca-certificates.crt")
fi
# Where its pip looks for packages in a folder of its own, that of the image does too.
if [[ -d ${PIP_FIND_LINKS:-} ]]; then
  further+=(--bind "$PIP_FIND_LINKS:/mnt")
fi

# %files are read from the working folder.
mkdir -p "$(dirname "$output")"
cd "$project"
"$runtime" build --fakeroot --force --mksquashfs-args "-comp zstd -Xcompression-level 3" \
  ${further[@]+"${further[@]}"} "$output" "$definition"
# For hosts without a runtime, the login nodes of a cluster say: what the image says of itself.
cp "$project/containers/$name/model.toml" "$output.toml"
echo "image: $output"
