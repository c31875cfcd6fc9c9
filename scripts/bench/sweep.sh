#!/usr/bin/env bash
# The default settings beside fixed ones, against a real server that is started anew, with a cold
# cache, for each: real five-shot MMLU questions, one row per setting.
#
#   sweep.sh llama-server|vllm DIR MMLU [setting …]
#
# A setting is `auto` (all defaults), a number of workers, workers and batch size as in `8x2`, or
# `lm-eval`: lm-evaluation-harness on the same kind of questions, with its program in LM_EVAL and
# the model's tokenizer in TOKENIZER (lm_eval.py).
#
# DIR holds the server (scripts/servers/), MMLU the data set's folder. QUESTIONS=200 by default,
# LM_EVAL_QUESTIONS the same for the harness. SERVER_OPTIONS go to the server.
# Needs the release binary (make build). Nothing else should be running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

kind=$1 dir=$2 mmlu=$3
shift 3
workers=("$@")
((${#workers[@]})) || workers=(auto 1 2 4 8 16 32)
questions=${QUESTIONS:-200}
port=${PORT:-8391}
sureness=${CARGO_TARGET_DIR:-target}/release/sureness
work=$(mktemp -d)
read -ra options <<<"${SERVER_OPTIONS:-}"
# vLLM tells how much of a prompt was cached only when asked to.
[[ $kind != vllm ]] || options+=(--enable-prompt-tokens-details)
server=
stop() {
    [[ -z $server ]] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
    server=
}
trap 'stop; rm -rf "$work"' EXIT

printf '%s, %s questions\n%-12s %10s %9s %9s %8s\n' "$kind" "$questions" workers per_second cached p50_ms p99_ms
count=0
for setting in "${workers[@]}"; do
    # A folder of its own for each row: the same setting may come twice.
    row=$((count += 1))-$setting
    "scripts/servers/$kind.sh" "$dir" "$port" "${options[@]}" >"$work/server.log" 2>&1 &
    server=$!
    for _ in {1..240}; do
        if python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/v1/models')" 2>/dev/null; then
            break
        fi
        kill -0 "$server" 2>/dev/null || { tail -n 5 "$work/server.log" >&2; exit 1; }
        sleep 0.5
    done
    if [[ $setting == lm-eval ]]; then
        QUESTIONS=${LM_EVAL_QUESTIONS:-$questions} scripts/bench/lm_eval.py "$LM_EVAL" "http://127.0.0.1:$port/v1" \
            "$TOKENIZER" "$mmlu" 16
        stop
        continue
    fi
    flags=()
    [[ $setting == auto ]] || flags=(--max-workers "${setting%x*}" --batch-size "${setting#*x}")
    [[ $setting == *x* || $setting == auto ]] || flags=(--max-workers "$setting")
    "$sureness" run --api-base "http://127.0.0.1:$port/v1" --tasks qa --data "qa=$mmlu" \
        --sample-size "$questions" --prompt-strategies base --progress none \
        --output-dir "$work/$row" "${flags[@]}" --log-file "${LOGS:-$work}/$row.log" >/dev/null 2>"$work/run.log" || {
        tail -n 5 "$work/run.log" >&2
        exit 1
    }
    python3 - "$work/$row/results.json" "$setting" <<'PYTHON'
import json, sys
timing = json.load(open(sys.argv[1]))["models"][0]["timing"]
server = next(phase for phase in timing["phases"] if phase["name"] == "server")
cached = 100 * timing["cached_tokens"] / max(1, timing["prompt_tokens"])
end = f"  (up to {timing['endpoints'][0]['peak']}, {timing['endpoints'][0]['limit']} at the end)" if sys.argv[2] == "auto" else ""
print(f"{sys.argv[2]:<12} {timing['per_second']:10.2f} {cached:8.1f}% {server['p50_ms']:9.0f} {server['p99_ms']:8.0f}{end}")
PYTHON
    stop
done
