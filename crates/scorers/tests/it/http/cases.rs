//! Answers that version 0.1.0 misread, refused or blamed on the wrong thing, as `../shared/cases`
//! and recordings of further servers have them.

use serde_json::Value;
use sureness_hint::Hint;
use sureness_scorers::http::{ConnectError, HttpOptions};
use sureness_scorers::{OptionScores, ScoreError};

use crate::http::server::{Reply, Server, letters};
use crate::http::{Way, connect, question, score_one};

const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// The bytes of a case's file; `None` without the cases.
fn case(name: &str) -> Option<Vec<u8>> {
    let path = crate::shared()?.join("cases").join(name);
    Some(std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// A recorded response: its status, and its body as JSON.
fn recorded(name: &str) -> Option<(u16, Value)> {
    let pair: Value = serde_json::from_slice(&case(&format!("servers/{name}"))?).unwrap();
    let status = pair["status"].as_u64().unwrap() as u16;
    Some((status, pair["body"].clone()))
}

/// What a server that answers everything so is understood to say.
async fn read(body: Vec<u8>, chat: bool) -> Result<OptionScores, String> {
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &serde_json::json!({"data": [{"id": "m"}]})),
        path if path.ends_with("completions") => Reply::raw(200, "application/json", body.clone()),
        _ => Reply::json(404, &serde_json::json!({})),
    });
    let mut options = HttpOptions::new(&server.base);
    options.chat = chat;
    let scorer = connect(options).await.map_err(|e| e.to_string())?;
    let read = score_one(Way::Async, &scorer, &question("x", &LETTERS)).await;
    read.map_err(|e| e.to_string())
}

/// The probability of each option, or `None` for a bound.
fn seen(scores: &OptionScores) -> Vec<Option<f64>> {
    let values = scores.logprobs.iter().zip(&scores.observed);
    values
        .map(|(logprob, seen)| seen.then(|| (logprob.exp() * 1e4).round() / 1e4))
        .collect()
}

#[tokio::test]
async fn minus_infinity_is_read_however_it_is_written() {
    let p = |logprob: f64| Some((logprob.exp() * 1e4).round() / 1e4);
    for name in ["null", "answer", "nan", "chat", "overflow", "word"] {
        let Some(body) = case(&format!("bare-infinity/{name}.json")) else {
            return;
        };
        let scores = read(body, name == "chat").await.unwrap();
        assert_eq!(seen(&scores), [p(-0.3), p(-1.9), p(-3.1), None], "{name}");
        assert!(
            (scores.mass - 0.9354).abs() < 1e-3,
            "{name}: {}",
            scores.mass
        );
    }
    let elsewhere = case("bare-infinity/elsewhere.json").unwrap();
    let scores = read(elsewhere, false).await.unwrap();
    assert_eq!(seen(&scores)[3], p(-3.6));
}

#[tokio::test]
async fn two_tokens_with_one_text_both_count() {
    for (name, a, b, mass) in [
        ("two-tokens-one-text/answer.json", 0.8979, 0.055, 0.9796),
        ("two-tokens-one-text/control.json", 0.8979, 0.055, 0.9796),
        ("two-tokens-one-text/chat_even.json", 0.5877, 0.3329, 0.9472),
        (
            "repeated-keys-two-readers/answer.json",
            0.8979,
            0.055,
            0.9796,
        ),
        (
            "repeated-keys-two-readers/with_null.json",
            0.8979,
            0.055,
            0.9796,
        ),
    ] {
        let Some(body) = case(name) else { return };
        let scores = read(body, name.contains("chat")).await.unwrap();
        let options = seen(&scores);
        assert_eq!(options[..2], [Some(a), Some(b)], "{name}");
        assert!((scores.mass - mass).abs() < 1e-3, "{name}: {}", scores.mass);
    }
}

#[tokio::test]
async fn a_token_may_be_a_number_with_its_text_in_the_bytes() {
    let Some((_, body)) = recorded("mistralrs/chat_top5.json") else {
        return;
    };
    let scores = read(body.to_string().into_bytes(), true).await.unwrap();
    // The sampled token "I" is the first of the list, and not a sixth one.
    assert_eq!(seen(&scores), [Some(0.0914), None, None, None]);
    let total = [-2.0143f64, -2.3925, -2.9197, -3.1914, -3.4268];
    let left = 1.0 - total.map(f64::exp).iter().sum::<f64>();
    let last = total[4];
    assert!((scores.logprobs[1] - last.min(left.ln())).abs() < 1e-3);
    let (_, silent) = recorded("mistralrs/completions_logprobs5.json").unwrap();
    let error = read(silent.to_string().into_bytes(), false)
        .await
        .unwrap_err();
    assert!(error.contains("without log-probabilities"), "{error}");
}

/// The error for a question that the server answers so.
async fn refusal(status: u16, body: Vec<u8>) -> ScoreError {
    let server = Server::answering(move |_| Reply::raw(status, "application/json", body.clone()));
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    let outcome = score_one(Way::Async, &scorer, &question("x", &LETTERS)).await;
    outcome.unwrap_err()
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_recognised_with_its_numbers() {
    let both = (Some(5210), Some(2048));
    for (name, status, expected) in [
        (
            "too-long-number/too_long.json",
            400,
            (Some(2048), Some(2048)),
        ),
        ("too-long-number/thousands.json", 400, both),
        ("too-long-wordings/w1.json", 400, both),
        ("too-long-wordings/w2.json", 400, both),
        ("too-long-wordings/w3.json", 422, both),
        ("too-long-wordings/w4.json", 400, (None, None)),
        ("too-long-wordings/w5.json", 400, (None, None)),
        ("too-long-wordings/w6.json", 400, both),
        ("too-long-wordings/w7.json", 400, both),
    ] {
        let Some(body) = case(name) else { return };
        let (tokens, limit) = expected;
        let error = refusal(status, body).await;
        assert_eq!(
            error,
            ScoreError::ContextTooLong { tokens, limit },
            "{name}"
        );
        assert!(error.hint().contains("--shots"));
    }
    for (name, tokens) in [
        ("llama-cpp-python/completions_too_long.json", 5001),
        ("litellm/too_long_completions.json", 5001),
    ] {
        let (status, body) = recorded(name).unwrap();
        let error = refusal(status, body.to_string().into_bytes()).await;
        let (tokens, limit) = (Some(tokens), Some(4096));
        assert_eq!(
            error,
            ScoreError::ContextTooLong { tokens, limit },
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_proxy_s_errors_keep_its_words() {
    for (name, kind, words) in [
        (
            "err_fault-429_completions.json",
            "rate_limited",
            "Rate limit reached",
        ),
        ("err_fault-503_completions.json", "server", "Loading model"),
        (
            "err_smollm2-down_completions.json",
            "server",
            "Connection error",
        ),
        (
            "err_fault-401_completions.json",
            "unauthorized",
            "Invalid API Key",
        ),
    ] {
        let Some((status, body)) = recorded(&format!("litellm/{name}")) else {
            return;
        };
        let error = refusal(status, body.to_string().into_bytes()).await;
        assert_eq!(error.kind(), kind, "{name}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

/// A server that lists the recorded models and answers as the others do.
fn listing(models: Value) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &models),
        _ => letters(1),
    })
}

#[tokio::test]
async fn a_name_must_be_one_of_those_that_a_proxy_lists() {
    let Some((_, models)) = recorded("litellm/models.json") else {
        return;
    };
    let server = listing(models);
    let mut options = HttpOptions::new(&server.base);
    options.model = Some("smollm2".to_owned());
    connect(options.clone()).await.unwrap();
    options.model = Some("gpt-9".to_owned());
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoSuchModel { .. }), "{error}");
    assert!(error.to_string().contains("smollm2-vllm"), "{error}");
}

#[tokio::test]
async fn a_router_s_model_is_identified_once_it_is_loaded() {
    use sureness_scorers::OptionScorer;

    let names =
        ["models_before", "models_after"].map(|name| format!("llama-server-router/{name}.json"));
    let [Some((_, before)), Some((_, after))] = names.each_ref().map(|name| recorded(name)) else {
        return;
    };
    let loaded = std::sync::atomic::AtomicBool::new(false);
    let router = Server::start(move |asked| {
        use std::sync::atomic::Ordering::SeqCst;
        match asked.path.as_str() {
            "/v1/models" if loaded.load(SeqCst) => Reply::json(200, &after),
            "/v1/models" => Reply::json(200, &before),
            _ => {
                loaded.store(true, SeqCst);
                letters(1)
            }
        }
    });
    let mut options = HttpOptions::new(&router.base);
    options.model = Some("smol-two".to_owned());
    let first = connect(options.clone()).await.unwrap();
    let second = connect(options).await.unwrap();
    assert_eq!(first.identity(), second.identity());
    assert_eq!(first.identity().details["server.meta.ftype"], "Q4_1");
}
