//! `sureness view` and `run --view` from outside.
#![cfg(unix)]

mod attacks;
mod browser;
mod pages;
mod watching;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;
use sureness_faultserver::{Capacity, Script};
use sureness_testkit::{Case, PATIENCE, Process, wait_for};

/// A run of 300 prompts that takes some seconds.
const RUN: &str = "run --tasks qa rc --sample-size 50 --max-workers 4 --progress none";

/// A server that takes its time.
fn slow() -> Script {
    Script::healthy().capacity(Capacity {
        base_ms: 40,
        ..Capacity::default()
    })
}

/// A page that is served by a process of its own.
pub(crate) struct Served {
    process: Process,
    /// The address of the list, such as `http://127.0.0.1:4711/`.
    url: String,
}

/// One answer to one request, whole.
pub(crate) struct Answer {
    status: u16,
    head: String,
    pub(crate) body: String,
}

/// Starts a command and returns what its first line of output with `mark` says after it.
fn start(command: &mut Command, mark: &str) -> Served {
    let mut process = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let errors = process.0.stderr.take().unwrap();
    let output = process.0.stdout.take().unwrap();
    let mut url = String::new();
    if mark.is_empty() {
        BufReader::new(output).read_line(&mut url).unwrap();
    } else {
        let mut lines = BufReader::new(errors).lines();
        let line = lines.find_map(|line| Some(line.unwrap().strip_prefix(mark)?.to_owned()));
        url = line.unwrap();
        // What else it says is read, so that it is never blocked.
        std::thread::spawn(move || lines.for_each(drop));
    }
    let url = url.trim().to_owned();
    assert!(url.starts_with("http://"), "{url:?}");
    Served { process, url }
}

/// `sureness view` with these words, at a free port.
pub(crate) fn serve(case: &Case, words: &str) -> Served {
    start(&mut case.sureness(&format!("view {words} --port 0")), "")
}

impl Served {
    /// `127.0.0.1:4711`.
    fn host(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    /// What a request is answered, byte for byte.
    fn ask(&self, request: &str) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(self.host())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Ok(Answer {
            status: head.split(' ').nth(1).unwrap_or("0").parse().unwrap_or(0),
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let host = self.host();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.ask(&request).unwrap()
    }

    /// Waits for the first run.
    pub(crate) fn first_run(&self) {
        wait_for(
            || "the run never began".to_owned(),
            || self.get("/latest").status == 302,
        );
    }

    /// The events of the first run, as they come.
    pub(crate) fn events(&self) -> impl Iterator<Item = Value> + use<> {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Without HTTP/1.1, the body has no chunks.
        write!(
            stream,
            "GET /run/0/1/events HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.host()
        )
        .unwrap();
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data:")?).unwrap()))
    }
}
