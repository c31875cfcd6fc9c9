# Sourced by what builds for tests, so that the parts are compiled once for all of them.

. "$(dirname "${BASH_SOURCE[0]}")/quick-llama.sh"

# Clippy compiles as rustc does, so that lints and programs come of one pass: `cargo clippy` would check
# every dependency once more. This is how it calls itself.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

# What is thrown away afterwards need not be compiled so that little has to be compiled again, nor
# for a debugger.
if [[ -n ${CI:-} ]]; then
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none
fi
