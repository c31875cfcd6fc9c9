//! A server that gives one answer to every prompt.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// Lists the model `m` and answers every `POST` to a route of completions alike.
pub(super) struct Canned {
    pub(super) base: String,
    requests: Arc<AtomicUsize>,
}

impl Canned {
    pub(super) fn start(answer: Value) -> Self {
        Self::holding(answer, Arc::new(AtomicBool::new(true)))
    }

    /// Answers no prompt before `open`.
    pub(super) fn holding(answer: Value, open: Arc<AtomicBool>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, open) = (Arc::clone(&answer), Arc::clone(&open));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || serve(&stream, &answer, &open, &counted));
            }
        });
        Self { base, requests }
    }

    /// How many requests have come.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(stream: &TcpStream, answer: &Value, open: &AtomicBool, requests: &AtomicUsize) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) <= 2 {
                break;
            }
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let (status, reply) = if path.ends_with("/models") {
            (200, json!({"data": [{"id": "m"}]}))
        } else if path.ends_with("completions") {
            while !open.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            (200, answer.clone())
        } else {
            (404, json!({"error": {"message": "no such route"}}))
        };
        let reply = reply.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
            reply.len()
        );
        let mut writer = stream;
        if writer.write_all((head + &reply).as_bytes()).is_err() {
            return;
        }
    }
}
