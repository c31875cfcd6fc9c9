//! Errors are reported before the first question.

use std::net::TcpListener;

use sureness_faultserver::Script;

use super::{Case, Nats, ends_with, text};

/// The command ends with 2 and says these things, and none of the secrets.
fn refused(case: &Case, line: &str, expected: &[&str]) {
    let output = case.sureness(line).output().unwrap();
    ends_with(&output, 2);
    let said = text(&output.stderr);
    for words in expected.iter().chain(&["hint:"]) {
        assert!(said.contains(words), "{line}: {words:?} is not in: {said}");
    }
    assert!(!said.contains("swordfish"), "{said}");
}

#[test]
fn a_broker_that_is_not_there() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    for command in [
        "run --nats nats://me:swordfish@127.0.0.1:PORT",
        "status --nats nats://127.0.0.1:PORT",
    ] {
        let line = command.replace("PORT", &port.to_string());
        refused(
            &case,
            &line,
            &["cannot connect", &format!("127.0.0.1:{port}")],
        );
    }
}

#[test]
fn a_broker_without_jetstream() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    let Some(plain) = Nats::start(&[]) else {
        return;
    };
    refused(
        &case,
        &format!("run --nats {}", plain.url()),
        &["refuses the stream", "-js"],
    );
}

#[test]
fn a_broker_that_wants_a_password() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    let Some(locked) = Nats::start(&["-js", "--user", "me", "--pass", "secret"]) else {
        return;
    };
    let address = locked.url().replace("nats://", "nats://me:swordfish@");
    refused(&case, &format!("run --nats {address}"), &["credentials"]);
    let right = locked.url().replace("nats://", "nats://me:secret@");
    let output = case
        .sureness(&format!("status --nats {right}"))
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("no coordinator answers"));
}

#[test]
fn flags_that_do_not_go_together() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    let url = case.nats.url();
    refused(
        &case,
        &format!("run --nats {url} --api-base {}", case.server.base()),
        &["--api-base is given together with --nats"],
    );
    refused(&case, &format!("worker --nats {url}"), &["no model"]);
    refused(
        &case,
        &format!("worker --api-base {}", case.server.base()),
        &["no NATS server"],
    );
    for way in ["sampled", "reasoned"] {
        refused(
            &case,
            &format!(
                "worker --nats {url} --api-base {} --answers {way}",
                case.server.base()
            ),
            &[&format!("a worker does not ask with --answers {way}")],
        );
    }
    refused(
        &case,
        &format!("run --nats {url} --nats-creds missing.creds"),
        &["missing.creds"],
    );
    let output = case
        .sureness(&format!("run --nats {url} --run-name a.b"))
        .output()
        .unwrap();
    ends_with(&output, 2);
    assert!(text(&output.stderr).contains("letters, digits"));
}

#[test]
fn nobody_comes() {
    let Some(case) = Case::new(Script::healthy()) else {
        return;
    };
    let line = format!("run --nats {} --give-up-after 1", case.nats.url());
    refused(&case, &line, &["without a worker", "sureness worker"]);
    let line = format!(
        "worker --nats {} --api-base {} --give-up-after 1",
        case.nats.url(),
        case.server.base()
    );
    refused(&case, &line, &["no coordinator", "--stay"]);
}
