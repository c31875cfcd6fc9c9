#!/usr/bin/env bash
# Finds, or fetches without root, what building llama.cpp needs besides Rust: cmake and libclang.
#
#   tools=$(scripts/native-tools.sh) && eval "$tools"
#
# (In two steps, since `eval "$(…)"` alone would go on after a failure.)
# stdout carries nothing but `export` lines for the shell; everything for people goes to stderr.
# What the system has is used. What is missing comes from the PyPI wheels `cmake` and `libclang`
# into .tools/ beside this folder (another place: SURENESS_TOOLS_DIR). A second call only looks.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${SURENESS_TOOLS_DIR:-$root/.tools}
venv=$tools/venv     # used where Python has the venv module
target=$tools/wheels # `pip install --target`, used where it has not
cmake_minimum=3.20 # for what scripts/llama.cmake uses; llama.cpp asks for 3.14

say() { printf 'native-tools: %s\n' "$*" >&2; }
fail() {
    say "$1"
    printf 'hint: %s\n' "$2" >&2
    exit 1
}

# works CMAKE: whether this cmake runs and is recent enough.
works() {
    local version
    version=$("$1" --version 2>/dev/null | sed -n '1s/^cmake version //p') && [[ -n $version ]] &&
        [[ $(printf '%s\n' "$cmake_minimum" "$version" | sort -V | head -n 1) == "$cmake_minimum" ]]
}

# The folder of the system's libclang, or nothing.
system_libclang() {
    local file folder
    if [[ -n ${LIBCLANG_PATH:-} ]]; then
        # Either a folder or the library itself, as bindgen takes it.
        if [[ -f $LIBCLANG_PATH ]]; then
            dirname "$LIBCLANG_PATH"
            return
        fi
        holds_libclang "$LIBCLANG_PATH" && printf '%s\n' "$LIBCLANG_PATH" && return
        say "LIBCLANG_PATH=$LIBCLANG_PATH holds no libclang; looking elsewhere"
    fi
    # libclang-cpp, which many systems have, is another library and of no use here.
    file=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null |
        awk '/^[[:space:]]*libclang(-[0-9.]+)?\.so/ { print $NF; exit }') || true
    [[ -n $file && -e $file ]] && dirname "$file" && return
    for folder in $(printf '%s\n' /usr/lib/llvm-*/lib | sort -rV); do
        holds_libclang "$folder" && printf '%s\n' "$folder" && return
    done
    return 0
}

holds_libclang() {
    compgen -G "$1/libclang.so*" >/dev/null || compgen -G "$1/libclang-[0-9]*.so*" >/dev/null ||
        compgen -G "$1/libclang.dylib" >/dev/null
}

# The folder of a fetched libclang, or nothing.
fetched_libclang() {
    local file
    file=$(compgen -G "$venv/lib/python*/site-packages/clang/native/libclang.*" ||
        compgen -G "$target/clang/native/libclang.*") || return 0
    dirname "${file%%$'\n'*}"
}

# A fetched cmake that runs, or nothing.
fetched_cmake() {
    local candidate
    for candidate in "$venv/bin/cmake" "$target/cmake/data/bin/cmake"; do
        works "$candidate" && printf '%s\n' "$candidate" && return
    done
    return 0
}

# fetch WHEEL…: installs wheels into .tools/.
fetch() {
    local log=$tools/pip.log
    command -v python3 >/dev/null ||
        fail "python3 is missing; it is needed to fetch: $*" \
            "apt-get install python3 python3-venv, or install cmake and libclang-dev yourself"
    mkdir -p "$tools"
    say "fetching from PyPI into $tools: $*"
    if [[ -x $venv/bin/pip ]] || python3 -m venv "$venv" >"$log" 2>&1; then
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >"$log" 2>&1 && return
    else
        # Debian without python3-venv leaves a half-made folder behind.
        rm -rf "$venv"
        python3 -m pip --version >/dev/null 2>&1 ||
            fail "this Python has neither venv nor pip; one of them is needed to fetch: $*" \
                "apt-get install python3-venv, or install cmake and libclang-dev yourself"
        python3 -m pip install --quiet --disable-pip-version-check --upgrade \
            --target "$target" "$@" >"$log" 2>&1 && return
    fi
    sed 's/^/    /' "$log" | tail -n 5 >&2
    fail "pip could not install: $*" \
        "check the network (or pip's index settings); the whole message is in $log"
}

compiler=$(command -v "${CXX:-c++}" || command -v g++ || command -v clang++ || true)
[[ -n $compiler ]] ||
    fail "no C++ compiler found (looked for ${CXX:-c++}, g++, clang++)" \
        "apt-get install g++, or build without llama.cpp: cargo build --no-default-features"

cmake=$(command -v cmake || true)
if [[ -n $cmake ]] && ! works "$cmake"; then
    say "$cmake does not run or is older than $cmake_minimum; looking elsewhere"
    cmake=
fi
libclang=$(system_libclang)

wanted=()
[[ -n $cmake ]] || cmake=$(fetched_cmake)
[[ -n $cmake ]] || wanted+=(cmake)
[[ -n $libclang ]] || libclang=$(fetched_libclang)
[[ -n $libclang ]] || wanted+=(libclang)
if ((${#wanted[@]})); then
    fetch "${wanted[@]}"
    [[ -n $cmake ]] || cmake=$(fetched_cmake)
    [[ -n $libclang ]] || libclang=$(fetched_libclang)
    [[ -n $cmake ]] || fail "the cmake wheel has no cmake that runs here" "apt-get install cmake"
    [[ -n $libclang ]] || fail "the libclang wheel has no libclang" "apt-get install libclang-dev"
fi

# The wheel brings libclang alone: stddef.h and its like must come from the compiler. A system's
# libclang has its own, which the compiler's must not hide.
arguments=${BINDGEN_EXTRA_CLANG_ARGS:-}
if ! compgen -G "$libclang/clang/*/include/stddef.h" >/dev/null &&
    ! compgen -G "${libclang%/lib*}/lib/clang/*/include/stddef.h" >/dev/null; then
    headers=$("$compiler" -print-file-name=include 2>/dev/null || true)
    if [[ -d $headers && " $arguments " != *" -I$headers "* ]]; then
        arguments="${arguments:+$arguments }-I$headers"
    fi
fi

# Cargo does not notice that scripts/llama.cmake has come: what was built without it goes.
for cache in "${CARGO_TARGET_DIR:-$root/target}"/*/build/llama-cpp-sys-2-*/out/build/CMakeCache.txt; do
    [[ -e $cache ]] && ! grep -q 'scripts/llama\.cmake' "$cache" || continue
    say "llama.cpp is built anew, as scripts/llama.cmake says"
    rm -rf "${cache%/out/build/CMakeCache.txt}"
done

bin=$(dirname "$cmake")
path=$PATH
[[ ":$PATH:" == *":$bin:"* ]] || path=$bin:$PATH
printf 'export PATH=%q\n' "$path"
printf 'export LIBCLANG_PATH=%q\n' "$libclang"
printf 'export BINDGEN_EXTRA_CLANG_ARGS=%q\n' "$arguments"
