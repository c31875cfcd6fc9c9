//! What a run on many machines shows to those who watch: Prometheus metrics, the live page.

use std::io::{Read, Write};
use std::net::TcpStream;

use sureness_faultserver::{Capacity, Script};

use super::Case;
use crate::metrics::exposition::Exposition;
use crate::view::serve;

const RUN: &str = "run --tasks qa rc --sample-size 60 --metrics-addr 127.0.0.1:0";
const QUESTIONS: u64 = 360;

/// One look, or nothing once the process has ended.
fn scrape(address: &str) -> Option<Exposition> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: metrics\r\n\r\n")
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some(Exposition::read(body))
}

#[test]
fn coordinator_and_worker_can_be_scraped() {
    let Some(case) = Case::new(Script::healthy().capacity(Capacity {
        base_ms: 10,
        ..Capacity::default()
    })) else {
        return;
    };
    // Two at a time, and still there when the run is over.
    let mut staying = case.meeting("worker --stay --max-workers 2 --metrics-addr 127.0.0.1:0");
    staying.args(["--api-base", &case.server.base()]);
    let _staying = case.spawn(staying, "w1");
    let coordinator = case.coordinator(RUN, "together");
    let address = |log: &str| {
        let mut found = None;
        case.wait_for("an address", || {
            let said = case.said(log);
            let told = said
                .lines()
                .find_map(|l| l.strip_prefix("metrics: http://"));
            found = told.and_then(|told| Some(told.strip_suffix("/metrics")?.to_owned()));
            found.is_some()
        });
        found.unwrap()
    };
    let (head, worker) = (address("coordinator"), address("w1"));

    let mut seen: Vec<Exposition> = Vec::new();
    let mut most = 0.0_f64;
    while let Some(now) = scrape(&head) {
        if let Some(last) = seen.last().filter(|s| s.sum("sureness_workers", &[]) > 0.0) {
            now.never_counts_back_from(last);
        }
        most = most.max(now.sum("sureness_questions_given_out", &[]));
        seen.push(now);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    let last = seen
        .iter()
        .rev()
        .find(|s| s.sum("sureness_workers", &[]) > 0.0);
    let last = last.expect("no scrape shows the worker");
    let sum = |name: &str| last.sum(name, &[]) as u64;
    assert_eq!(sum("sureness_workers"), 1);
    assert!(most > 2.0, "{most}");
    assert!(sum("sureness_units_finished_total") > 3);
    assert_eq!(sum("sureness_questions"), QUESTIONS);
    assert!(sum("sureness_questions_answered_total") <= QUESTIONS);
    assert_eq!(sum("sureness_questions_answered_twice_total"), 0);
    assert_eq!(sum("sureness_messages_refused_total"), 0);

    // The worker's counts are final: as many as the run has, and what it asked for the noise floor.
    let worker = scrape(&worker).expect("the worker stays");
    let answered = worker.sum("sureness_questions_answered_total", &[]) as u64;
    let results = std::fs::read_to_string(case.path("together/results.json")).unwrap();
    let noise = results.contains("largest_difference");
    assert_eq!(answered, QUESTIONS + if noise { 60 } else { 0 });
    let requests = worker.sum("sureness_requests_total", &[("endpoint", "1")]) as u64;
    assert_eq!(requests, answered);
    let none = worker.sum("sureness_questions_given_out", &[]);
    assert!(none == 0.0, "only a coordinator tells that");
}

#[test]
fn the_page_shows_the_workers_that_there_are() {
    let Some(case) = Case::new(Script::healthy().capacity(Capacity {
        base_ms: 40,
        ..Capacity::default()
    })) else {
        return;
    };
    std::fs::create_dir(case.path("together")).unwrap();
    let page = serve(&case, "together");
    let _workers = [case.worker("w1"), case.worker("w2")];
    let coordinator = case.coordinator("run --tasks qa rc --sample-size 60", "together");
    page.first_run();
    let workers = |event: serde_json::Value| event["html"]["workers"].as_str().unwrap().to_owned();
    let mut seen = page.events().map(workers);
    let two = seen.find(|html| html.contains("2 workers")).unwrap();
    assert!(
        two.contains("Answers a second") && two.contains(" s ago"),
        "{two}"
    );
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    // A finished run has none.
    assert!(seen.any(|html| html.is_empty()));
}
