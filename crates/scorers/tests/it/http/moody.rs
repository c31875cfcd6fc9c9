//! Servers that fail for a moment, refuse a part of a request, or say so with HTTP 200.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sureness_hint::Hint;
use sureness_scorers::OptionScorer;
use sureness_scorers::http::{ConnectError, ExtraBody, Header, HttpOptions, Secret};

use crate::http::doctor::diagnose;
use crate::http::exact::{self, by_number, exact_server, top_three};
use crate::http::server::{Asked, Reply, Server, letters};
use crate::http::{Way, connect, question, reply, score_one};

fn models() -> Reply {
    Reply::json(200, &json!({"data": [{"id": "m"}]}))
}

/// A server that lists its model and answers completions with `answer`.
fn completing(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => models(),
        "/v1/completions" => answer(asked),
        _ => Reply::json(404, &json!({})),
    })
}

fn said(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"message": message}}))
}

#[tokio::test]
async fn an_error_with_http_200_is_an_error_with_the_server_s_words() {
    for (body, kind) in [
        (json!({"error": "the model is overloaded"}), "server"),
        (
            json!({"error": {"message": "the model is overloaded", "code": 502}, "choices": []}),
            "server",
        ),
        (
            json!([{"error": {"message": "the model is overloaded", "code": 429}}]),
            "rate_limited",
        ),
        (
            json!({"error": {"message": "the model is overloaded", "type": "invalid_request_error"}}),
            "rejected",
        ),
        // A router whose machine failed.
        (
            json!({"choices": [{"index": 0, "text": "", "finish_reason": "error", "logprobs": null,
                "error": {"message": "the model is overloaded", "code": 502}}]}),
            "server",
        ),
        (
            json!({"base_resp": {"status_msg": "the model is overloaded"}, "choices": null}),
            "malformed",
        ),
    ] {
        let server = Server::answering(move |_| Reply::json(200, &body.clone()));
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        for way in [Way::Async, Way::Threads] {
            let error = score_one(way, &scorer, &question("x", &["A", "B"]))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(
                error.to_string().contains("the model is overloaded"),
                "{error}"
            );
        }
    }
    let refusing = completing(|_| {
        let error = json!({"message": "no credit", "type": "invalid_request_error"});
        Reply::json(200, &json!({"error": error}))
    });
    let error = connect(HttpOptions::new(&refusing.base)).await.unwrap_err();
    assert!(error.to_string().contains("no credit"), "{error}");
}

/// A server like vLLM that fails whenever it meets a request for the first time.
fn startled(failure: Reply) -> Server {
    let known = Mutex::new(HashSet::new());
    Server::start(move |asked| {
        if known
            .lock()
            .unwrap()
            .insert(format!("{} {}", asked.path, asked.body))
        {
            return failure.clone();
        }
        exact::reply(asked, &by_number(asked).unwrap_or_else(|| top_three(asked)))
    })
}

#[tokio::test]
async fn a_failure_of_a_moment_changes_nothing_that_the_probe_finds() {
    let calm = exact_server(|asked| by_number(asked).unwrap_or_else(|| top_three(asked)));
    let mut expected = connect(HttpOptions::new(&calm.base))
        .await
        .unwrap()
        .identity()
        .clone();
    let mut dropped = said(200, "gone");
    dropped.cut = Some(3);
    for failure in [said(500, "oops"), said(502, "bad gateway"), dropped] {
        let server = startled(failure);
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let mut found = scorer.identity().clone();
        for identity in [&mut expected, &mut found] {
            identity
                .details
                .remove(sureness_scorers::ModelIdentity::ADDRESS);
        }
        assert_eq!(found, expected);
        assert!(scorer.scoring().exact);
    }
    // So does the doctor's list of routes.
    let found = diagnose(HttpOptions::new(startled(said(503, "restarting")).base)).await;
    assert_eq!(found.obstacle, None);
    assert!(
        found.routes.completions && found.routes.failing.is_empty(),
        "{:?}",
        found.routes
    );
}

#[tokio::test]
async fn a_route_that_fails_is_not_a_route_that_is_missing() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/models" => models(),
        "/v1/completions" => letters(asked.prompts().len()),
        "/v1/chat/completions" => said(500, "no template"),
        _ => Reply::json(404, &json!({})),
    });
    let mut options = HttpOptions::new(&server.base);
    let found = diagnose(options.clone()).await;
    assert!(found.routes.completions && !found.routes.chat);
    assert!(found.routes.failing["chat/completions"].contains("no template"));
    options.chat = true;
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("no template"), "{error}");
    for status in [404, 405, 501] {
        let server = completing(move |_| said(status, "none here"));
        let error = connect(HttpOptions::new(&server.base)).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::NoSuchRoute { status: told, .. } if *told == status),
            "{error}"
        );
        let found = diagnose(HttpOptions::new(&server.base)).await;
        assert!(found.routes.failing.is_empty(), "{:?}", found.routes);
    }
}

#[tokio::test]
async fn a_model_that_is_named_needs_no_list_of_models() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/models" => said(500, "no cache folder"),
        "/v1/completions" => letters(asked.prompts().len()),
        _ => Reply::json(404, &json!({})),
    });
    let mut options = HttpOptions::new(&server.base);
    let error = connect(options.clone()).await.unwrap_err();
    assert!(error.to_string().contains("no cache folder"), "{error}");
    options.model = Some("mine".into());
    assert_eq!(connect(options).await.unwrap().identity().name, "mine");
}

#[tokio::test]
async fn a_day_is_not_waited_for() {
    for status in [429, 503] {
        let server = completing(move |_| said(status, "come back").with("Retry-After", "86400"));
        let started = std::time::Instant::now();
        let error = connect(HttpOptions::new(&server.base)).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(30));
        let text = error.to_string();
        assert!(
            text.contains("come back") && text.contains("24 h"),
            "{text}"
        );
        assert!(error.hint().contains("--give-up-after"), "{}", error.hint());
    }
}

/// Refuses each of these fields in turn.
fn picky(all_at_once: bool) -> Server {
    completing(move |asked| {
        let has = |name: &str| !asked.body[name].is_null();
        let mut refused = Vec::new();
        if has("temperature") {
            refused.push("Unsupported parameter: 'temperature'.");
        }
        if has("max_tokens") {
            refused
                .push("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens' instead.");
        }
        if asked.body["max_completion_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens < 32)
        {
            refused.push("Invalid 'max_completion_tokens': expected a value >= 32.");
        }
        match refused.as_slice() {
            [] => letters(asked.prompts().len()),
            all if all_at_once => said(400, &all.join(" ")),
            [first, ..] => said(400, first),
        }
    })
}

#[tokio::test]
async fn refusals_of_several_fields_are_learned_in_a_row_and_at_once() {
    for all_at_once in [false, true] {
        let server = picky(all_at_once);
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        score_one(Way::Async, &scorer, &question("x", &["A", "B"]))
            .await
            .unwrap();
        let asked = server.questions();
        let body = &asked.last().unwrap().body;
        assert_eq!(body["max_completion_tokens"], 32, "{body}");
        assert!(
            body["temperature"].is_null() && body["max_tokens"].is_null(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn log_probabilities_that_are_not_allowed_need_another_server_and_not_another_key() {
    for status in [400, 403] {
        for asked in [None, Some(7)] {
            let server = completing(move |asked| {
                // Only then does it look at the rest.
                if !asked.body["logprobs"].is_null() {
                    return said(
                        status,
                        "'logprobs' is not allowed for this model on your plan",
                    );
                }
                if !asked.body["temperature"].is_null() {
                    return said(400, "'temperature' is not supported");
                }
                letters(1)
            });
            let mut options = HttpOptions::new(&server.base);
            options.api_key = Secret::new("sk-right");
            options.top_logprobs = asked;
            let error = connect(options).await.unwrap_err();
            assert!(matches!(error, ConnectError::NoLogprobs { .. }), "{error}");
            assert!(error.to_string().contains("on your plan"), "{error}");
            assert!(
                error.hint().contains("another model or plan"),
                "{}",
                error.hint()
            );
        }
    }
}

#[tokio::test]
async fn halves_of_characters_are_tokens_that_match_no_option() {
    let body = r#"{"choices": [{"index": 0, "text": "\ud83d", "logprobs": {"tokens": ["\ud83d"],
        "token_logprobs": [-0.5], "top_logprobs": [{"\ud83d": -0.5, "\ude00": -3.0, " A": -1.5, " B": -2.5}]}}],
        "usage": {"prompt_tokens": "35.0"}}"#;
    let server = Server::answering(move |_| Reply::raw(200, "application/json", body.into()));
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    for way in [Way::Async, Way::Threads] {
        let found = score_one(way, &scorer, &question("x", &["A", "B"]))
            .await
            .unwrap();
        assert_eq!(
            (&found.logprobs[..], &found.observed[..]),
            (&[-1.5, -2.5][..], &[true; 2][..])
        );
        assert_eq!(found.usage.prompt_tokens, Some(35));
    }
}

#[tokio::test]
async fn prompt_tokens_are_counted_whole_under_every_name() {
    for (usage, timings, tokens) in [
        (json!({"prompt_tokens": 35}), Value::Null, Some(35)),
        (json!({"prompt_tokens": 35.0}), Value::Null, Some(35)),
        (json!({"prompt_tokens": "35"}), Value::Null, Some(35)),
        (json!({"input_tokens": 35}), Value::Null, Some(35)),
        (
            json!({"input_tokens": 5, "cache_read_input_tokens": 30}),
            Value::Null,
            Some(35),
        ),
        (
            json!({"prompt_tokens": 35, "prompt_tokens_details": {"cached_tokens": 30}}),
            Value::Null,
            Some(35),
        ),
        // Only what the cache lacks.
        (
            json!({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 30}}),
            Value::Null,
            Some(35),
        ),
        (
            json!({"prompt_tokens": 20}),
            json!({"prompt_n": 20, "cache_n": 15}),
            Some(35),
        ),
        (
            json!({"prompt_tokens": 35}),
            json!({"prompt_n": 20, "cache_n": 15}),
            Some(35),
        ),
        (
            Value::Null,
            json!({"prompt_n": 20, "cache_n": 15}),
            Some(35),
        ),
        (json!({"prompt_tokens": -1}), Value::Null, None),
        (json!({"prompt_tokens": "many"}), Value::Null, None),
    ] {
        let (given, times) = (usage.clone(), timings.clone());
        let server = Server::answering(move |_| {
            let letters: Value = serde_json::from_slice(&letters(1).body).unwrap();
            let mut body = letters;
            body["usage"] = given.clone();
            body["timings"] = times.clone();
            Reply::json(200, &body)
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let batch = [question("x", &["A", "B"])];
        let found = reply(Way::Async, &scorer, &batch)
            .await
            .scores
            .remove(0)
            .unwrap();
        assert_eq!(found.usage.prompt_tokens, tokens, "{usage} {timings}");
    }
}

#[tokio::test]
async fn the_doctor_says_how_many_answers_lack_log_probabilities() {
    let asked_before = AtomicUsize::new(0);
    let server = Server::answering(move |_| {
        if asked_before.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
            return Reply::json(
                200,
                &json!({"choices": [{"index": 0, "text": " A", "logprobs": null}]}),
            );
        }
        letters(1)
    });
    let found = diagnose(HttpOptions::new(&server.base)).await;
    let missing = found.missing_logprobs.unwrap();
    assert!(found.noise.is_some());
    assert!(
        missing.answers >= 80 && missing.without * 4 >= missing.answers,
        "{missing:?}"
    );
    let calm = Server::answering(|_| letters(1));
    assert_eq!(
        diagnose(HttpOptions::new(&calm.base))
            .await
            .missing_logprobs,
        None
    );
}

#[tokio::test]
async fn a_key_in_the_fields_of_the_user_is_refused_before_any_request() {
    let server = Server::answering(|_| letters(1));
    let with = |options: &mut HttpOptions| {
        options.extra_body = Some(
            "{\"user\": [{\"id\": \"me-sk-hidden-me\"}]}"
                .parse::<ExtraBody>()
                .unwrap(),
        );
    };
    let mut by_key = HttpOptions::new(&server.base);
    by_key.api_key = Secret::new("sk-hidden");
    let mut by_header = HttpOptions::new(&server.base);
    by_header.headers = vec![Header::parse("authorization: Bearer sk-hidden").unwrap()];
    for mut options in [by_key, by_header] {
        with(&mut options);
        let error = connect(options).await.unwrap_err();
        assert_eq!(error, ConnectError::KeyInBody);
        assert!(!error.to_string().contains("sk-hidden"));
    }
    assert!(server.asked.lock().unwrap().is_empty());
}
