//! HTTP by hand over a plain blocking socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use sureness_faultserver::{FaultServer, Script};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(crate) fn start(script: Script) -> FaultServer {
    FaultServer::start(script).unwrap()
}

/// Asks one question on a connection of its own.
pub(crate) fn ask(server: &FaultServer, body: &Value) -> io::Result<Response> {
    let mut client = Client::connect(server);
    client.post("/v1/completions", body);
    client.response()
}

/// A completions request for one prompt or a list of them.
pub(crate) fn question(prompt: impl Into<Value>) -> Value {
    json!({"model": "fault-model", "prompt": prompt.into(), "max_tokens": 1, "logprobs": 10})
}

impl Client {
    pub(crate) fn connect(server: &FaultServer) -> Self {
        Self::to(&server.address().to_string())
    }

    pub(crate) fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) {
        self.send("POST", path, "", &body.to_string());
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, "", "");
        self.response().unwrap()
    }

    /// `headers` are whole lines.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// Reads until `enough` says so or the connection ends.
    fn fill(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        let mut block = [0; 16 << 10];
        while !enough(&self.buffer) {
            match self.stream.read(&mut block)? {
                0 => return Ok(false),
                n => self.buffer.extend_from_slice(&block[..n]),
            }
        }
        Ok(true)
    }

    /// Everything up to the end of the connection, and how it ended.
    pub(crate) fn rest(&mut self) -> (String, io::Result<()>) {
        let end = self.fill(|_| false).map(|_| ());
        let text = String::from_utf8_lossy(&self.buffer).into_owned();
        self.buffer.clear();
        (text, end)
    }

    /// The next response; the connection's end in the middle of it is an error.
    pub(crate) fn response(&mut self) -> io::Result<Response> {
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let blank = |bytes: &[u8]| bytes.windows(4).position(|w| w == b"\r\n\r\n");
        if !self.fill(|bytes| blank(bytes).is_some())? {
            return Err(cut());
        }
        let end = blank(&self.buffer).unwrap() + 4;
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        match response
            .header("content-length")
            .map(|n| n.parse::<usize>().unwrap())
        {
            Some(length) => {
                if !self.fill(|bytes| bytes.len() >= length)? {
                    return Err(cut());
                }
                response.body = self.buffer.drain(..length).collect();
            }
            None => while self.chunk(&mut response.body)? {},
        }
        Ok(response)
    }

    /// One chunk; whether it was not the last.
    fn chunk(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let line = |bytes: &[u8]| bytes.windows(2).position(|w| w == b"\r\n");
        if !self.fill(|bytes| line(bytes).is_some())? {
            return Err(cut());
        }
        let end = line(&self.buffer).unwrap();
        let digits: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
        let length = usize::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap();
        if !self.fill(|bytes| bytes.len() >= length + 2)? {
            return Err(cut());
        }
        body.extend(self.buffer.drain(..length + 2).take(length));
        Ok(length > 0)
    }
}
