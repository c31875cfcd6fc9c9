#!/usr/bin/env bash
# require.sh [cargo|rust-tools|python|c++]…   says what is missing and how to get it; exits 1 if anything is.
set -euo pipefail

packages=() # what apt-get has to bring
rust=()     # what rustup has to bring

for tool in "$@"; do
    case $tool in
    cargo)
        command -v cargo >/dev/null || rust+=(cargo)
        ;;
    rust-tools)
        cargo fmt --version >/dev/null 2>&1 || rust+=(rustfmt)
        cargo clippy --version >/dev/null 2>&1 || rust+=(clippy)
        ;;
    python)
        if ! command -v python3 >/dev/null; then
            packages+=(python3 python3-venv)
        elif ! python3 -m pip --version >/dev/null 2>&1 && ! python3 -c 'import ensurepip' 2>/dev/null; then
            # Either is enough: pip itself, or an environment that brings its own.
            packages+=(python3-venv)
        fi
        ;;
    c++)
        command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null ||
            command -v clang++ >/dev/null || packages+=(g++)
        ;;
    *)
        printf 'require: unknown tool %s\n' "$tool" >&2
        exit 2
        ;;
    esac
done

case " ${rust[*]-} " in
*" cargo "*)
    printf 'error: cargo is missing\n' >&2
    printf 'hint: install Rust 1.89 or newer, see https://rustup.rs\n' >&2
    ;;
"  ") ;;
*)
    printf 'error: missing parts of the Rust toolchain: %s\n' "${rust[*]}" >&2
    printf 'hint: rustup component add %s\n' "${rust[*]}" >&2
    ;;
esac
if ((${#packages[@]})); then
    printf 'error: missing: %s\n' "${packages[*]}" >&2
    printf 'hint: on Debian and Ubuntu: sudo apt-get update && sudo apt-get install -y %s\n' \
        "${packages[*]}" >&2
fi
((${#rust[@]} + ${#packages[@]} == 0))
