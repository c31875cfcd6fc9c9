//! Measures the client's CPU time per question. Runs on request, since it needs a quiet machine and
//! an optimised build:
//!
//! ```text
//! cargo test -p sureness-scorers --no-default-features --test it \
//!     --config 'profile.dev.package.sureness-scorers.opt-level=3' -- --ignored --nocapture http::cost::cost
//! ```
//!
//! The server is a separate process, so that its time does not count.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use sureness_scorers::http::{HttpOptions, HttpScorer};
use sureness_scorers::{OptionScorer, ScoreRequest};

use crate::http::question;

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const ROLE: &str = "SURENESS_TEST_CANNED";
const CONNECTIONS: usize = 64;
const QUESTIONS: usize = 60_000;

/// About 900 bytes in the legacy shape.
fn canned() -> String {
    let listed: Vec<String> = "ABCDEFGHIJKLMNOPQRST"
        .chars()
        .enumerate()
        .map(|(i, letter)| format!("\" {letter}\": -{}.1105235815048218", i + 1))
        .collect();
    let body = format!(
        "{{\"id\":\"cmpl-97af3e338080cffc\",\"object\":\"text_completion\",\"created\":1795531279,\
         \"model\":\"smollm2\",\"choices\":[{{\"index\":0,\"text\":\" A\",\"logprobs\":{{\
         \"text_offset\":[0],\"token_logprobs\":[-1.1105235815048218],\"tokens\":[\" A\"],\
         \"top_logprobs\":[{{{}}}]}},\"finish_reason\":\"length\",\"stop_reason\":null}}],\
         \"usage\":{{\"prompt_tokens\":485,\"total_tokens\":486,\"completion_tokens\":1}}}}",
        listed.join(",")
    );
    format!(
        "HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: application/json\r\n\
         Connection: keep-alive\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The server's process. Does nothing as an ordinary test.
#[test]
#[ignore = "a part of `cost`"]
fn canned_server() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("\nport {}", listener.local_addr().unwrap().port());
    for mut stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            let answer = canned();
            let mut chunk = [0; 16 * 1024];
            while stream.read(&mut chunk).is_ok_and(|read| read > 0) {
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }
}

/// CPU time of this process so far, in microseconds.
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    // User and system time, in hundredths of a second.
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|f| f.parse::<u64>().unwrap())
        .sum();
    ticks * 10_000
}

fn report(what: &str, started: Instant, before: u64) {
    let cost = (processor_time() - before) as f64 / QUESTIONS as f64;
    let rate = QUESTIONS as f64 / started.elapsed().as_secs_f64();
    println!("{what}: {cost:.1} µs of processor time per question, {rate:.0} questions a second");
}

async fn asynchronous(scorer: &HttpScorer, requests: &[ScoreRequest]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || async {
        while let Some(request) =
            requests.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        {
            let reply = scorer.score(std::slice::from_ref(request)).await;
            assert!(reply.scores[0].is_ok(), "{reply:?}");
        }
    };
    futures_util::future::join_all((0..CONNECTIONS).map(|_| worker())).await;
}

fn threads(scorer: &HttpScorer, requests: &[ScoreRequest]) {
    std::thread::scope(|scope| {
        for part in requests.chunks(requests.len().div_ceil(CONNECTIONS)) {
            scope.spawn(move || {
                for request in part {
                    let reply = scorer.score_blocking(std::slice::from_ref(request));
                    assert!(reply.scores[0].is_ok(), "{reply:?}");
                }
            });
        }
    });
}

#[test]
#[ignore = "a measurement, see above"]
fn cost() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "http::cost::canned_server",
        ])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("port ").map(str::to_owned))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut options = HttpOptions::new(format!("127.0.0.1:{port}"));
    options.max_connections = CONNECTIONS;
    options.model = Some("m".to_owned());
    let shared: std::sync::Arc<str> = "Question: five few-shot examples\n".repeat(60).into();
    let requests: Vec<ScoreRequest> = (0..QUESTIONS)
        .map(|i| {
            let mut request = question(&format!("a question of usual length {i}"), &LETTERS);
            request.prompt.prefix = shared.clone();
            request
        })
        .collect();
    let scorer = runtime.block_on(HttpScorer::connect(options)).unwrap();
    let (started, before) = (Instant::now(), processor_time());
    runtime.block_on(asynchronous(&scorer, &requests));
    report("async", started, before);
    let (started, before) = (Instant::now(), processor_time());
    threads(&scorer, &requests);
    report("threads", started, before);
    server.kill().unwrap();
    server.wait().unwrap();
}
