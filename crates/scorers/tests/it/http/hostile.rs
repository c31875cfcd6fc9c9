//! Servers that violate the protocol, never finish or send too much: bounded memory, a typed error
//! and no hang, in both models.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use sureness_scorers::ScoreError;
use sureness_scorers::http::{HttpOptions, HttpScorer, Secret};

use crate::http::server::{Reply, Server, letters};
use crate::http::{Way, connect, in_both_models, question, reply, run_alone, score_one};

const AB: [&str; 2] = ["A", "B"];

/// A server that answers the probe, and gives `worst` the connection of every question, with the
/// number of earlier questions.
struct Raw {
    base: String,
    questions: Arc<AtomicUsize>,
}

/// Whether the server keeps the connection.
#[derive(PartialEq)]
enum Then {
    Stay,
    Leave,
}

/// A valid response.
fn good(body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    head.into_bytes()
}

impl Raw {
    fn start(worst: impl Fn(&mut TcpStream, usize) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let questions = Arc::new(AtomicUsize::new(0));
        let (worst, counter) = (Arc::new(worst), questions.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (worst, counter) = (worst.clone(), counter.clone());
                std::thread::spawn(move || serve(stream, &*worst, &counter));
            }
        });
        Self { base, questions }
    }

    async fn scorer(&self) -> HttpScorer {
        let mut options = HttpOptions::new(&self.base);
        options.timeout = Duration::from_millis(1500);
        options.api_key = Secret::new("sk-hidden");
        connect(options).await.unwrap()
    }
}

fn serve(
    mut stream: TcpStream,
    worst: &dyn Fn(&mut TcpStream, usize) -> Then,
    counter: &AtomicUsize,
) {
    while let Some(request) = request(&mut stream) {
        let answer = if request.contains("/models") {
            good(r#"{"data":[{"id":"m"}]}"#)
        } else if request.contains("Answer:\"") && request.contains("Question: ") {
            if worst(&mut stream, counter.fetch_add(1, Ordering::SeqCst)) == Then::Stay {
                continue;
            }
            return;
        } else {
            good(&String::from_utf8(letters(1).body).unwrap())
        };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

/// One whole request, or `None` at the end of the connection.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|&read| read > 0)?;
        text.push_str(&String::from_utf8_lossy(&chunk[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
            return Some(text);
        }
    }
}

/// Writes `piece` until the client closes the connection.
fn for_ever(stream: &mut TcpStream, piece: &[u8]) -> Then {
    while stream.write_all(piece).is_ok() {}
    Then::Leave
}

async fn failure(
    way: Way,
    worst: impl Fn(&mut TcpStream, usize) -> Then + Send + Sync + 'static,
) -> String {
    let server = Raw::start(worst);
    let scorer = server.scorer().await;
    let error = score_one(way, &scorer, &question("x", &AB))
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("sk-hidden"), "{error}");
    format!("{}: {error}", error.kind())
}

/// This process's peak memory in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| {
        line.trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .unwrap()
            / 1024
    })
}

/// In processes without other tests, whose memory would count as well.
#[test]
fn what_never_ends_takes_little_memory() {
    for model in ["asynchronous", "threads"] {
        let test = format!("hostile::what_never_ends_is_cut_off::{model}");
        let output = run_alone(&test, &[]);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let peak = printed.split_once("peak: ").and_then(|(_, rest)| {
            let (number, _) = rest.split_once(' ')?;
            number.parse::<usize>().ok()
        });
        assert!(peak.is_some_and(|peak| peak < 100), "{model}: {printed}");
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

in_both_models! {
    async fn what_never_ends_is_cut_off(way: Way) {
        let headers = failure(way, |stream, _| {
            let _ = stream.write_all(OK);
            for_ever(stream, &b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(100))
        });
        assert!(headers.await.contains("malformed: malformed answer: the answer's headers"));
        let body = failure(way, |stream, _| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            for_ever(stream, &[b' '; 16384])
        });
        assert!(body.await.contains("larger than 16 MiB"));
        let unsized_body = failure(way, |stream, _| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            for_ever(stream, &[b' '; 16384])
        });
        assert!(unsized_body.await.contains("larger than 16 MiB"));
        let chunks = failure(way, |stream, _| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for_ever(stream, &b"400\r\n".iter().copied().chain([b' '; 1024]).chain(*b"\r\n").collect::<Vec<_>>())
        });
        assert!(chunks.await.contains("larger than 16 MiB"));
        println!("peak: {} MiB", peak());
    }

    async fn a_trickle_and_silence_run_out_of_time(way: Way) {
        let trickle = |opening: &'static [u8]| {
            failure(way, move |stream, _| {
                let _ = stream.write_all(opening);
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Then::Leave
            })
        };
        let body = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{";
        assert_eq!(trickle(body).await, "timed_out: no answer within 2 s");
        assert_eq!(trickle(b"HTTP/1.1 200 OK\r\nX: ").await, "timed_out: no answer within 2 s");
        let silence = failure(way, |_, _| {
            std::thread::sleep(Duration::from_secs(4));
            Then::Leave
        });
        assert_eq!(silence.await, "timed_out: no answer within 2 s");
    }

    async fn the_first_byte_has_a_limit_of_its_own(way: Way) {
        let server = Server::answering(|asked| {
            // Longer than the limit for the first byte.
            let wait = if asked.prompts()[0].contains("slow") { 2500 } else { 0 };
            std::thread::sleep(Duration::from_millis(wait));
            letters(1)
        });
        let mut options = HttpOptions::new(&server.base);
        options.first_byte_timeout = Some(Duration::from_millis(600));
        let scorer = connect(options).await.unwrap();
        let error = score_one(way, &scorer, &question("slow", &AB)).await.unwrap_err();
        assert_eq!(error, ScoreError::TimedOut { seconds: 1 });
        score_one(way, &scorer, &question("quick", &AB)).await.unwrap();
    }

    async fn what_is_no_http_says_so(way: Way) {
        let banner = failure(way, |stream, _| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n");
            Then::Leave
        });
        let text = banner.await;
        assert!(text.contains("not an HTTP/1.1 response") && text.contains("SSH-2.0"), "{text}");
        let deep = failure(way, |stream, _| {
            let _ = stream.write_all(&good(&"[".repeat(100_000)));
            Then::Stay
        });
        assert!(deep.await.contains("nested too deep"));
        let gzip = failure(way, |stream, _| {
            let _ = stream.write_all(OK);
            let _ = stream.write_all(b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
            Then::Stay
        });
        assert!(gzip.await.contains("compression"));
    }

    async fn a_connection_closed_while_idle_is_no_failure(way: Way) {
        // Closed after each answer, without notice.
        let server = Raw::start(|stream, _| {
            let _ = stream.write_all(&good(&String::from_utf8(letters(1).body).unwrap()));
            Then::Leave
        });
        let scorer = server.scorer().await;
        for _ in 0..5 {
            score_one(way, &scorer, &question("x", &AB)).await.unwrap();
        }
        assert_eq!(server.questions.load(Ordering::SeqCst), 5);
    }

    async fn a_request_that_was_taken_up_is_not_sent_twice(way: Way) {
        // A reused connection that closes after the first byte of an answer.
        let server = Raw::start(|stream, before| {
            let whole = good(&String::from_utf8(letters(1).body).unwrap());
            let sent = if before == 0 { &whole[..] } else { &whole[..1] };
            let _ = stream.write_all(sent);
            if before == 0 { Then::Stay } else { Then::Leave }
        });
        let scorer = server.scorer().await;
        score_one(way, &scorer, &question("x", &AB)).await.unwrap();
        let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
        assert_eq!(error.kind(), "unreachable", "{error}");
        assert_eq!(server.questions.load(Ordering::SeqCst), 2);
        // A server that always closes without an answer: at most one repetition.
        let server = Raw::start(|_, _| Then::Leave);
        let scorer = server.scorer().await;
        let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
        assert_eq!(error.kind(), "unreachable", "{error}");
        assert!(server.questions.load(Ordering::SeqCst) <= 2);
    }

    async fn a_reply_tells_time_and_quota(way: Way) {
        let server = Server::answering(|_| {
            std::thread::sleep(Duration::from_millis(30));
            letters(1)
                .with("x-ratelimit-remaining-requests", "59")
                .with("x-ratelimit-reset-requests", "1m30s")
                .with("x-ratelimit-remaining-tokens", "1000")
                .with("x-ratelimit-reset-tokens", "20ms")
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let first = reply(way, &scorer, &[question("x", &AB)]).await;
        assert!(first.timing.server >= Duration::from_millis(30), "{:?}", first.timing);
        assert!(first.timing.parse > Duration::ZERO);
        let requests = first.quota.requests.unwrap();
        assert_eq!((requests.remaining, requests.resets_in), (59, Duration::from_secs(90)));
        assert_eq!(first.quota.tokens.unwrap().resets_in, Duration::from_millis(20));
        // The second request reuses the connection.
        let second = reply(way, &scorer, &[question("y", &AB)]).await;
        assert_eq!(second.timing.connect, Duration::ZERO);
        // Errors carry quotas as well.
        let server = Server::answering(|_| {
            Reply::json(429, &json!({}))
                .with("ratelimit-remaining", "0")
                .with("ratelimit-reset", "7")
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let refused = reply(way, &scorer, &[question("x", &AB)]).await;
        assert_eq!(refused.quota.requests.unwrap().resets_in, Duration::from_secs(7));
        assert!(refused.scores[0].is_err());
    }
}
