#!/usr/bin/env bash
# Builds what users install into dist/: the program as an archive and as a Debian package, the Python
# wheel, a list of all parts (CycloneDX) and their licences, and checksums.
#
#   dist.sh [FOLDER]
#
# The program runs on any processor of its architecture: llama.cpp's kernels lie beside it, and the
# best are chosen when it starts. The same commit, tools and checkout folder give the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(realpath -m "${1:-dist}")
tools=$(realpath -m "${SURENESS_TOOLS_DIR:-.tools}/dist")
about=0.9.3 cyclonedx=0.5.9 deb=3.8.0
say() { printf 'dist: %s\n' "$*" >&2; }

# tool NAME VERSION: a subcommand of cargo, compiled once.
tool() {
    "$tools/bin/cargo-$1" --version 2>/dev/null | grep -qF "$2" ||
        cargo install --quiet --locked --root "$tools" "cargo-$1@$2"
}
say "tools of the release, which are compiled the first time"
tool about "$about"
tool cyclonedx "$cyclonedx"
tool deb "$deb"
PATH=$tools/bin:$PATH

version=$(sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
triple=$(rustc -vV | sed -n 's/^host: //p')
name=sureness-$version-$triple
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$PWD/target/portable

# No folder of this machine is written into the program.
home=${CARGO_HOME:-$HOME/.cargo}
prefixes="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$PWD=/sureness"
export CFLAGS="${CFLAGS:-} $prefixes" CXXFLAGS="${CXXFLAGS:-} $prefixes"
remap="--remap-path-prefix=$home=/cargo --remap-path-prefix=$PWD=/sureness"
# This takes the place of the processor that .cargo/config.toml names.
# shellcheck disable=SC2016
rpath='-C link-arg=-Wl,-rpath,$ORIGIN/../lib/sureness:$ORIGIN/lib'
export RUSTFLAGS="$remap $rpath"

say "the program"
cargo build --release --locked -p sureness --features portable
program=$CARGO_TARGET_DIR/release/sureness

# libraries FOLDER: llama.cpp, and its kernels for each kind of processor.
libraries() {
    local built file
    mkdir -p "$1"
    # The newest, should there be several.
    built=$(find "$CARGO_TARGET_DIR"/release/build/llama-cpp-sys-2-*/out/lib -name libllama.so -printf '%T@ %h\n' |
        sort -n | tail -n 1 | cut -d ' ' -f 2-)
    cp "$built"/../backends/*.so "$1"
    for file in "$built"/lib{llama,ggml,ggml-base}.so; do
        # Under the name that the loader looks for.
        cp "$file" "$1/$(objdump -p "$file" | sed -n 's/^ *SONAME *//p')"
    done
    strip --strip-unneeded "$1"/*
}

stage=$PWD/target/stage
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/share/doc/sureness"
cp "$program" "$stage/bin/"
strip "$stage/bin/sureness"
libraries "$stage/lib/sureness"
scripts/install-extras.sh "$stage/bin/sureness" "$stage" >&2
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$stage/share/doc/sureness/"

say "the parts and their licences"
(cd crates/cli && cargo about generate --offline --locked --config ../../scripts/dist/about.toml \
    ../../scripts/dist/licences.hbs --output-file "$stage/share/doc/sureness/THIRD-PARTY.txt")
cargo cyclonedx --quiet --manifest-path crates/cli/Cargo.toml --format json --override-filename sureness.cdx
mkdir -p "$out"
rm -rf "${out:?}"/*
mv crates/cli/sureness.cdx.json "$out/$name.cdx.json"
find crates -name 'sureness.cdx.json' -delete

say "the archive"
tar --directory "$(dirname "$stage")" --transform "s,^stage,$name," --sort=name --owner=0 --group=0 \
    --numeric-owner --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH" --create stage | gzip -9n >"$out/$name.tar.gz"

say "the Debian package"
cargo deb --quiet --no-build --no-strip -p sureness --output "$out"

say "the wheel"
package=python/sureness/lib
trap 'rm -rf "$package"' EXIT
libraries "$package"
scripts/python/wheel.sh "$out" --features portable

(cd "$out" && sha256sum -- * >SHA256SUMS)
ls -l "$out" >&2
