#!/usr/bin/env bash
# Builds what users install, into dist/: the program with its libraries as an archive and as a Debian
# package, the Python wheel, the licences and a list of all parts (CycloneDX), and checksums.
#
#   dist.sh [FOLDER]
#
# The program runs on any processor of its architecture: llama.cpp's kernels lie beside it, and the
# best are chosen when it starts. The same commit and tools give the same bytes, in any folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(realpath -m "${1:-dist}")
tools=$(realpath -m "${SURENESS_TOOLS_DIR:-.tools}/dist")
# What is compiled the first time.
wanted=(cargo-about@0.9.3 cargo-cyclonedx@0.5.9 cargo-deb@3.8.0)
# The Debian package's (crates/cli/Cargo.toml): the C and C++ libraries that the program needs at most. The
# first is in the wheel's name too.
libraries=(GLIBC_2.35 GLIBCXX_3.4.29)
say() { printf 'dist: %s\n' "$*" >&2; }
# shrink FILES…: without symbols, and without the linker's build ids: these are made of what is stripped
# too, in which the folder of the build shows.
shrink() { strip --strip-unneeded --remove-section=.note.gnu.build-id "$@"; }

for tool in "${wanted[@]}"; do
    [[ -x $tools/bin/${tool%@*} ]] && continue
    say "$tool, which is compiled the first time"
    # cargo-about is a library too.
    features=()
    [[ $tool != cargo-about* ]] || features=(--features cli)
    cargo install --quiet --locked --root "$tools" "${features[@]}" "$tool"
done
PATH=$tools/bin:$PATH

version=$(sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=sureness-$version-$(rustc -vV | sed -n 's/^host: //p')
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$PWD/target/portable

# The folders of this machine are not written into the program.
home=${CARGO_HOME:-$HOME/.cargo}
prefixes="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$PWD=/sureness"
export CFLAGS="${CFLAGS:-} $prefixes" CXXFLAGS="${CXXFLAGS:-} $prefixes"
remap="--remap-path-prefix=$home=/cargo --remap-path-prefix=$PWD=/sureness"
# The program's, and the Python module's. The loader, not the shell, knows the origin.
# shellcheck disable=SC2016
rpath='-C link-arg=-Wl,-rpath,$ORIGIN/../lib/sureness:$ORIGIN/lib'
# This takes the place of the processor that .cargo/config.toml names.
export RUSTFLAGS="$remap $rpath"

say "the program and the Python module"
# The build script of llama-cpp-sys-2 0.1.161 fails where it finds its links of an earlier build.
find "$CARGO_TARGET_DIR/release" -maxdepth 2 \( -name 'libllama*.so*' -o -name 'libggml*.so*' \) -delete 2>/dev/null || true
# Both at once, so that what they share is compiled once.
cargo build --release --locked -p sureness -p sureness-python --features sureness/portable,sureness-python/portable

stage=$PWD/target/stage
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/lib/sureness" "$stage/share/doc/sureness"
cp "$CARGO_TARGET_DIR/release/sureness" "$stage/bin/"
# The newest build, should there be several.
built=$(find "$CARGO_TARGET_DIR"/release/build/llama-cpp-sys-2-*/out/lib -name libllama.so -printf '%T@ %h\n' |
    sort -n | tail -n 1 | cut -d ' ' -f 2-)
cp "$built"/../backends/*.so "$stage/lib/sureness/"
for file in "$built"/lib{llama,ggml,ggml-base}.so; do
    # Under the name that the loader looks for.
    cp "$file" "$stage/lib/sureness/$(objdump -p "$file" | sed -n 's/^ *SONAME *//p')"
done
shrink "$stage/bin/sureness" "$stage"/lib/sureness/*
scripts/install-extras.sh "$stage/bin/sureness" "$stage" >&2
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$stage/share/doc/sureness/"
say "the licences"
# licences PACKAGE FILE: of all its parts.
licences() {
    cargo about generate --offline --locked --fail --manifest-path "crates/$1/Cargo.toml" --features portable \
        deploy/licences.hbs --output-file "$2"
}
licences cli "$stage/share/doc/sureness/LICENCES.txt"

say "the wheel"
wheels=$PWD/target/wheels
rm -rf "$wheels"
scripts/python/wheel.sh "$wheels" --features portable
packer=$tools/packer/bin/python
if [[ ! -x $packer ]]; then
    python3 -m venv "$tools/packer"
    "$packer" -m pip install --quiet --disable-pip-version-check wheel==0.45.1
fi
"$packer" -m wheel unpack --dest "$wheels/open" "$wheels"/*.whl >&2
opened=("$wheels"/open/*)
cp -r "$stage/lib/sureness" "${opened[0]}/sureness/lib"
licences python "$(echo "${opened[0]}"/*.dist-info/licenses)/LICENCES.txt"
shrink "${opened[0]}"/sureness/*.so
mkdir "$wheels/packed"
"$packer" -m wheel pack --dest-dir "$wheels/packed" "${opened[0]}" >&2
platform=manylinux_${libraries[0]#GLIBC_}_$(uname -m)
"$packer" -m wheel tags --remove --platform-tag "${platform/./_}" "$wheels"/packed/*.whl >&2

# The libraries that the package names must be enough.
objdump -T "$stage/bin/sureness" "$stage"/lib/sureness/*.so* "${opened[0]}"/sureness/*.so >"$stage/../symbols"
for library in "${libraries[@]}"; do
    newest=$(grep -o "${library%_*}_[0-9.]*" "$stage/../symbols" | sort -uV | tail -n 1)
    [[ $(printf '%s\n' "$newest" "$library" | sort -V | tail -n 1) == "$library" ]] || {
        say "the program needs $newest, newer than the package's $library"
        say "hint: build on an older system, or raise it here and in crates/cli/Cargo.toml"
        exit 1
    }
done

rm -rf "${out:?}/$name".* "$out"/*.deb "$out"/*.whl "$out/SHA256SUMS"
mkdir -p "$out"
cp "$wheels"/packed/*.whl "$out/"
say "the parts"
cargo cyclonedx --quiet --manifest-path crates/cli/Cargo.toml --format json \
    --override-filename sureness.cdx
sed "s,$PWD,/sureness,g" crates/cli/sureness.cdx.json >"$out/$name.cdx.json"
find crates -name 'sureness.cdx.json' -delete

say "the archive"
tar --directory "$(dirname "$stage")" --transform "s,^stage,$name," --sort=name --owner=0 --group=0 \
    --numeric-owner --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH" --create stage | gzip -9n >"$out/$name.tar.gz"
say "the Debian package"
cargo deb --quiet --locked --no-build --no-strip --manifest-path crates/cli/Cargo.toml --output "$out/"

(cd "$out" && sha256sum -- *.deb *.whl "$name".* >SHA256SUMS)
ls -l "$out" >&2
