//! Each fault is really on the wire.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sureness_faultserver::{
    Coding, Fault, FaultServer, Indices, Key, Nan, Point, RetryAfter, Routes, Rule, Script, Target,
    logprobs_of,
};

use crate::client::{Client, PATIENCE, Response, ask, question, start};

fn playing(fault: Fault) -> FaultServer {
    start(Script::with(Rule::always(fault)))
}

/// The response to one question while this fault is played.
fn response(fault: Fault) -> Response {
    ask(&playing(fault), &question("x")).unwrap()
}

/// What comes up to the connection's end, and how that comes.
fn rest(server: &FaultServer) -> (String, Result<(), ErrorKind>) {
    let mut client = Client::connect(server);
    client.post("/v1/completions", &question("x"));
    let (text, end) = client.rest();
    (text, end.map_err(|error| error.kind()))
}

fn answered(server: &FaultServer) -> Vec<bool> {
    assert!(server.wait_until_idle(PATIENCE));
    server.log()[0].answered.clone()
}

fn is_good(response: &Response) -> bool {
    let value = &response.json()["choices"][0]["logprobs"]["top_logprobs"][0][" A"];
    (value.as_f64().unwrap() - logprobs_of("x", &["A"])[0]).abs() < 1e-12
}

#[test]
fn delays_hold_the_answer_back() {
    let server = playing(Fault::Delay {
        ms: 50,
        up_to_ms: Some(60),
    });
    let started = Instant::now();
    assert!(is_good(&ask(&server, &question("x")).unwrap()));
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(answered(&server), [true]);
    let entry = &server.log()[0];
    assert!((50..=60).contains(&entry.delay.as_millis()));
    assert_eq!(
        entry.fault,
        Some(Fault::Delay {
            ms: 50,
            up_to_ms: Some(60)
        })
    );
}

#[test]
fn rate_limits_tell_when_to_come_back_in_every_way() {
    let refused = |retry_after, quota| response(Fault::TooManyRequests { retry_after, quota });
    let plain = refused(RetryAfter::None, false);
    assert_eq!((plain.status, plain.header("retry-after")), (429, None));
    assert_eq!(
        refused(RetryAfter::Seconds(1.5), false).header("retry-after"),
        Some("1.5")
    );
    let dated = refused(RetryAfter::DateIn(100), false);
    let date = httpdate::parse_http_date(dated.header("retry-after").unwrap()).unwrap();
    let wait = date.duration_since(SystemTime::now()).unwrap().as_secs();
    assert!((90..=100).contains(&wait), "{wait}");
    let quota = refused(RetryAfter::None, true);
    assert_eq!(quota.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(quota.header("x-ratelimit-remaining-tokens"), Some("0"));
    assert_eq!(quota.header("x-ratelimit-reset-tokens"), Some("20ms"));
}

#[test]
fn failures_have_their_status_and_words() {
    assert_eq!(response(Fault::InternalError).status, 500);
    let loading = response(Fault::Loading {
        retry_after: RetryAfter::Seconds(3.0),
    });
    assert_eq!(
        (loading.status, loading.header("retry-after")),
        (503, Some("3"))
    );
    assert_eq!(loading.json()["error"]["type"], "unavailable_error");
    let other = response(Fault::Status {
        status: 418,
        message: "short and stout".into(),
    });
    assert_eq!(
        (other.status, &other.json()["error"]["message"]),
        (418, &json!("short and stout"))
    );
}

#[test]
fn resets_come_at_every_point_and_leave_what_came_before() {
    for (at, wanted) in [
        (Point::Before, false),
        (Point::InHead, false),
        (Point::InBody, false),
        (Point::AfterBody, true),
    ] {
        let server = playing(Fault::Reset { at });
        let (text, end) = rest(&server);
        assert_eq!(end, Err(ErrorKind::ConnectionReset), "{at:?}");
        check(at, &text);
        assert_eq!(answered(&server).contains(&true), wanted, "{at:?}");
    }
}

#[test]
fn hangups_come_at_every_point_and_are_no_resets() {
    for at in [
        Point::Before,
        Point::InHead,
        Point::InBody,
        Point::AfterBody,
    ] {
        let server = playing(Fault::Hangup { at });
        let (text, end) = rest(&server);
        assert_eq!(end, Ok(()), "{at:?}");
        check(at, &text);
        assert!(server.wait_until_idle(PATIENCE));
        assert_eq!(server.log()[0].is_whole(), at == Point::AfterBody, "{at:?}");
    }
}

/// How much of a response there is before the connection breaks at this point.
fn check(at: Point, text: &str) {
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
    let whole = body.is_some_and(|body| serde_json::from_str::<Value>(body).is_ok());
    match at {
        Point::Before => assert_eq!(text, ""),
        Point::InHead => assert!(text.starts_with("HTTP/1.1 200") && body.is_none()),
        Point::InBody => assert!(body.is_some_and(|body| !body.is_empty()) && !whole),
        Point::AfterBody => assert!(whole),
    }
}

#[test]
fn broken_json_comes_in_sound_http() {
    for fault in [
        Fault::TruncatedJson,
        Fault::MalformedJson,
        Fault::NotANumber {
            spelled: Nan::Literal,
        },
        Fault::DeepJson { depth: 200_000 },
    ] {
        let server = playing(fault.clone());
        let mut client = Client::connect(&server);
        client.post("/v1/completions", &question("x"));
        let broken = client.response().unwrap();
        assert_eq!(broken.status, 200);
        assert!(
            serde_json::from_slice::<Value>(&broken.body).is_err(),
            "{fault:?}"
        );
        assert_eq!(answered(&server), [false]);
        assert_eq!(
            client.get("/v1/models").status,
            200,
            "the connection lives on"
        );
    }
    let nan = response(Fault::NotANumber {
        spelled: Nan::Literal,
    });
    assert!(String::from_utf8(nan.body).unwrap().contains("[NaN]"));
}

#[test]
fn values_that_are_no_numbers_are_spelled_in_each_way() {
    let value = |spelled| {
        let answer = response(Fault::NotANumber { spelled }).json();
        answer["choices"][0]["logprobs"]["token_logprobs"][0].clone()
    };
    assert_eq!(value(Nan::Text), "NaN");
    assert_eq!(value(Nan::Null), Value::Null);
}

#[test]
fn fields_go_missing() {
    let answer = response(Fault::MissingField {
        field: "logprobs".into(),
    })
    .json();
    let choice = answer["choices"][0].as_object().unwrap();
    assert!(choice.contains_key("text") && !choice.contains_key("logprobs"));
}

#[test]
fn indices_of_a_list_go_wrong() {
    for (how, numbers, wanted) in [
        (Indices::Shuffled, vec![2, 1, 0], [true, true, true]),
        (Indices::Duplicated, vec![0, 1, 0], [false, true, false]),
        (Indices::Missing, vec![0, 1], [true, true, false]),
    ] {
        let server = playing(Fault::Indices { how });
        let answer = ask(&server, &question(json!(["a", "b", "c"])))
            .unwrap()
            .json();
        let choices = answer["choices"].as_array().unwrap();
        let found: Vec<u64> = choices
            .iter()
            .map(|c| c["index"].as_u64().unwrap())
            .collect();
        assert_eq!(found, numbers, "{how:?}");
        assert_eq!(answered(&server), wanted, "{how:?}");
        assert_eq!(server.prompt_counts("c").answered, u64::from(wanted[2]));
    }
}

#[test]
fn a_trickle_is_a_good_answer_in_pieces() {
    let server = playing(Fault::Trickle {
        bytes: 20,
        every_ms: 1,
    });
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    let mut piece = [0; 4096];
    assert!(
        client.stream.peek(&mut piece).unwrap() < 200,
        "not all of it at once"
    );
    assert!(is_good(&client.response().unwrap()));
    assert_eq!(answered(&server), [true]);
}

#[test]
fn good_answers_in_disguise() {
    let html = response(Fault::WrongContentType);
    assert!(
        html.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(is_good(&html));
    let mut packed = response(Fault::Gzip);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*packed.body)
        .read_to_end(&mut body)
        .unwrap();
    packed.body = body;
    assert!(is_good(&packed));
}

#[test]
fn a_redirect_leads_to_the_answer() {
    let server = playing(Fault::Redirect {
        to: Target::SameHost,
    });
    let redirect = ask(&server, &question("x")).unwrap();
    assert_eq!(redirect.status, 307);
    let location = redirect.header("location").unwrap();
    let path = location
        .strip_prefix(&format!("http://{}", server.address()))
        .unwrap();
    let mut client = Client::connect(&server);
    client.post(path, &question("x"));
    assert!(is_good(&client.response().unwrap()));
    assert!(server.wait_until_idle(PATIENCE));
    let whole: Vec<bool> = server
        .log()
        .iter()
        .map(sureness_faultserver::Entry::is_whole)
        .collect();
    assert_eq!(whole, [false, true]);
}

#[test]
fn a_redirect_to_another_host_shows_there_whether_the_key_came_along() {
    let other = start(Script::healthy());
    let origin = format!("http://{}", other.address());
    for (to, start) in [
        (Target::OtherHost, "http://localhost:".to_owned()),
        (Target::Origin(origin.clone()), origin),
    ] {
        let location = response(Fault::Redirect { to });
        assert!(location.header("location").unwrap().starts_with(&start));
    }
    let mut client = Client::connect(&other);
    client.send(
        "POST",
        "/v1/completions",
        "Authorization: Bearer k\r\n",
        &question("x").to_string(),
    );
    client.response().unwrap();
    assert_eq!(other.log()[0].asked.key, Key::Right);
}

#[test]
fn huge_bodies_are_as_large_as_asked_for_and_never_held() {
    const SIZE: u64 = 300 << 20;
    let before = peak_memory();
    for coding in [Coding::Plain, Coding::Chunked, Coding::Gzip] {
        let server = playing(Fault::HugeBody {
            bytes: SIZE,
            coding,
        });
        let mut client = Client::connect(&server);
        client.post("/v1/completions", &question("x"));
        let mut block = vec![0; 1 << 20];
        let mut read = 0;
        loop {
            match client.stream.read(&mut block).unwrap() {
                0 => break,
                n => read += n as u64,
            }
        }
        if coding == Coding::Gzip {
            assert!(read < SIZE / 100, "{read}");
        } else {
            assert!(read > SIZE, "{read}");
        }
        assert_eq!(answered(&server), Vec::<bool>::new());
    }
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < SIZE / 3, "{} MiB", (after - before) >> 20);
    }
}

/// This process's peak memory in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

#[test]
fn a_packed_body_unpacks_to_its_size() {
    let packed = response(Fault::HugeBody {
        bytes: 5 << 20,
        coding: Coding::Gzip,
    });
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*packed.body)
        .read_to_end(&mut body)
        .unwrap();
    assert_eq!(body.len(), 5 << 20);
    assert!(body.starts_with(b"{\"object\""));
}

#[test]
fn headers_without_end() {
    let server = playing(Fault::EndlessHead);
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    let mut text = vec![0; 4 << 20];
    client.stream.read_exact(&mut text).unwrap();
    assert!(text.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(!text.windows(4).any(|w| w == b"\r\n\r\n"));
    drop(client);
    assert!(server.wait_until_idle(PATIENCE));
}

#[test]
fn an_answer_that_never_ends_keeps_coming() {
    let server = playing(Fault::NeverEnds { every_ms: 1 });
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    let mut text = [0; 600];
    client.stream.read_exact(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("\"choices\":["));
    assert!(text.matches("\r\n1\r\n \r\n").count() > 10, "{text}");
    drop(client);
    assert!(server.wait_until_idle(PATIENCE));
    assert_eq!(server.log()[0].status, Some(200));
}

#[test]
fn an_answer_that_never_starts() {
    let server = playing(Fault::NeverStarts);
    let mut client = Client::connect(&server);
    client.post("/v1/completions", &question("x"));
    client
        .stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let waited = client.stream.read(&mut [0; 10]).unwrap_err().kind();
    assert!(
        matches!(waited, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{waited:?}"
    );
    assert_eq!(server.counts().in_flight, 1);
    drop(client);
    assert!(server.wait_until_idle(PATIENCE));
    assert_eq!(server.log()[0].status, None);
}

#[test]
fn other_routes_can_fail_too() {
    let path = Routes::Path("models".into());
    let server = start(Script::with(Rule::always(Fault::InternalError).on(path)));
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/v1/models").status, 500);
    assert_eq!(ask(&server, &question("x")).unwrap().status, 200);
}

#[test]
fn the_log_and_the_counts_name_the_fault() {
    let server = playing(Fault::InternalError);
    ask(&server, &question("x")).unwrap();
    assert!(server.wait_until_idle(PATIENCE));
    let entry = &server.log()[0];
    assert_eq!(
        (&entry.fault, entry.status),
        (&Some(Fault::InternalError), Some(500))
    );
    let counts = server.counts();
    assert_eq!(counts.faults["internal_error"], 1);
    assert_eq!(counts.statuses[&500], 1);
    assert_eq!((counts.prompts_asked, counts.prompts_answered), (1, 0));
}
