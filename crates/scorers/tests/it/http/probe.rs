//! The probe reports a server's problems before the first question.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
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
async fn a_wrong_model_and_a_server_that_does_not_care() {
    let missing = Reply::json(
        404,
        &json!({"error": {"message": "The model `x` does not exist."}}),
    );
    let named = |server: &Server| {
        let mut options = HttpOptions::new(&server.base);
        options.model = Some("x".to_owned());
        options
    };
    let error = refused(named(&scoring(missing))).await;
    assert!(
        matches!(&error, ConnectError::NoSuchModel { listed, .. } if listed == &["m"]),
        "{error}"
    );

    let server = scoring(letters(1));
    let scorer = connect(named(&server)).await.unwrap();
    assert_eq!(scorer.identity().details["not listed, but"], "m");
    // If the server lists the model, 404 concerns the route.
    let error = refused(HttpOptions::new(scoring(Reply::json(404, &json!({}))).base)).await;
    assert!(
        matches!(&error, ConnectError::NoSuchRoute { url, .. } if url.ends_with("/v1/completions")),
        "{error}"
    );
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
async fn a_web_page_is_no_api() {
    let server = Server::start(|_| Reply::raw(200, "text/html", b"<html>Hello</html>".to_vec()));
    let error = refused(HttpOptions::new(&server.base)).await;
    assert!(error.to_string().contains("<html>Hello"), "{error}");
    assert!(error.hint().contains("--api-base"));
}
