#!/usr/bin/env bash
# Submits the shards of a run and, behind them, the merge:
#   SHARDS=16 OUT=/shared/results GGUF=/shared/model.gguf deploy/slurm/submit.sh
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")

export SHARDS=${SHARDS:-16} OUT=${OUT:-$PWD/results}
mkdir -p "$OUT/shards"

array=$(sbatch --parsable --export=ALL --array="1-$SHARDS" "$here/shards.sbatch")
array=${array%%;*} # the cluster's name may follow
# afterany, not afterok: the merge says which shards are missing, where Slurm would only not start
# it.
merge=$(sbatch --parsable --export=ALL --dependency="afterany:$array" "$here/merge.sbatch")
printf 'shards: job %s, merge: job %s\n' "$array" "${merge%%;*}"
