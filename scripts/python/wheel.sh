#!/usr/bin/env bash
# Builds the Python wheel with maturin, which pip brings into .tools/.
#
#   wheel.sh FOLDER [FLAGS…]         for users, optimised
#   wheel.sh FOLDER --dev [FLAGS…]   for tests: from what the build of the tests has compiled
#
# FLAGS go to maturin, such as --no-default-features for a wheel without llama.cpp and NATS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=${1:?name a folder}
shift
tools=${SURENESS_TOOLS_DIR:-.tools}/python
maturin=1.16.0
profile=(--release)
if [[ ${1:-} == --dev ]]; then
    shift
    # Neither symbols nor a small file are of use to the tests.
    profile=(--strip --compression-level 1)
fi

if [[ ! -x $tools/maturin/bin/maturin || $(<"$tools/maturin/version") != "$maturin" ]]; then
    python3 -m venv "$tools/maturin" || {
        printf 'hint: apt-get install python3-venv\n' >&2
        exit 1
    }
    "$tools/maturin/bin/python" -m pip install --quiet --disable-pip-version-check "maturin==$maturin"
    printf '%s' "$maturin" >"$tools/maturin/version"
fi
# The wheel is for this machine, as is the binary of `make build`: no check for older systems.
"$tools/maturin/bin/maturin" build --locked --quiet "${profile[@]}" --compatibility linux --out "$out" "$@"
