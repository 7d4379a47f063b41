#!/usr/bin/env bash
# Installs Apptainer, Charliecloud and what the tests of images need, from Debian's packages. As root, on amd64.
#
# Debian has Apptainer in its newest suite only, built against a glibc that an older release lacks. All it takes from
# there are strtol and its kin under the names that newer headers give them; older_glibc.py points these references at
# the old names, and apt installs the package with the dependencies that it then has.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export DEBIAN_FRONTEND=noninteractive

say() { echo "install-apptainer: $*" >&2; }

packages=(squashfs-tools squashfuse fuse3 uidmap fakeroot mmdebstrap charliecloud python3-venv)
if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null || [[ $(dpkg --print-architecture) != amd64 ]]; then
  say "only as root on Debian for amd64"
  exit 1
fi

apt_get() { apt-get -qq -y -o DPkg::Lock::Timeout=600 -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0 "$@"; }

work=$(mktemp -d)
chmod 755 "$work" # apt fetches as a user of its own
trap 'rm -rf "$work"' EXIT

is_installed() { [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
missing=()
for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
if ((${#missing[@]})) || ! apptainer --version >/dev/null 2>&1; then
  apt_get update
fi
((${#missing[@]} == 0)) || apt_get install "${missing[@]}" >/dev/null

fetch_newest() { # into $work, with lists of its own, so that the machine's own sources stay as they are
  local mirror
  # shellcheck disable=SC2016 # apt's own variables
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
  [[ -n $mirror ]] || { say "apt knows no mirror of Debian" && return 1; }
  mkdir -p "$work/lists/partial" "$work/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
  local own=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache=$work" -o APT::Sandbox::User=root -o Acquire::Languages=none -o APT::Update::Post-Invoke-Success::=
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  (cd "$work" && apt_get "${own[@]}" update && apt_get "${own[@]}" download apptainer)
}

if ! apptainer --version >/dev/null 2>&1; then
  if apt-get -s install apptainer >/dev/null 2>&1; then
    apt_get install apptainer >/dev/null
  else
    say "fetching Apptainer of Debian's newest suite"
    fetch_newest
    package=$(echo "$work"/apptainer_*.deb)
    dpkg-deb --raw-extract "$package" "$work/package"
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet --disable-pip-version-check 'pyelftools>=0.31'
    glibc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
    find "$work/package" -type f -not -path '*/DEBIAN/*' -print0 |
      xargs -0 "$work/python/bin/python" "$here/older_glibc.py" "$glibc"
    sed -i -e "s/libc6 (>= [^)]*)/libc6 (>= $glibc)/" -e "s/^\(Version: .*\)/\1~glibc$glibc/" \
      -e '/^\(Static-\)\?Built-Using:/d' "$work/package/DEBIAN/control"
    rm -f "$work/package/DEBIAN/md5sums"
    dpkg-deb --root-owner-group -Zxz -z1 --build "$work/package" "$work/apptainer.deb" >/dev/null
    apt_get install "$work/apptainer.deb" >/dev/null
  fi
fi

# An ordinary user mounts images through FUSE, whose device is root's alone where nothing set it up.
[[ ! -e /dev/fuse ]] || chmod 666 /dev/fuse

# Builds run with --fakeroot, in a user namespace, which wants a range of user and group numbers.
for file in /etc/subuid /etc/subgid; do
  touch "$file"
  grep -q '^root:' "$file" || echo 'root:1000000:65536' >>"$file"
done

# Where root itself lacks a capability, as in many virtual machines, Apptainer may ask only for those that it has.
python3 "$here/root_capabilities.py"

apptainer --version
