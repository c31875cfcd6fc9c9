#!/usr/bin/env bash
# Simulates the whole procedure under every law of crates/conformal/tests/it/procedure/simulation: draws both
# halves, sets the threshold, and counts how often 95 % intervals hold the truth and how often
# tests reject alike models. Fails where a promise is broken beyond three standard errors.
#
#   simulate.sh               2,000 samples of every law
#   simulate.sh LAW           of the laws whose names contain LAW, such as atom
#   simulate.sh LAW SAMPLES   that many samples; LAW may be ''
#
# The environment variables SURENESS_LAW and SURENESS_SAMPLES do the same; SURENESS_N names the
# numbers of questions, such as "60 100 300" (all: 60 100 160 300 1000 4000 10000). On two cores
# 1,000 samples of all laws take an hour and a half up to 1000 questions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if (($# > 2)) || [[ ${1:-} == -* ]] || [[ ${2:-1} == *[!0-9]* ]]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
(($# < 1)) || export SURENESS_LAW=$1
(($# < 2)) || export SURENESS_SAMPLES=$2
if [[ -n ${SURENESS_LAW:-} ]]; then
    # A name that is no law's would run nothing, and pass.
    grep -hoE 'name: "[a-z]+"' crates/conformal/tests/it/procedure/simulation/mod.rs | grep -qF -- "$SURENESS_LAW" || {
        printf 'simulate: no law has %s in its name; there are: %s\n' "$SURENESS_LAW" \
            "$(grep -hoE 'name: "[a-z]+"' crates/conformal/tests/it/procedure/simulation/mod.rs | cut -d'"' -f2 | paste -sd' ')" >&2
        exit 2
    }
fi
exec cargo test --release --locked -p sureness-conformal --test it procedure -- --ignored --nocapture
