//! Malformed messages, and a question that kills its workers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use sureness_faultserver::{Capacity, Fault, Rule, Script};

use super::{Case, PATIENCE, text};

const RUN: &str = "run --tasks qa --sample-size 60 --prompt-strategies base";

/// Publishes these bytes as a stranger would.
fn publish(case: &Case, subject: &str, payload: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", case.nats.port)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("INFO"));
    write!(
        stream,
        "CONNECT {{\"verbose\":false}}\r\nPUB {subject} {}\r\n",
        payload.len()
    )
    .unwrap();
    stream.write_all(payload).unwrap();
    stream.write_all(b"\r\nPING\r\n").unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("PONG"), "{line}");
}

fn status(case: &Case) -> Value {
    let output = case.meeting("status --output json").output().unwrap();
    serde_json::from_str(&text(&output.stdout)).unwrap_or_default()
}

#[test]
fn messages_that_nobody_understands_are_refused_and_counted() {
    let slow = Script::healthy().capacity(Capacity {
        base_ms: 250,
        ..Capacity::default()
    });
    let Some(case) = Case::new(slow) else { return };
    case.alone(RUN, "alone");
    let worker = case.worker("w1");
    let coordinator = case.coordinator(RUN, "together");
    case.wait_for("a worker", || case.said("coordinator").contains("+ "));
    case.wait_for("an answer", || case.server.counts().prompts_answered > 62);
    for payload in [&b""[..], b"hello", &[1, 255, 255, 255], &[9; 5000]] {
        for subject in ["result.0", "hello", "beat", "open.0"] {
            publish(&case, &format!("sureness.default.{subject}"), payload);
        }
    }
    case.wait_for("the count", || status(&case)["lanes"][0]["malformed"] == 4);
    assert_eq!(coordinator.end(), 0);
    assert_eq!(worker.end(), 0);
    case.alike("together", "alone");
}

#[test]
fn a_question_that_kills_its_workers_becomes_a_failure() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    // One question of the sample, as the server sees it.
    case.alone(RUN, "alone");
    let asked = case.server.log();
    let prompts = asked.iter().flat_map(|entry| entry.asked.prompts.iter());
    let questions: Vec<String> = prompts
        .map(ToString::to_string)
        .filter(|prompt| prompt.contains("Answer:"))
        .collect();
    let (_, poison) = questions[40].rsplit_once("Question:").unwrap();
    let poison = poison.to_owned();
    case.server
        .set_script(Script::with(Rule::containing(&*poison, Fault::NeverStarts)));
    case.server.clear_log();

    let line = format!("{RUN} --unit-timeout 2 --allowed-failures 1");
    let mut worker = Some(case.worker("workers"));
    let mut coordinator = case.coordinator(&line, "together");
    let mut deaths = 0;
    let began = std::time::Instant::now();
    while coordinator.0.try_wait().unwrap().is_none() {
        assert!(
            began.elapsed() < 2 * PATIENCE,
            "{}",
            case.said("coordinator")
        );
        let log = case.server.log();
        let mut prompts = log.iter().flat_map(|entry| entry.asked.prompts.iter());
        if prompts.any(|prompt| prompt.to_string().contains(&poison)) {
            // It was asked: that is the end of who asked it.
            case.server.clear_log();
            worker.take().unwrap().kill();
            worker = Some(case.worker("workers"));
            deaths += 1;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    assert!((3..=6).contains(&deaths), "{deaths} workers died");
    let figures = case.figures("together");
    assert!(
        figures.contains("workers were lost while they held this question"),
        "{figures}"
    );
    let figures: Value = serde_json::from_str(&figures).unwrap();
    // All others are answered.
    assert_eq!(figures["models"][0]["groups"][0]["answered"], 59);
}
