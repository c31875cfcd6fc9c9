//! Statuses, broken bodies, keys and lists, on a real connection.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde_json::json;
use sureness_scorers::http::{Header, HttpOptions, Secret};
use sureness_scorers::{OptionScorer, ScoreError};

use crate::http::server::{Asked, Reply, Server, letter, letters};
use crate::http::{Way, connect, in_both_models, question, reply, score, score_one};

const AB: [&str; 2] = ["A", "B"];

async fn failure(way: Way, reply: Reply) -> ScoreError {
    let server = Server::answering(move |_| reply.clone());
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    score_one(way, &scorer, &question("x", &AB))
        .await
        .unwrap_err()
}

fn list_options(server: &Server) -> HttpOptions {
    let mut options = HttpOptions::new(&server.base);
    options.list_prompts = true;
    options
}

in_both_models! {
async fn retry_after_is_passed_on(way: Way) {
    let empty = || Reply::json(429, &json!({}));
    let seconds = failure(way, empty().with("Retry-After", "7")).await;
    assert_eq!(seconds.retry_after(), Some(Duration::from_secs(7)));
    let later = SystemTime::now() + Duration::from_secs(60);
    let date = failure(way, empty().with("Retry-After", &httpdate::fmt_http_date(later))).await;
    let wait = date.retry_after().unwrap();
    assert!(
        wait > Duration::from_secs(50) && wait <= Duration::from_secs(60),
        "{wait:?}"
    );
    // The server's clock is a minute ahead of ours; its own date counts.
    let seven = Duration::from_secs(7);
    let ahead = empty()
        .with("Retry-After", &httpdate::fmt_http_date(later + seven))
        .with("Date", &httpdate::fmt_http_date(later));
    assert_eq!(failure(way, ahead).await.retry_after(), Some(seven));
    assert_eq!(
        failure(way, empty()).await,
        ScoreError::RateLimited {
            retry_after: None,
            message: "{}".to_owned()
        }
    );
    let busy = failure(way, Reply::json(503, &json!({"error": "busy"})).with("Retry-After", "2")).await;
    let retry_after = Some(Duration::from_secs(2));
    assert_eq!(
        busy,
        ScoreError::Server {
            status: 503,
            retry_after,
            message: "busy".into()
        }
    );
}

async fn a_broken_body_is_no_answer(way: Way) {
    let mut cut = letters(1);
    cut.cut = Some(20);
    assert_eq!(failure(way, cut).await.kind(), "unreachable");

    let html = Reply::raw(200, "text/html", b"<html><h1>Welcome</h1></html>".to_vec());
    let ScoreError::Malformed { message } = failure(way, html).await else {
        panic!("not malformed")
    };
    assert!(
        message.contains("text/html") && message.contains("<h1>Welcome"),
        "{message}"
    );

    let huge = Reply::raw(200, "application/json", vec![b' '; 17 << 20]);
    let ScoreError::Malformed { message } = failure(way, huge).await else {
        panic!("not malformed")
    };
    assert!(message.contains("16 MiB"), "{message}");

    let nan = br#"{"choices":[{"index":0,"logprobs":{"top_logprobs":[{" A":NaN}]}}]}"#;
    assert_eq!(
        failure(way, Reply::raw(200, "application/json", nan.to_vec()))
            .await
            .kind(),
        "malformed"
    );
    // The status counts more than the incomplete body.
    let mut cut = Reply::json(401, &json!({"error": "no such key"}));
    cut.cut = Some(3);
    assert_eq!(failure(way, cut).await.kind(), "unauthorized");
}

async fn a_redirect_names_its_target_and_gets_no_key(way: Way) {
    let elsewhere = Server::start(|_| letters(1));
    let target = format!("{}/v1/completions", elsewhere.base);
    let location = target.replace("http://", "http://u:hidden@") + "?key=hidden";
    let error = failure(way, Reply::json(307, &json!({})).with("Location", &location)).await;
    assert!(error.to_string().contains(&target), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(elsewhere.asked.lock().unwrap().is_empty());
}

async fn a_slow_or_absent_server_is_told_apart(way: Way) {
    let server = Server::answering(|_| {
        std::thread::sleep(Duration::from_secs(3));
        letters(1)
    });
    let mut options = HttpOptions::new(&server.base);
    options.timeout = Duration::from_millis(300);
    let scorer = connect(options).await.unwrap();
    let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
    assert_eq!(error, ScoreError::TimedOut { seconds: 1 });
}

async fn the_key_is_sent_and_never_shown(way: Way) {
    const KEY: &str = "sk-very-secret-key";
    let echo = |asked: &crate::http::server::Asked| {
        let text = format!(
            "bad key {} in {}",
            asked.authorization.clone().unwrap_or_default(),
            asked.path
        );
        Reply::json(418, &json!({"error": {"message": text}}))
    };
    let server = Server::answering(echo);
    let mut options = HttpOptions::new(
        server.base.replace("http://", "http://user:pass-word@") + "/v1?key=query-secret",
    );
    options.api_key = Secret::new(KEY);
    let shown = format!("{options:?}");
    let scorer = connect(options).await.unwrap();
    let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
    let sent = server.questions().remove(0);
    assert_eq!(sent.authorization, Some(format!("Bearer {KEY}")));
    assert!(sent.path.contains("key=query-secret"));
    for text in [
        shown,
        format!("{scorer:?}"),
        format!("{error:?}"),
        format!("{:?}", scorer.identity()),
    ] {
        for secret in [KEY, "query-secret", "pass-word"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(error.to_string().contains("bad key Bearer ***"), "{error}");
}

async fn headers_of_the_user_s_own_are_sent_and_never_shown(way: Way) {
    let server = Server::answering(|asked| {
        let text: Vec<_> = asked.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Reply::json(418, &json!({"error": {"message": text.join(" ")}}))
    });
    let mut options = HttpOptions::new(&server.base);
    options.api_key = Secret::new("sk-unused");
    options.headers = ["Authorization: Basic c2VjcmV0", "X-Tenant: tenant-7", "User-Agent: probe/1"]
        .map(|header| Header::parse(header).unwrap())
        .into();
    let shown = format!("{options:?}");
    let scorer = connect(options).await.unwrap();
    let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
    let sent = server.questions().remove(0).headers;
    let values = |wanted: &str| -> Vec<String> {
        let found = sent.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(values("authorization"), ["Basic c2VjcmV0"]);
    assert_eq!(values("x-tenant"), ["tenant-7"]);
    assert_eq!(values("user-agent"), ["probe/1"]);
    for text in [shown, format!("{error:?}"), format!("{:?}", scorer.identity())] {
        assert!(!text.contains("c2VjcmV0") && !text.contains("tenant-7"), "{text}");
    }
}

async fn answers_are_matched_by_index_and_only_the_lost_ones_fail(way: Way) {
    let server = Server::answering(|_| {
        let choices = json!({"choices": [letter(3), letter(1), letter(0), letter(1)]});
        Reply::json(200, &choices)
    });
    let scorer = connect(list_options(&server)).await.unwrap();
    assert!(scorer.sends_lists());
    let batch: Vec<_> = ["a", "b", "c", "d"].map(|text| question(text, &AB)).into();
    let answers = score(way, &scorer, &batch).await;
    let a = |i: usize| {
        answers[i]
            .as_ref()
            .map(|s| s.logprobs[0])
            .map_err(ScoreError::kind)
    };
    assert_eq!(
        [a(0), a(1), a(2), a(3)],
        [Ok(-1.0), Err("malformed"), Err("malformed"), Ok(-4.0)]
    );
    assert_eq!(server.questions().len(), 1);
}

async fn one_bad_prompt_does_not_take_its_list_along(way: Way) {
    let server = Server::answering(|asked| {
        if asked.prompts().iter().any(|prompt| prompt.contains("bad")) {
            return Reply::json(400, &json!({"error": {"message": "a bad prompt"}}));
        }
        letters(asked.prompts().len())
    });
    let scorer = connect(list_options(&server)).await.unwrap();
    let batch: Vec<_> = ["a", "bad", "c"].map(|text| question(text, &AB)).into();
    let kinds: Vec<_> = score(way, &scorer, &batch)
            .await
        .into_iter()
        .map(|s| s.map_err(|e| e.kind()).err())
        .collect();
    assert_eq!(kinds, [None, Some("rejected"), None]);
    assert_eq!(server.questions().len(), 4);
    // A server error fails the whole list, for the engine to retry.
    let server = Server::answering(|_| Reply::json(500, &json!({})));
    let scorer = connect(list_options(&server)).await.unwrap();
    assert!(
        score(way, &scorer, &batch)
            .await
            .iter()
            .all(|s| s.as_ref().is_err_and(|e| e.kind() == "server"))
    );
    assert_eq!(server.questions().len(), 1);
}

async fn every_request_of_a_batch_is_counted(way: Way) {
    let server = Server::answering(|asked| {
        if asked.is_list() && asked.prompts().len() > 3 {
            return Reply::json(400, &json!({"error": {"message": "too many at once"}}));
        }
        letters(asked.prompts().len())
    });
    let listing = connect(list_options(&server)).await.unwrap();
    let single = connect(HttpOptions::new(&server.base)).await.unwrap();
    let batch: Vec<_> = ["a", "b", "c", "d"].map(|text| question(text, &AB)).into();
    let mut before = 0;
    for (scorer, size) in [(&listing, 3), (&listing, 4), (&single, 1), (&single, 4)] {
        let counted = reply(way, scorer, &batch[..size]).await.requests;
        let sent = server.questions().len();
        assert_eq!(counted as usize, sent - before, "{size}");
        before = sent;
    }
    assert_eq!(before, 1 + 5 + 1 + 4);
}

async fn a_list_of_one_needs_no_number(way: Way) {
    let server = Server::answering(|asked| {
        let mut choice = letter(0);
        choice.as_object_mut().unwrap().remove("index");
        let choices = vec![choice; asked.prompts().len()];
        Reply::json(200, &json!({"choices": choices}))
    });
    let scorer = connect(list_options(&server)).await.unwrap();
    let one = [question("x", &AB)];
    assert!(score(way, &scorer, &one).await[0].is_ok());
    assert!(server.questions()[0].is_list());
    let two = [question("x", &AB), question("y", &AB)];
    let kinds = score(way, &scorer, &two).await.into_iter().map(|s| s.unwrap_err().kind());
    assert_eq!(kinds.collect::<Vec<_>>(), ["malformed"; 2]);
}

async fn a_broken_connection_is_told_from_none(way: Way) {
    let mut cut = letters(1);
    cut.cut = Some(0);
    let broken = failure(way, cut).await;
    assert!(matches!(broken, ScoreError::Unreachable { connected: true, .. }), "{broken:?}");
    // Every request needs a new connection, and after the probe the server accepts none.
    let close = |asked: &Asked| {
        let models = Reply::json(200, &json!({"data": [{"id": "m"}]}));
        let is_models = asked.path.starts_with("/v1/models");
        let reply = if is_models { models } else { letters(asked.prompts().len()) };
        reply.with("Connection", "close")
    };
    let patient = Server::start(close);
    connect(HttpOptions::new(&patient.base)).await.unwrap();
    let probes = patient.connections.load(Ordering::SeqCst);
    let leaving = Server::start_for(probes, close);
    let scorer = connect(HttpOptions::new(&leaving.base)).await.unwrap();
    // The system may still accept some connections in the server's place.
    for attempt in 0.. {
        let error = score_one(way, &scorer, &question("x", &AB)).await.unwrap_err();
        if matches!(error, ScoreError::Unreachable { connected: false, .. }) {
            break;
        }
        assert!(attempt < 200, "{error:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

async fn answers_without_the_most_probable_tokens_are_no_answers(way: Way) {
    for (top, kind) in [
        (json!(null), "no_logprobs"),
        (json!([]), "no_logprobs"),
        (json!([{}]), "no_logprobs"),
        (json!([{" A": null, " B": null}]), "malformed"),
    ] {
        let mut choice = letter(0);
        choice["logprobs"]["top_logprobs"] = top.clone();
        let error = failure(way, Reply::json(200, &json!({"choices": [choice]}))).await;
        assert_eq!(error.kind(), kind, "{top}");
    }
}

async fn connections_are_kept_and_limited(way: Way) {
    let server = Server::answering(|_| {
        std::thread::sleep(Duration::from_millis(20));
        letters(1)
    });
    let mut options = HttpOptions::new(&server.base);
    options.max_connections = 3;
    let scorer = connect(options).await.unwrap();
    let batch: Vec<_> = (0..24).map(|i| question(&i.to_string(), &AB)).collect();
    // The asynchronous client reuses the probe's connection.
    let before = server.connections.load(Ordering::SeqCst);
    let halves = [&batch[..12], &batch[12..]];
    let replies: Vec<_> = match way {
        Way::Async => {
            let both = tokio::join!(scorer.score(halves[0]), scorer.score(halves[1]));
            vec![both.0, both.1]
        }
        Way::Threads => std::thread::scope(|scope| {
            let asked: Vec<_> = batch
                .chunks(4)
                .map(|part| scope.spawn(|| scorer.score_blocking(part)))
                .collect();
            asked.into_iter().map(|a| a.join().unwrap()).collect()
        }),
    };
    let all: Vec<_> = replies.iter().flat_map(|reply| &reply.scores).collect();
    assert!(all.len() == 24 && all.iter().all(|score| score.is_ok()));
    assert!(server.connections.load(Ordering::SeqCst) - before <= 3);
    assert!(score(way, &scorer, &[]).await.is_empty());
}
}
