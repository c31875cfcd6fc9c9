#!/usr/bin/env bash
# llama-cpp-2 0.1.160 has a feature `common`, and `default-features = false` turns it off there, but not
# in llama-cpp-sys-2, which it takes with default features: llama.cpp's `common` library (chat parsers,
# downloads, command lines) is compiled all the same. That is half of llama.cpp's compilation: 212 of
# 402 seconds of CPU on an x86-64 machine with GCC 12.2, for code of which nothing is linked.
#
# Asks cargo for the features; compiles nothing.
#
# Seen: llama-cpp-2 v0.1.160, without features
#       llama-cpp-sys-2 v0.1.161 common,default
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cargo init --quiet --lib --name probe
cat >>Cargo.toml <<'TOML'
llama-cpp-2 = { version = "=0.1.160", default-features = false }
llama-cpp-sys-2 = { version = "=0.1.161", default-features = false }
TOML
tree=$(cargo tree --quiet --edges normal --prefix none --format '{p} [{f}]' --no-dedupe | grep '^llama-cpp' | sort -u)
printf '%s\n' "$tree"
[[ $tree == "llama-cpp-2 v0.1.160 []
llama-cpp-sys-2 v0.1.161 [common,default]" ]]
