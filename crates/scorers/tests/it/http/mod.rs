//! The HTTP scorer against recorded answers, a small server of our own and, if
//! `SURENESS_TEST_SERVER` names one, a real server.

mod cases;
mod cost;
mod doctor;
mod exact;
mod hostile;
mod http2;
mod live;
mod moody;
mod probe;
mod real;
mod recorded;
mod server;
mod settings;
mod tls;
mod wire;
mod words;

use std::process::{Command, Output};

use sureness_prompts::Prompt;
use sureness_scorers::http::{ConnectError, HttpOptions, HttpScorer};
use sureness_scorers::{OptionScorer, OptionScores, Reply, RequestKey, ScoreError, ScoreRequest};

async fn connect(options: HttpOptions) -> Result<HttpScorer, ConnectError> {
    HttpScorer::connect(options).await
}

fn question(text: &str, labels: &[&str]) -> ScoreRequest {
    let prompt = Prompt {
        prefix: "Question: ".into(),
        suffix: format!("{text}\nAnswer:"),
    };
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    ScoreRequest {
        key: RequestKey::new(&[0; 32], &prompt, &labels),
        prompt,
        labels: labels.into(),
        draw: None,
    }
}

/// Runs one test in its own process and environment.
fn run_alone(test: &str, environment: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &format!("http::{test}")])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("SSL_CERT_DIR")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// The two clients.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Async,
    Threads,
}

/// Writes each test once and runs it in both models.
macro_rules! in_both_models {
    ($(async fn $name:ident($way:ident: Way) $body:block)*) => {
        $(mod $name {
            use super::*;

            async fn test($way: Way) $body

            #[tokio::test]
            async fn asynchronous() {
                test(Way::Async).await;
            }

            #[tokio::test]
            async fn threads() {
                test(Way::Threads).await;
            }
        })*
    };
}
pub(crate) use in_both_models;

/// The whole reply to a batch.
async fn reply(way: Way, scorer: &HttpScorer, batch: &[ScoreRequest]) -> Reply {
    match way {
        Way::Async => scorer.score(batch).await,
        // A thread outside the runtime.
        Way::Threads => std::thread::scope(|scope| {
            let asked = scope.spawn(|| scorer.score_blocking(batch));
            asked.join().unwrap()
        }),
    }
}

async fn score(
    way: Way,
    scorer: &HttpScorer,
    batch: &[ScoreRequest],
) -> Vec<Result<OptionScores, ScoreError>> {
    let answers = reply(way, scorer, batch).await.scores;
    assert_eq!(answers.len(), batch.len());
    answers
}

async fn score_one(
    way: Way,
    scorer: &HttpScorer,
    request: &ScoreRequest,
) -> Result<OptionScores, ScoreError> {
    score(way, scorer, std::slice::from_ref(request))
        .await
        .remove(0)
}
