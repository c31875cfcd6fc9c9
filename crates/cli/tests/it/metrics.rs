//! `--metrics-addr` from outside: a run is scraped while it goes.
#![cfg(unix)]

pub(crate) mod exposition;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use exposition::Exposition;
use sureness_faultserver::{Capacity, Fault, FaultServer, RetryAfter, Rule, Script};
use sureness_testkit::PATIENCE;

const RUN: &str = "compare --models first second --tasks qa rc --sample-size 40 \
                   --prompt-strategies base task_specific --max-workers 4 --allowed-failures 0.5 \
                   --retry-delay 0.01 --progress none";

/// Refuses some questions for good and some once, and takes its time.
fn script() -> Script {
    let odd = |asked: &sureness_faultserver::Asked, n| {
        let prompt = asked.prompts.first().map(ToString::to_string);
        prompt.is_some_and(|prompt| prompt.contains("Answer:") && prompt.len() % n == 0)
    };
    let never = Rule::matching(
        move |asked| odd(asked, 23),
        Fault::Status {
            status: 400,
            message: "not this one".to_owned(),
        },
    );
    let later = Rule::matching(
        move |asked| odd(asked, 11),
        Fault::TooManyRequests {
            retry_after: RetryAfter::Seconds(0.01),
            quota: false,
        },
    );
    let mut script = Script::with(never).capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    });
    script.rules.push(later.per_prompt(1));
    script.server.check_model = false;
    script
}

/// One answer to one request, whole.
struct Answer {
    head: String,
    body: String,
}

fn ask(address: &str, request: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Ok(Answer {
        head: head.to_lowercase(),
        body: body.to_owned(),
    })
}

fn get(address: &str, path: &str, accept: &str) -> std::io::Result<Answer> {
    ask(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: metrics\r\nAccept: {accept}\r\n\r\n"),
    )
}

/// A run and the address that it prints.
fn start(server: &FaultServer, folder: &std::path::Path, line: &str) -> (Child, String) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .env_clear()
        .env("SURENESS_HOME", folder.join("home"))
        .args(line.split_whitespace())
        .args([
            "--metrics-addr",
            "127.0.0.1:0",
            "--api-base",
            &server.base(),
        ])
        .arg("--output-dir")
        .arg(folder.join("results"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    let address = loop {
        let mut line = String::new();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "no address: {told}"
        );
        told.push_str(&line);
        if let Some(rest) = line.trim().strip_prefix("metrics: http://") {
            break rest.strip_suffix("/metrics").unwrap().to_owned();
        }
    };
    // Its further output must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    (child, address)
}

/// Scrapes until the second model is being asked: nothing is counted of the first one any more.
fn scrape_until_the_second(address: &str) -> Exposition {
    let began = Instant::now();
    let mut seen: Vec<Exposition> = Vec::new();
    loop {
        assert!(
            began.elapsed() < PATIENCE,
            "the second model is never asked"
        );
        let answer = get(address, "/metrics", "text/plain").unwrap();
        assert!(answer.head.starts_with("http/1.1 200"), "{}", answer.head);
        let kind = "content-type: text/plain; version=0.0.4";
        assert!(answer.head.contains(kind), "{}", answer.head);
        let now = Exposition::read(&answer.body);
        if let Some(last) = seen.last() {
            now.never_counts_back_from(last);
        }
        if now.sum("sureness_questions_answered_total", &[("model", "second")]) > 0.0 {
            assert!(seen.len() > 3);
            return now;
        }
        seen.push(now);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_scraped_during_a_run_is_what_its_results_say() {
    let folder = tempfile::tempdir().unwrap();
    let server = FaultServer::start(script()).unwrap();
    let (mut child, address) = start(&server, folder.path(), RUN);
    let found = scrape_until_the_second(&address);
    let open = get(
        &address,
        "/metrics",
        "application/openmetrics-text;version=1.0.0",
    )
    .unwrap();
    assert!(
        open.head
            .contains("content-type: application/openmetrics-text; version=1.0.0")
    );
    assert!(open.body.ends_with("# EOF\n"));
    let at_once = found.sum("sureness_requests_in_flight", &[("model", "second")]);
    assert!((0.0..=4.0).contains(&at_once), "{at_once}");
    assert!(child.wait().unwrap().success());

    let text = std::fs::read_to_string(folder.path().join("results/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&text).unwrap();
    let model = &results["models"][0];
    assert_eq!(model["name"], "first");
    let is = |name: &str, labels: &[(&str, &str)], expected: &serde_json::Value| {
        let labels = [&[("model", "first")], labels].concat();
        let sum = found.sum(name, &labels) as u64;
        assert_eq!(Some(sum), expected.as_u64(), "{name} {labels:?}");
    };
    let mut refused = 0;
    for group in model["groups"].as_array().unwrap() {
        let labels = [
            ("task", group["task"].as_str().unwrap()),
            ("strategy", group["strategy"].as_str().unwrap()),
        ];
        is("sureness_questions", &labels, &group["planned"]);
        is(
            "sureness_questions_answered_total",
            &labels,
            &group["answered"],
        );
        let failures = group["failures"].as_object().unwrap();
        refused += failures.len();
        for (kind, failures) in failures {
            let labels = [&labels[..], &[("kind", kind)]].concat();
            is(
                "sureness_questions_failed_total",
                &labels,
                &failures["count"],
            );
        }
    }
    assert!(refused > 0);
    let timing = &model["timing"];
    let endpoint = &timing["endpoints"][0];
    is("sureness_questions_cached_total", &[], &timing["cached"]);
    is("sureness_retries_total", &[], &timing["retried"]);
    is(
        "sureness_prompt_tokens_total",
        &[],
        &timing["prompt_tokens"],
    );
    is(
        "sureness_cached_tokens_total",
        &[],
        &timing["cached_tokens"],
    );
    is(
        "sureness_requests_total",
        &[("endpoint", "1")],
        &endpoint["requests"],
    );
    is(
        "sureness_requests_total",
        &[("outcome", "rate_limited")],
        &endpoint["throttled"],
    );
    is(
        "sureness_request_duration_seconds_count",
        &[],
        &endpoint["requests"],
    );
    is("sureness_endpoint_up", &[("endpoint", "1")], &1.into());
    is("sureness_paused", &[], &0.into());
    assert!(timing["retried"].as_u64().unwrap() > 0);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert!(found.sum("sureness_build_info", &version) > 0.0);
}

#[test]
fn there_is_nothing_else_and_rude_clients_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = FaultServer::start(script()).unwrap();
    let line = "run --model first --tasks qa --sample-size 40 --prompt-strategies base \
                --max-workers 2 --allowed-failures 0.5 --retry-delay 0.01 --progress none";
    let (mut child, address) = start(&server, folder.path(), line);
    let status = |request: &str| ask(&address, request).map(|answer| answer.head);
    for path in ["/", "/metrics/", "/metric", "/../metrics"] {
        let head = get(&address, path, "*/*").unwrap().head;
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
    }
    let post = "POST /metrics HTTP/1.1\r\nHost: metrics\r\nContent-Length: 0\r\n\r\n";
    assert!(status(post).unwrap().starts_with("http/1.1 405"));
    let garbage = status("what is this\r\n\r\n").unwrap();
    assert!(garbage.starts_with("http/1.1 400"), "{garbage}");
    // Some that say nothing, and some that go away in the middle of a word.
    let silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /met").unwrap();
    }
    let answer = get(&address, "/metrics", "*/*").unwrap();
    Exposition::read(&answer.body);
    assert!(child.wait().unwrap().success());
    drop(silent);
}

#[test]
fn an_address_that_is_not_free_is_told_before_any_work() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = FaultServer::start(script()).unwrap();
    for address in [
        taken.local_addr().unwrap().to_string(),
        "9464".to_owned(),
        "127.0.0.1".to_owned(),
        "127.0.0.1:99999".to_owned(),
        "192.0.2.1:9464".to_owned(),
    ] {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
            .env_clear()
            .env("SURENESS_HOME", folder.path().join("home"))
            .args([
                "single",
                "--api-base",
                &server.base(),
                "--metrics-addr",
                &address,
            ])
            .arg("--output-dir")
            .arg(folder.path().join("results"))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("cannot serve metrics on {address}")),
            "{stderr}"
        );
        assert!(stderr.contains("hint: give --metrics-addr"), "{stderr}");
    }
    assert!(!folder.path().join("results").exists());
    assert_eq!(server.counts().requests, 0);
}
