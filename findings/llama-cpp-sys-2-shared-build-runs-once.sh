#!/usr/bin/env bash
# llama-cpp-sys-2 0.1.161 with `dynamic-link` (which `dynamic-backends` turns on) compiles once: as soon
# as Cargo runs its build script again, such as after a change of a GGML_ variable that the script itself
# watches, it panics with "File exists" and every later build fails until the target folder is cleaned.
#
# For each lib*.so, which llama.cpp installs as a link to lib*.so.0, the script makes a hard link in the
# target folder. That is a symbolic link to a file that is not there, so that `exists()` says no each
# time, and the second attempt to create it fails. For the same reason a program in the target folder
# finds no libllama.so.0 when it is started without `cargo run`.
#
# Compiles llama.cpp, with `-O0`; takes minutes. Needs cmake, libclang and a C++ compiler.
#
# Seen: first build ok
#       target/debug/libllama.so is a link to libllama.so.0, which is not there
#       second build: Os { code: 17, kind: AlreadyExists, message: "File exists" }
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset CARGO_TARGET_DIR
export CMAKE_CXX_FLAGS_RELEASE=-O0 CMAKE_C_FLAGS_RELEASE=-O0
cargo init --quiet --bin --name probe
cat >>Cargo.toml <<'TOML'
llama-cpp-sys-2 = { version = "=0.1.161", default-features = false, features = ["dynamic-link"] }
TOML
printf 'fn main() { unsafe { llama_cpp_sys_2::llama_backend_init() } }\n' >src/main.rs
GGML_CCACHE=OFF cargo build --quiet 2>first || { tail -n 20 first; exit 1; }
echo "first build ok"
link=target/debug/libllama.so
[[ -L $link && ! -e $link ]]
echo "$link is a link to $(readlink "$link"), which is not there"
if GGML_CCACHE=ON cargo build --quiet 2>second; then
    echo "second build ok"
    exit 1
fi
echo "second build: $(grep -om1 'Os { .*"File exists" }' second)"
