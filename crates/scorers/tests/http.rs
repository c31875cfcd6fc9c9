//! The HTTP scorer against recorded answers, a small server of our own and, if
//! `SURENESS_TEST_SERVER` names one, a real server.

#[path = "http/live.rs"]
mod live;
#[path = "http/probe.rs"]
mod probe;
#[path = "http/recorded.rs"]
mod recorded;
#[path = "http/server.rs"]
mod server;
#[path = "http/wire.rs"]
mod wire;

use std::path::{Path, PathBuf};

use sureness_prompts::Prompt;
use sureness_scorers::http::{ConnectError, HttpOptions, HttpScorer};
use sureness_scorers::{OptionScorer, OptionScores, RequestKey, ScoreError, ScoreRequest};

/// The recordings, or `None` with a message where they are not at hand. CI has them.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let path = std::env::var_os("SURENESS_SHARED").map_or_else(|| beside.to_owned(), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "../shared is not here");
    println!("skipped: ../shared is not here");
    None
}

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
    }
}

async fn score_one(
    scorer: &HttpScorer,
    request: &ScoreRequest,
) -> Result<OptionScores, ScoreError> {
    let mut answers = scorer.score(std::slice::from_ref(request)).await.scores;
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}
