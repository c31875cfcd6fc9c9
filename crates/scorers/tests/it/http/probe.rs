//! The probe reports a server's problems before the first question.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use sureness_hint::Hint;
use sureness_scorers::OptionScorer;
use sureness_scorers::http::{ConnectError, HttpOptions, Secret};

use crate::http::connect;
use crate::http::server::{Reply, Server, letters};

fn models(names: &[&str]) -> Reply {
    let data: Vec<_> = names.iter().map(|id| json!({"id": id})).collect();
    Reply::json(200, &json!({"data": data}))
}

/// A server with model `m` that answers the probe's scoring requests with `reply`.
fn scoring(reply: Reply) -> Server {
    Server::start(move |asked| {
        if asked.path == "/v1/models" {
            models(&["m"])
        } else {
            reply.clone()
        }
    })
}

async fn refused(options: HttpOptions) -> ConnectError {
    let error = connect(options).await.unwrap_err();
    assert!(!error.hint().is_empty());
    error
}

#[tokio::test]
async fn no_address_and_no_server() {
    let error = refused(HttpOptions::new("http://u:hidden@")).await;
    assert!(matches!(&error, ConnectError::Address { .. }), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = refused(HttpOptions::new(format!(
        "http://u:hidden@127.0.0.1:{port}"
    )))
    .await;
    let url = format!("http://127.0.0.1:{port}/v1/models");
    assert!(
        matches!(&error, ConnectError::Unreachable { url: at, .. } if *at == url),
        "{error}"
    );
    assert!(
        error.to_string().to_lowercase().contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_key() {
    for models_are_public in [true, false] {
        let server = Server::start(move |asked| {
            if models_are_public && asked.path == "/v1/models" {
                return models(&["m"]);
            }
            let said = format!("not {}", asked.authorization.clone().unwrap_or_default());
            Reply::json(401, &json!({"error": said}))
        });
        let mut options = HttpOptions::new(&server.base);
        options.api_key = Secret::new("sk-wrong");
        let error = refused(options).await;
        assert!(
            matches!(
                &error,
                ConnectError::Unauthorized {
                    key_given: true,
                    status: 401,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("not Bearer ***"), "{error}");
    }
}

#[tokio::test]
async fn the_only_model_is_taken_and_several_are_listed() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/models" => models(&["one", "two"]),
        _ => letters(1),
    });
    let error = refused(HttpOptions::new(&server.base)).await;
    assert!(error.to_string().contains("one, two"), "{error}");

    let server = scoring(letters(1));
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    assert_eq!(scorer.identity().name, "m");
    assert_eq!(server.asked.lock().unwrap()[1].body["model"], "m");
    // Without properties of the weights, the address identifies them.
    assert_eq!(
        scorer.identity().details["api base"],
        format!("{}/v1", server.base)
    );
}

#[tokio::test]
async fn a_model_that_is_not_listed_is_refused_unless_insisted_on() {
    let named = |server: &Server, any_model| {
        let mut options = HttpOptions::new(&server.base);
        options.model = Some("x".to_owned());
        options.any_model = any_model;
        options
    };
    let indifferent = scoring(letters(1));
    let error = refused(named(&indifferent, false)).await;
    assert!(
        matches!(&error, ConnectError::NoSuchModel { listed, message: None, .. } if listed == &["m"]),
        "{error}"
    );
    assert!(error.hint().contains("--any-model"));
    // No model was asked.
    let asked = indifferent.asked.lock().unwrap().len();
    assert_eq!(asked, 1);
    let scorer = connect(named(&indifferent, true)).await.unwrap();
    assert_eq!(scorer.identity().details["not listed, but"], "m");

    let missing = Reply::json(
        404,
        &json!({"error": {"message": "The model `x` does not exist."}}),
    );
    let error = refused(named(&scoring(missing), true)).await;
    assert!(
        matches!(
            &error,
            ConnectError::NoSuchModel {
                message: Some(_),
                ..
            }
        ),
        "{error}"
    );
    // If the server lists the model, 404 concerns the route.
    let error = refused(HttpOptions::new(scoring(Reply::json(404, &json!({}))).base)).await;
    assert!(
        matches!(&error, ConnectError::NoSuchRoute { url, .. } if url.ends_with("/v1/completions")),
        "{error}"
    );
}

#[tokio::test]
async fn a_list_may_name_a_model_in_other_ways() {
    for entries in [
        json!([]),
        json!([{"id": "x"}]),
        json!([{"id": "y", "aliases": ["x"]}]),
        json!([{"id": "x:latest"}]),
        json!([{"id": "openai/*"}, {"id": "y"}]),
    ] {
        let server = Server::start(move |asked| match asked.path.as_str() {
            "/v1/models" => Reply::json(200, &json!({"data": entries})),
            _ => letters(1),
        });
        let mut options = HttpOptions::new(&server.base);
        options.model = Some("x".to_owned());
        connect(options).await.unwrap();
    }
    // The only one with a name is the model, unless told otherwise.
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/models" => models(&["*", "m"]),
        _ => letters(1),
    });
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    assert_eq!(scorer.identity().name, "m");
}

#[tokio::test]
async fn the_identity_of_a_model_that_loads_on_demand_is_the_same_the_second_time() {
    let loaded = std::sync::atomic::AtomicBool::new(false);
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" if loaded.load(Ordering::SeqCst) => Reply::json(
            200,
            &json!({"data": [{"id": "m", "meta": {"n_params": 7, "ftype": "Q4_1"}}]}),
        ),
        "/v1/models" => models(&["m"]),
        _ => {
            loaded.store(true, Ordering::SeqCst);
            letters(1)
        }
    });
    let first = connect(HttpOptions::new(&server.base)).await.unwrap();
    let second = connect(HttpOptions::new(&server.base)).await.unwrap();
    assert_eq!(first.identity(), second.identity());
    assert_eq!(first.identity().details["server.meta.ftype"], "Q4_1");
    assert_eq!(first.identity().details.get("api base"), None);
}

#[tokio::test]
async fn requests_are_worded_as_the_server_wants_them() {
    let refusal = |parameter: &str, message: &str| {
        Reply::json(
            400,
            &json!({"error": {"message": message, "param": parameter}}),
        )
    };
    let server = Server::start(move |asked| match &asked.body {
        _ if asked.path == "/v1/models" => models(&["m"]),
        body if body.get("max_tokens").is_some() => refusal("max_tokens", "Unsupported parameter."),
        body if body.get("temperature").is_some() => {
            refusal("temperature", "Only the default value is supported.")
        }
        body if body["max_completion_tokens"].as_u64() < Some(16) => refusal(
            "max_completion_tokens",
            "Expected a value >= 16, but got 1 instead.",
        ),
        _ => letters(1),
    });
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    // The whole exchange works so from then on.
    let question = crate::http::question("x", &["A", "B"]);
    crate::http::score_one(crate::http::Way::Async, &scorer, &question)
        .await
        .unwrap();
    let last = server.asked.lock().unwrap().last().unwrap().body.clone();
    assert_eq!(last["max_completion_tokens"], 16);
    assert_eq!(
        (last.get("max_tokens"), last.get("temperature")),
        (None, None)
    );
    assert_eq!(scorer.identity().details["temperature"], "the server's own");
    // Of a server that takes everything, the identity says nothing.
    let usual = connect(HttpOptions::new(scoring(letters(1)).base)).await;
    assert_eq!(usual.unwrap().identity().details.get("temperature"), None);
}

#[tokio::test]
async fn a_probe_s_answer_may_lack_log_probabilities() {
    let silent = Reply::json(
        200,
        &json!({"choices": [{"index": 0, "text": "A", "logprobs": null}]}),
    );
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => models(&["m"]),
        _ if calls.fetch_add(1, Ordering::SeqCst) % 3 != 2 => silent.clone(),
        _ => letters(1),
    });
    let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
    assert_eq!(scorer.top_logprobs(), 100);
}

#[tokio::test]
async fn no_logprobs_given_or_none_allowed() {
    let silent = Reply::json(
        200,
        &json!({"choices": [{"index": 0, "text": "A", "logprobs": null}]}),
    );
    let error = refused(HttpOptions::new(scoring(silent.clone()).base)).await;
    assert!(
        matches!(&error, ConnectError::NoLogprobs { message: None, .. }),
        "{error}"
    );
    assert!(error.hint().contains("llama-server"));

    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => models(&["m"]),
        _ if asked.body["logprobs"].is_null() => silent.clone(),
        _ => Reply::json(400, &json!({"error": "logprobs are not supported"})),
    });
    let error = refused(HttpOptions::new(&server.base)).await;
    assert!(
        error.to_string().contains("logprobs are not supported"),
        "{error}"
    );
    assert!(matches!(&error, ConnectError::NoLogprobs { .. }), "{error}");
}

#[tokio::test]
async fn the_largest_accepted_count_is_found() {
    for chat in [false, true] {
        let server = Server::start(move |asked| {
            let count = &asked.body[if chat { "top_logprobs" } else { "logprobs" }];
            match count.as_u64() {
                _ if asked.path == "/v1/models" => models(&["m"]),
                Some(count) if count > 20 => {
                    Reply::json(400, &json!({"error": {"message": "at most 20"}}))
                }
                _ => letters(1),
            }
        });
        let mut options = HttpOptions::new(&server.base);
        options.chat = chat;
        let scorer = connect(options.clone()).await.unwrap();
        assert_eq!(scorer.top_logprobs(), 20);
        assert_eq!(scorer.identity().details["top logprobs"], "20");
        options.top_logprobs = Some(50);
        let error = refused(options).await;
        assert!(
            matches!(&error, ConnectError::TopLogprobsRefused { asked: 50, message, .. } if message == "at most 20"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn lists_are_used_only_where_they_are_taken() {
    let both = scoring(letters(2));
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/models" => models(&["m"]),
        _ if asked.is_list() => Reply::json(400, &json!({"error": "prompt must be a string"})),
        _ => letters(1),
    });
    let mut options = HttpOptions::new(&server.base);
    options.list_prompts = true;
    let scorer = connect(options.clone()).await.unwrap();
    assert!(!scorer.sends_lists());
    assert_eq!(scorer.identity().details["request shape"], "single");
    // Two answers to one prompt are invalid.
    options.api_base.clone_from(&both.base);
    let error = refused(options).await;
    assert!(
        error.to_string().contains("2 choices for one prompt"),
        "{error}"
    );
}

#[tokio::test]
async fn a_loading_server_is_waited_for_but_not_for_ever() {
    let loading = || Reply::json(503, &json!({"error": {"message": "Loading model"}}));
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        if calls.fetch_add(1, Ordering::SeqCst) < 2 {
            return loading();
        }
        if asked.path == "/v1/models" {
            models(&["m"])
        } else {
            letters(1)
        }
    });
    connect(HttpOptions::new(&server.base)).await.unwrap();

    let server = Server::start(move |_| loading());
    let mut options = HttpOptions::new(&server.base);
    options.loading_wait = Duration::from_millis(400);
    let error = refused(options).await;
    assert!(
        matches!(&error, ConnectError::StillLoading { message, .. } if message == "Loading model"),
        "{error}"
    );
}

#[tokio::test]
async fn a_throttled_probe_waits_unless_the_quota_is_used_up() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        if calls.fetch_add(1, Ordering::SeqCst) == 1 {
            return Reply::json(429, &json!({"error": "slow down"})).with("Retry-After", "0.1");
        }
        match asked.path.as_str() {
            "/v1/models" => models(&["m"]),
            _ => letters(1),
        }
    });
    connect(HttpOptions::new(&server.base)).await.unwrap();

    let used_up = json!({"error": {"message": "Check your plan.", "code": "insufficient_quota"}});
    let error = refused(HttpOptions::new(scoring(Reply::json(429, &used_up)).base)).await;
    assert!(
        error.to_string().contains("(insufficient_quota)"),
        "{error}"
    );
    assert!(error.hint().contains("billing"), "{}", error.hint());
}

#[tokio::test]
async fn a_web_page_is_no_api() {
    let server = Server::start(|_| Reply::raw(200, "text/html", b"<html>Hello</html>".to_vec()));
    let error = refused(HttpOptions::new(&server.base)).await;
    assert!(error.to_string().contains("<html>Hello"), "{error}");
    assert!(error.hint().contains("--api-base"));
}
