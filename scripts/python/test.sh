#!/usr/bin/env bash
# Tests the Python package as users get it: the wheel in a fresh environment, without Rust on the path.
#
#   test.sh            builds the wheel in the development profile and tests it
#   test.sh --fetch    only installs what the tests need
#   test.sh FLAGS…     the same with flags for maturin, such as --no-default-features; without the demo
#
# Types and stubs, python/tests, the notebooks of docs/notebooks, and the demo with a small model.
# $SURENESS_TEST_GGUF names the model; without one it is fetched, and without a network the demo is
# skipped, except in CI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tools=$(realpath -m "${SURENESS_TOOLS_DIR:-.tools}/python")
venv=$tools/venv
requirements=python/tests/requirements.txt
say() { printf 'test-python: %s\n' "$*" >&2; }

[[ -x $venv/bin/python ]] || python3 -m venv "$venv" || {
    say "hint: apt-get install python3-venv"
    exit 1
}
# The mark holds what was installed, so that another version is installed over it.
if ! cmp -s "$requirements" "$tools/requirements.txt"; then
    say "installing what $requirements names"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$tools/requirements.txt"
fi
[[ ${1:-} == --fetch ]] && exit

scripts/require.sh cargo python c++
tools_line=$(scripts/native-tools.sh)
eval "$tools_line"
source scripts/test-env.sh
rm -rf "$tools/wheels"
scripts/python/wheel.sh "$tools/wheels" --dev "$@"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
    "$tools"/wheels/*.whl

# From here on as users have it: no Rust, no checkout on the path of modules.
unset PYTHONPATH
export PATH=$venv/bin:/usr/bin:/bin
export SURENESS_SHARED=${SURENESS_SHARED:-$PWD/../shared}
for tool in cargo rustc; do
    ! command -v "$tool" >/dev/null || say "note: $tool is in ${PATH#*:}"
done
failed=()
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
# beside NAME COMMAND…: while the tests run, which need one processor most of the time.
declare -A beside
beside() {
    local name=$1
    shift
    "$@" >"$said/$name" 2>&1 &
    beside[$name]=$!
}
# outcome NAME: waits for it and shows what it said.
outcome() {
    say "$1"
    wait "${beside[$1]}" || failed+=("$1")
    cat "$said/$1"
}
beside mypy mypy python/sureness
beside stubtest python -m mypy.stubtest sureness._sureness
# Two of the tests run a model.
if [[ -z ${SURENESS_TEST_GGUF:-} ]] && (($# == 0)) && sureness model fetch; then
    SURENESS_TEST_GGUF=$(sureness model where)
    export SURENESS_TEST_GGUF
fi
model=${SURENESS_TEST_GGUF:-}
demo() {
    sureness demo --gguf "$model" --sample-size 4 --output-dir "$said/results"
    sureness report "$said/results" --output "$said/report.html"
}
if (($#)); then
    say "flags are given; the demo is skipped"
elif [[ -n $model ]]; then
    beside demo demo
elif [[ -n ${CI:-} ]]; then
    say "CI is set, but there is no model"
    failed+=("demo")
else
    say "no model; the demo is skipped"
fi
say "tests"
python -m pytest -q -p no:cacheprovider python/tests || failed+=("pytest")
for name in mypy stubtest ${beside[demo]:+demo}; do
    outcome "$name"
done
# Last, where somebody reads who has only the end of the log.
if ((${#failed[@]})); then
    say "failed: ${failed[*]}"
    exit 1
fi
