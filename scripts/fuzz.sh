#!/usr/bin/env bash
# fuzz.sh [target] [seconds]   feeds the parsers whatever their fuzz targets come up with
#
#   scripts/fuzz.sh               every target for ten minutes each, one after the other
#   scripts/fuzz.sh answer 60     one of them for a minute
#
# What makes a target fail is kept under fuzz/artifacts/. The corpus in the repository is only
# read; what is found goes to fuzz/target/found/, and `scripts/fuzz.sh merge` takes the smallest set with
# the same coverage over from there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all=(response answer dishonest saved_logits questions template imports)

missing() {
    printf 'fuzz.sh: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}
command -v rustup >/dev/null || missing 'rustup is missing' 'see https://rustup.rs'
rustup run nightly rustc --version >/dev/null 2>&1 ||
    missing 'there is no nightly compiler, which the sanitizer needs' \
        'rustup toolchain install nightly --profile minimal'
cargo fuzz --version >/dev/null 2>&1 ||
    missing 'cargo-fuzz is missing' 'cargo install cargo-fuzz'

target=${1:-}
seconds=${2:-600}
[[ $seconds =~ ^[0-9]+$ ]] || missing "$seconds is no number of seconds" "scripts/fuzz.sh answer 60"
# A minute, since a damaged Parquet file can keep the library busy for some seconds.
limits=(-rss_limit_mb=1024 -timeout=60)

case " ${all[*]} merge  " in
*" $target "*) ;;
*) missing "there is no target $target" "one of ${all[*]}" ;;
esac

if [[ $target == merge ]]; then
    for target in "${all[@]}"; do
        mkdir -p "fuzz/target/found/$target"
        cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/target/found/$target" -- \
            -merge=1 "${limits[@]}"
    done
    exit
fi

for target in ${target:-"${all[@]}"}; do
    found=fuzz/target/found/$target
    mkdir -p "$found"
    cargo +nightly fuzz run "$target" "$found" "fuzz/corpus/$target" -- "${limits[@]}" \
        -dict="fuzz/dictionaries/$target.dict" -max_total_time="$seconds" -print_final_stats=1
done
