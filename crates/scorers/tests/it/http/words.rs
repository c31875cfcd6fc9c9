//! Answers in words: what is asked again without log-probabilities, and what is counted.

use serde_json::{Value, json};
use sureness_record::Sampled;
use sureness_scorers::http::{Api, HttpOptions, SamplingScorer};
use sureness_scorers::{Draw, OptionScorer, ScoreError, ScoreRequest};

use crate::http::question;
use crate::http::server::{Asked, Reply, Server};

/// An open question, of which nothing but words is wanted.
fn open(text: &str) -> ScoreRequest {
    ScoreRequest {
        draw: Some(Draw {
            number: 0,
            options: Vec::new(),
            said: None,
        }),
        ..question(text, &[])
    }
}

async fn connect(server: &Server) -> SamplingScorer {
    let options = HttpOptions::new(server.base.clone());
    let sampled = Sampled {
        samples: std::num::NonZeroU32::MIN,
        ..Sampled::default()
    };
    SamplingScorer::connect(options, Api::Completions, sampled)
        .await
        .unwrap()
}

fn says(asked: &Asked) -> Reply {
    let listed = asked.body.get("logprobs");
    let listed = listed.map(|_| json!({"token_logprobs": [-0.2, -0.4]}));
    Reply::json(
        200,
        &json!({"choices": [{"text": " amber", "finish_reason": "stop", "logprobs": listed}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3}}),
    )
}

fn refuses() -> Reply {
    let message = "this request is not allowed";
    Reply::json(400, &json!({"error": {"message": message, "code": 400}}))
}

#[tokio::test]
async fn a_refused_question_is_tried_without_log_probabilities_and_alone() {
    let server = Server::answering(|asked| {
        if asked.prompts()[0].contains("forbidden") {
            refuses()
        } else {
            says(asked)
        }
    });
    let scorer = connect(&server).await;
    let batch = [open("Which colour? forbidden"), open("Which colour?")];
    let reply = scorer.score(&batch).await;
    assert!(matches!(reply.scores[0], Err(ScoreError::Rejected { .. })));
    let said = reply.scores[1].as_ref().unwrap();
    let logprob = said.words.as_ref().unwrap().logprob.unwrap();
    assert!((logprob + 0.3).abs() < 1e-12);
    // A token that is counted and not listed is paid for.
    assert_eq!(said.usage.answer_tokens, Some(3));
    assert_eq!(reply.requests, 3, "the second try counts");
    // The next question is asked as before.
    let reply = scorer.score(&batch[1..]).await;
    assert!(
        reply.scores[0]
            .as_ref()
            .unwrap()
            .words
            .as_ref()
            .unwrap()
            .logprob
            .is_some()
    );
    assert_eq!(reply.requests, 1);
}

#[tokio::test]
async fn a_server_without_log_probabilities_is_asked_for_them_once() {
    let server = Server::answering(|asked| {
        if asked.body["logprobs"] == Value::Null {
            says(asked)
        } else {
            refuses()
        }
    });
    let scorer = connect(&server).await;
    for requests in [2, 1, 1] {
        let reply = scorer.score(&[open("Which colour?")]).await;
        assert!(reply.scores[0].is_ok(), "{:?}", reply.scores);
        assert_eq!(reply.requests, requests);
    }
}
