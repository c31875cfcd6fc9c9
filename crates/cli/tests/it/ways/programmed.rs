//! A server whose answers are a function of the request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// The status and body that answer a path and a body.
type Program = dyn Fn(&str, &Value) -> (u16, Value) + Send + Sync;

pub(super) struct Programmed {
    pub(super) base: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Programmed {
    pub(super) fn start(
        program: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (program, log) = (Arc::new(program), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (program, log) = (Arc::clone(&program), Arc::clone(&log));
                std::thread::spawn(move || serve(&stream, &*program, &log));
            }
        });
        Self { base, asked }
    }

    /// The bodies of all requests to paths that end so.
    pub(super) fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().filter(|(to, _)| to.ends_with(path));
        found.map(|(_, body)| body.clone()).collect()
    }
}

fn serve(stream: &TcpStream, program: &Program, log: &Mutex<Vec<(String, Value)>>) {
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
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, reply) = program(&path, &body);
        log.lock().unwrap().push((path, body));
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
