//! `sureness-faultserver`: the server as a program of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sureness_faultserver::{FaultServer, Script};

/// An OpenAI-compatible server on loopback that misbehaves by script.
///
/// Prints its address as the first line. GET /counts tells what it did so far; on SIGTERM or
/// Ctrl-C the same is printed as the last line.
#[derive(Debug, Parser)]
#[command(name = "sureness-faultserver", version)]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The script, a TOML file. Without one the server is healthy.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let script = match &args.script {
        Some(path) => Script::from_file(path)?,
        None => Script::healthy(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Before the address is printed: whoever reads it may end us at once.
        let end = end()?;
        let server = FaultServer::start_on(script, args.port)
            .map_err(|error| format!("cannot listen on 127.0.0.1:{}: {error}", args.port))?;
        say(&server.base())?;
        end.await;
        say(&serde_json::to_string(&server.counts())?)?;
        Ok(())
    })
}

/// Prints a line at once, even into a pipe.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Waits for the wish that the program should end.
#[cfg(unix)]
fn end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Waits for the wish that the program should end.
#[cfg(not(unix))]
fn end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
