//! Capacity, rate limits, and a server that goes away.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sureness_faultserver::{Capacity, Fault, FaultServer, RetryAfter, Rule, Script};

use crate::client::{Client, PATIENCE, ask, question, start};

fn limited(capacity: Capacity) -> FaultServer {
    start(Script::healthy().capacity(capacity))
}

/// Statuses of so many requests at once, and how long they took together.
fn at_once(server: &FaultServer, requests: usize) -> (Vec<u16>, Duration) {
    let started = Instant::now();
    let mut clients: Vec<Client> = (0..requests).map(|_| Client::connect(server)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.post("/v1/completions", &question(format!("question {number}")));
    }
    let statuses = clients
        .iter_mut()
        .map(|client| client.response().unwrap().status)
        .collect();
    (statuses, started.elapsed())
}

#[test]
fn what_is_too_much_at_once_waits_its_turn() {
    let server = limited(Capacity {
        workers: Some(2),
        base_ms: 40,
        ..Capacity::default()
    });
    let (statuses, took) = at_once(&server, 6);
    assert_eq!(statuses, [200; 6]);
    // Three rounds of two: less time would mean that the limit was not kept.
    assert!(took >= Duration::from_millis(120), "{took:?}");
    assert_eq!(server.counts().max_in_flight, 6);
}

#[test]
fn beyond_the_queue_there_is_a_429() {
    let server = limited(Capacity {
        workers: Some(1),
        queue: Some(2),
        base_ms: 700,
        retry_after: RetryAfter::Seconds(2.0),
        ..Capacity::default()
    });
    let (mut statuses, _) = at_once(&server, 5);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

#[test]
fn a_minute_s_requests_are_counted_and_told() {
    let server = limited(Capacity {
        requests_per_minute: Some(2),
        ..Capacity::default()
    });
    let first = ask(&server, &question("x")).unwrap();
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("1"));
    assert_eq!(first.header("x-ratelimit-reset-requests"), Some("60000ms"));
    assert_eq!(ask(&server, &question("x")).unwrap().status, 200);
    let refused = ask(&server, &question("x")).unwrap();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-limit-requests"), Some("2"));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // What costs the model nothing does not count.
    assert_eq!(Client::connect(&server).get("/v1/models").status, 200);
}

#[test]
fn a_long_prompt_takes_its_time() {
    let server = limited(Capacity {
        per_word_us: 1000,
        ..Capacity::default()
    });
    let started = Instant::now();
    ask(&server, &question(vec!["word"; 100].join(" "))).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[test]
fn a_paused_server_refuses_connections_and_comes_back_on_its_port() {
    let server = start(Script::healthy());
    let mut open = Client::connect(&server);
    assert_eq!(open.get("/v1/models").status, 200);
    server.pause();
    let refused = TcpStream::connect(server.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(open.rest().0, "", "open connections are closed");
    server.pause();
    server.resume().unwrap();
    server.resume().unwrap();
    assert_eq!(ask(&server, &question("x")).unwrap().status, 200);
}

#[test]
fn pausing_ends_what_is_under_way() {
    let server = start(Script::with(Rule::always(Fault::NeverStarts)));
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    while server.counts().in_flight == 0 {
        std::thread::yield_now();
    }
    server.pause();
    assert!(server.wait_until_idle(PATIENCE));
    assert_eq!(server.log()[0].status, None);
}

#[test]
fn a_client_that_goes_away_frees_its_place() {
    let server = start(Script::with(Rule::always(Fault::Delay {
        ms: 60_000,
        up_to_ms: None,
    })));
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    while server.counts().in_flight == 0 {
        std::thread::yield_now();
    }
    drop(client);
    assert!(server.wait_until_idle(PATIENCE));
    let entry = &server.log()[0];
    assert_eq!((entry.status, entry.delay), (None, Duration::from_secs(60)));
}

#[test]
fn the_script_changes_while_the_server_runs() {
    let server = start(Script::with(Rule::always(Fault::InternalError)));
    let mut client = Client::connect(&server);
    for (script, status) in [
        (None, 500),
        (Some(Script::healthy()), 200),
        (
            Some(Script::with(Rule::always(Fault::InternalError).limit(1))),
            500,
        ),
        (None, 200),
    ] {
        if let Some(script) = script {
            server.set_script(script);
        }
        client.post("/v1/completions", &question("x"));
        assert_eq!(client.response().unwrap().status, status);
    }
}

#[tokio::test]
async fn it_may_be_held_by_async_code() {
    let server = start(Script::healthy());
    server.pause();
    server.resume().unwrap();
}

#[test]
fn a_port_in_use_is_an_error() {
    let server = start(Script::healthy());
    let port = server.address().port();
    assert_eq!(
        FaultServer::start_on(Script::healthy(), port)
            .unwrap_err()
            .kind(),
        ErrorKind::AddrInUse
    );
    drop(server);
    FaultServer::start_on(Script::healthy(), port).unwrap();
}
