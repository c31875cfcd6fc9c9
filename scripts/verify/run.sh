#!/usr/bin/env bash
# Holds our statistics against other packages' on the same rows, and fails where they differ; `make verify`
# calls it.
#
#   run.sh            scikit-learn, SciPy, statsmodels, MAPIE, crepes
#   run.sh --fetch    only installs them
#   run.sh --torch    torchmetrics and TorchCP as well; installs PyTorch, 5.4 GB in ten minutes
#
# The packages go into a Python environment below .tools/ on the first run. The rows are made by a
# seeded generator. The layouts of public data sets are written by pyarrow, pandas and datasets and read
# by the binary, and our tables of questions by pandas, Polars and DuckDB; files of a hub of our own are
# fetched by huggingface_hub and by the binary. The gate's JUnit output is held against Jenkins' schema,
# from pytest's source package. Where ../shared holds the published benchmark, its logits are compared
# too, the intervals of both halves with a bootstrap of our own, the tables of docs/paper-revisited.md
# with what the binary says, and early verdicts about pairs of models with the truth. The binary is the
# one that $SURENESS names, else that of the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=scripts/verify
tools=${SURENESS_TOOLS_DIR:-.tools}/verify
shared=${SURENESS_SHARED:-../shared}
requirements=("$here/requirements.txt")
if [[ ${1:-} == --torch ]]; then
    requirements+=("$here/requirements-torch.txt")
elif (($#)) && [[ $1 != --fetch ]]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
say() { printf 'verify: %s\n' "$*" >&2; }

python=$tools/venv/bin/python
if [[ ! -x $python ]]; then
    python3 -m venv "$tools/venv" || {
        say "hint: apt-get install python3-venv"
        exit 1
    }
fi
for file in "${requirements[@]}"; do
    # The mark holds what was installed, so that another version is installed over it.
    mark=$tools/$(basename "$file")
    if ! cmp -s "$file" "$mark"; then
        say "installing what $file names"
        "$python" -m pip install --quiet --disable-pip-version-check -r "$file"
        cp "$file" "$mark"
    fi
done

if [[ ${1:-} == --fetch ]]; then
    "$python" "$here/junit.py" --fetch "$tools"
    exit
fi

# The same selection as for the tests, so that after them nothing is compiled again.
scripts/require.sh cargo c++
native=$(scripts/native-tools.sh)
eval "$native"
source scripts/test-env.sh
cargo build --workspace --lib --bins --tests --examples --locked
built=$(realpath "${CARGO_TARGET_DIR:-target}/debug")
export SURENESS=${SURENESS:-$built/sureness} SURENESS_EXAMPLES=$built/examples

# compare NAME [arguments of make_rows.py]
compare() {
    local rows=$tools/$1
    shift
    "$python" "$here/make_rows.py" "$rows" "$@"
    "$SURENESS_EXAMPLES/verify" "$rows/A.csv" "$rows/B.csv" >"$rows/figures.json"
    "$python" "$here/compare.py" "$rows" ${torch:+--torch}
}

torch=
((${#requirements[@]} == 1)) || torch=1
code=0
say "generated rows"
compare generated || code=1
say "layouts of public data sets, written by pyarrow, pandas and datasets"
"$python" "$here/layouts.py" "$SURENESS" || code=1
say "our tables of questions, read by pandas, Polars and DuckDB"
read_by_python=$(SURENESS_VERIFY_PYTHON=$(realpath -s "$python") cargo test --workspace --test it --locked -- \
    questions::python_reads_it --exact 2>&1) && grep -q '1 passed' <<<"$read_by_python" || {
    printf '%s\n' "$read_by_python" >&2
    code=1
}
say "files of a hub, fetched by huggingface_hub and by the binary"
"$python" "$here/hub.py" "$SURENESS" || code=1
say "the gate's JUnit output beside the schema of Jenkins"
"$python" "$here/junit.py" "$SURENESS" "$tools" || code=1
say "open questions beside lm-polygraph and uqlm"
"$python" "$here/open.py" || code=1
if [[ -d $shared/paper ]]; then
    say "the published benchmark"
    compare published "$shared/paper/logits" "$shared/paper/mmlu_10k.json" || code=1
    say "intervals of both halves"
    "$python" "$here/both_halves.py" "$shared/paper" "$SURENESS" || code=1
    say "docs/paper-revisited.md"
    "$here/paper_revisited.sh" "$shared/paper" --check || code=1
    say "pairs of models that are settled early"
    "$python" "$here/settled.py" "$SURENESS" "$shared/paper/mmlu_10k.json" \
        "$shared"/paper/logits/*_base_icl1.pkl --seeds 3 || code=1
elif [[ -n ${CI:-} ]]; then
    say "CI is set, but $shared/paper is not there"
    exit 1
else
    say "no $shared/paper; the published benchmark and the intervals of both halves are skipped"
fi
exit "$code"
