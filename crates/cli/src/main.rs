//! The `sureness` binary: measures how sure a language model is, and whether it should be.

use std::process::ExitCode;

fn main() -> ExitCode {
    sureness_cli::main(std::env::args_os())
}
