//! A small HTTP/1.1 server with keep-alive and scripted answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    /// All headers, by their lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Asked {
    /// The prompts, in any form of request.
    pub(crate) fn prompts(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &self.body["prompt"] {
            Value::Array(list) => list.iter().map(text).collect(),
            Value::String(prompt) => vec![prompt.clone()],
            _ => vec![text(&self.body["messages"][0]["content"])],
        }
    }

    pub(crate) fn is_list(&self) -> bool {
        self.body["prompt"].is_array()
    }

    /// Whether this is a test's own question and not the probe's.
    pub(crate) fn is_question(&self) -> bool {
        let asks = |prompt: &String| prompt.contains("Answer:");
        !self.path.ends_with("/tokenize") && self.prompts().iter().any(asks)
    }
}

/// The server's response.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Close the connection after this many bytes of the body.
    pub(crate) cut: Option<usize>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self::raw(status, "application/json", body)
    }

    pub(crate) fn raw(status: u16, kind: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Self {
            status,
            headers,
            body,
            cut: None,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that answers with `answer`.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_for(usize::MAX, answer)
    }

    /// Starts a server that stops after `most` connections.
    pub(crate) fn start_for(
        most: usize,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let server = Self {
            base,
            asked: asked.clone(),
            connections: connections.clone(),
        };
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten().take(most) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, asked) = (answer.clone(), asked.clone());
                std::thread::spawn(move || serve(&stream, &*answer, &asked));
            }
        });
        server
    }

    /// A server that lists model `m`, passes the probe and answers questions with `answer`.
    pub(crate) fn answering(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |asked| {
            if asked.path.starts_with("/v1/models") {
                Reply::json(200, &json!({"data": [{"id": "m"}]}))
            } else if asked.is_question() {
                answer(asked)
            } else {
                letters(asked.prompts().len())
            }
        })
    }

    pub(crate) fn questions(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.is_question())
            .cloned()
            .collect()
    }
}

/// One choice per prompt, in the legacy shape; prompt `i` gives " A" the value `-1 - i`.
pub(crate) fn letters(prompts: usize) -> Reply {
    let choices: Vec<Value> = (0..prompts).map(letter).collect();
    Reply::json(200, &json!({"choices": choices}))
}

pub(crate) fn letter(index: usize) -> Value {
    let a = -1.0 - index as f64;
    json!({"index": index, "text": " A", "logprobs": {"tokens": [" A"], "token_logprobs": [a],
        "top_logprobs": [{" A": a, " B": -1.5, " the": -2.0}]}})
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Asked) -> Reply, log: &Mutex<Vec<Asked>>) {
    // The body must not wait until the head is acknowledged.
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut authorization, mut headers) = (0, None, Vec::new());
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) <= 2 {
                break;
            }
            let (name, value) = header.split_once(':').unwrap();
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => authorization = Some(value.trim().to_owned()),
                _ => {}
            }
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let asked = Asked {
            path,
            authorization,
            headers,
            body,
        };
        log.lock().unwrap().push(asked.clone());
        let reply = answer(&asked);
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            reply.status,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        head.push_str("\r\n");
        let sent = reply.cut.unwrap_or(reply.body.len());
        let whole = writer
            .write_all(head.as_bytes())
            .and_then(|()| writer.write_all(&reply.body[..sent]));
        if whole.is_err() || reply.cut.is_some() {
            return;
        }
    }
}
