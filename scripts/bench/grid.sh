#!/usr/bin/env bash
# The paper's whole grid: 34 models, 5 tasks, 3 strategies, 10,000 questions each, both scores.
#
#   grid.sh PAPER [FOLDER]
#
# PAPER is the folder with the published logits of four models and mmlu_10k.json. The grid is made
# of copies of these twelve files under other names (100 MB, in FOLDER or a temporary one). Prints
# seconds and peak memory of: the figures alone; figures, 100 random splits and intervals from 1,000
# replicates; and everything that compares 34 models. Needs the release binary (make build).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

paper=$(cd "$1" && pwd)
folder=${2:-}
if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
mkdir -p "$folder"
sureness=$PWD/${CARGO_TARGET_DIR:-target}/release/sureness

models=(Yi-34B Llama-2-7b-hf internlm-7b falcon-7b)
tasks=(mmlu_10k cosmosqa_10k hellaswag_10k halueval_dialogue halueval_summarization)
for index in {1..34}; do
    source=${models[index % 4]}
    for task in "${tasks[@]}"; do
        for strategy in base shared task; do
            # Copies, not links: what is measured reads 510 files.
            cp "$paper/logits/${source}_mmlu_10k_${strategy}_icl1.pkl" \
                "$folder/model$index-${source}_${task}_${strategy}_icl1.pkl"
        done
    done
done

# measure NAME COMMAND…
measure() {
    local name=$1
    shift
    python3 - "$name" "$@" <<'PYTHON'
import resource, subprocess, sys, time
begin = time.monotonic()
done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
seconds = time.monotonic() - begin
if done.returncode:
    sys.exit(done.stderr[-2000:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:<44} {seconds:7.1f} s  {usage.ru_utime + usage.ru_stime:7.1f} s CPU  {usage.ru_maxrss / 1024:7.0f} MiB")
PYTHON
}

files=("$folder"/*.pkl)
measure "score: 510 files" "$sureness" score --protocol paper --questions "$paper/mmlu_10k.json" \
    --output json --logits "${files[@]}"
measure "analyze basic: 100 splits, 1,000 replicates" "$sureness" analyze "${files[@]}" \
    --questions "$paper/mmlu_10k.json" --protocol paper --modes basic
measure "analyze comparative: 561 pairs" "$sureness" analyze "${files[@]}" \
    --questions "$paper/mmlu_10k.json" --protocol paper --modes comparative
