#!/usr/bin/env bash
# What must hold before a change is merged; `make test` calls it.
#
#   test.sh        all of it but the next
#   test.sh bare   that all compiles without llama.cpp and the other default features
#   test.sh lint   format and lints alone
#
# All in the dev profile, so that llama.cpp is compiled once. What needs few processors goes beside what
# needs many. The tests with a real model and a real server are skipped, and say so, where these cannot
# be had; with CI set that is an error, except where no such server runs on the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n== %s\n' "$*"; }
# run COMMAND…: as it is, under its own heading.
run() {
    step "$*"
    "$@"
}
skipping() { printf 'test.sh: no %s; the tests that need one are skipped\n' "$1" >&2; }
# without WHAT: goes on without it, except in CI.
without() {
    skipping "$1"
    [[ -z ${CI:-} ]] || {
        printf 'error: CI is set, where nothing that can be fetched may be missing\n' >&2
        exit 1
    }
}

if [[ ${1:-} == bare ]]; then
    scripts/require.sh cargo
    run cargo check --workspace --no-default-features --locked
    exit
fi
scripts/require.sh cargo rust-tools python c++

# The server and its model are kept there.
servers=${SURENESS_LLAMA_SERVER:-$PWD/.tools/servers}
said=$(mktemp -d)
clean_up() {
    xargs -r kill <<<"$(jobs -p)" 2>/dev/null || true
    rm -rf "$said"
}
trap clean_up EXIT

# fetch NAME COMMAND…: beside what follows, which waits for processors more than for networks.
declare -A fetches
fetch() {
    local name=$1
    shift
    "$@" >"$said/$name" 2>&1 &
    fetches[$name]=$!
}
# fetched NAME: waits for it, shows what it said and returns its exit code.
fetched() {
    local code=0
    wait "${fetches[$1]}" || code=$?
    cat "$said/$1" >&2
    return "$code"
}

tools=
if [[ ${1:-} != lint ]]; then
    step native tools
    tools=$(scripts/native-tools.sh)
    fetch server scripts/servers/llama-server.sh "$servers" --fetch
fi

for script in .ci/run scripts/*.sh scripts/python/*.sh scripts/servers/*.sh deploy/slurm/*; do
    bash -n "$script"
done
# ready_files: checks them; 3 if what checks them cannot be had.
ready_files() {
    scripts/check-deploy.sh fetch || return 3
    scripts/check-deploy.sh
}
fetch deploy ready_files
run cargo fmt --all --check

eval "${tools:-$(scripts/native-tools.sh)}"
# about_ready_files: waits for their check.
about_ready_files() {
    local code=0
    step ready files for clusters
    fetched deploy || code=$?
    ((code != 3)) || {
        without "validators"
        return 0
    }
    return "$code"
}
if [[ ${1:-} == lint ]]; then
    run cargo clippy --workspace --all-targets --locked -- -D warnings
    about_ready_files
    exit
fi
source scripts/test-env.sh

run python3 crates/questions/pack/build/main.py --check

# The lints too. The same selection as the tests, so that nothing is compiled again with other features.
run cargo build --workspace --lib --bins --tests --examples --locked
sureness=${CARGO_TARGET_DIR:-target}/debug/sureness
about_ready_files

step model
if [[ -n ${SURENESS_TEST_GGUF:-} ]]; then
    printf 'as given: %s\n' "$SURENESS_TEST_GGUF"
elif "$sureness" model fetch; then
    SURENESS_TEST_GGUF=$("$sureness" model where)
    export SURENESS_TEST_GGUF
else
    without "model"
fi

step llama-server
# start_server: one server that any test may ask; its address goes to SURENESS_TEST_SERVER.
start_server() {
    local port log=$servers/llama-server.log
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # 1,024 tokens for each of four: with few-shot examples in front, the noise floor alone would
    # take minutes.
    scripts/servers/llama-server.sh "$servers" "$port" --ctx-size 4096 >"$log" 2>&1 &
    server=$!
    for _ in {1..120}; do
        if python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/health')" 2>/dev/null; then
            export SURENESS_TEST_SERVER=http://127.0.0.1:$port/v1
            printf 'llama-server answers at %s\n' "$SURENESS_TEST_SERVER"
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.5
    done
    tail -n 5 "$log" >&2
    return 1
}

code=0
fetched server || code=$?
if ((code == 3)); then
    skipping "llama-server that this machine can run"
elif ((code)); then
    without "llama-server"
else
    if [[ -n ${SURENESS_TEST_SERVER:-} ]]; then
        printf 'as given: %s\n' "$SURENESS_TEST_SERVER"
    else
        start_server || without "server that answers"
    fi
fi

# programs: each test program behind the folder of its package, where cargo would run it.
programs() {
    cargo test --workspace --locked --no-run --message-format=json | python3 -c '
import json, os, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["profile"]["test"]:
        print(os.path.dirname(message["manifest_path"]), message["executable"])'
}
# run_tests PROGRAMS: all of them, even if some fail.
run_tests() {
    local folder program code=0
    while read -r folder program; do
        step "tests of ${folder##*/}: ${program##*/}"
        (cd "$folder" && "$program" </dev/null) || code=$?
    done <<<"$1"
    return "$code"
}

# Snapshots are compared, never rewritten.
export INSTA_UPDATE=no
code=0
all=$(programs)
# The tests of the command line wait for servers most of the time, so that others go beside them. Those
# of the scorers run a model on one core, and go beside each other: a server's model would spin on both.
lane() { grep -E "$1" <<<"$all"; }
RUST_TEST_THREADS=4 fetch commands run_tests "$(lane '/cli /.*/it-')"
run_tests "$(grep -vE '/cli /.*/it-|/scorers ' <<<"$all")" || code=$?
step tests of the command line
fetched commands || code=$?
# More threads than cores: one at a time runs the model, and others wait for servers.
RUST_TEST_THREADS=6 fetch scorers run_tests "$(lane '/scorers /.*/it-')"
run_tests "$(lane '/scorers /.*/sureness_scorers-')" || code=$?
fetched scorers || code=$?
run cargo test --workspace --locked --doc --no-fail-fast || code=$?
exit "$code"
