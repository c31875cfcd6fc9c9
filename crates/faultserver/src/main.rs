//! The program `sureness-faultserver`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sureness_faultserver::{FaultServer, Script};

/// An OpenAI-compatible server on loopback that misbehaves by script.
///
/// Prints its address as the first line. GET /counts returns its counts; on SIGTERM or Ctrl-C it
/// prints them as the last line.
#[derive(Debug, Parser)]
#[command(name = "sureness-faultserver", version)]
struct Args {
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Script, a TOML file [default: a healthy server].
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
        // Before printing the address: its reader may send a signal at once.
        let end = shutdown_signal()?;
        let server = FaultServer::start_on(script, args.port)
            .map_err(|error| format!("cannot listen on 127.0.0.1:{}: {error}", args.port))?;
        print_line(&server.base())?;
        end.await;
        print_line(&serde_json::to_string(&server.counts())?)?;
        Ok(())
    })
}

/// Prints a line and flushes it, also into a pipe.
fn print_line(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Resolves when the program should exit.
#[cfg(unix)]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
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

/// Resolves when the program should exit.
#[cfg(not(unix))]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
