//! Entry points to the parsers for the fuzz targets, with the properties that must hold.

mod dishonest;

pub use dishonest::dishonest;

use std::sync::{Arc, LazyLock};

use serde_json::Value;
use sureness_prompts::Prompt;

use super::address::ApiBase;
use super::answer::{choices, usage};
use super::exchange::{Exchange, First, RequestTemplate, Route, Scored, Spellings, Tier, typed};
use super::lenient;
use super::models::{ServerTemplate, listed};
use super::options::HttpOptions;
use super::probe::TierChoice;
use super::quota::quota;
use super::tokens::TopToken;
use super::transport::Endpoint;
use super::wire::{KeptHeaders, Progress, Response, ResponseReader};
use crate::{OptionScores, RequestKey, ScoreRequest, Usage};

/// Maximum length of an error: two excerpts of a server's text, and our words.
const LONGEST_ERROR: usize = 4096;

/// Reads bytes as a response that arrives in pieces, then as an answer to every kind of request.
/// The low bits of the first byte set the size of a piece, the highest bit marks a proxy's response.
///
/// # Panics
/// If the result depends on the pieces, or if an answer has invalid scores.
pub fn response(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else {
        return;
    };
    let (step, tunnel) = (usize::from(how & 0x7f) + 1, how & 0x80 != 0);
    let whole = receive(bytes, usize::MAX, tunnel);
    let pieces = receive(bytes, step, tunnel);
    let parts = |response: &Option<Response>| {
        let response = response.as_ref();
        response.map(|it| (it.status, it.headers.clone(), it.body.clone()))
    };
    assert_eq!(parts(&whole), parts(&pieces), "in pieces of {step}");
    if let Some(response) = whole {
        let _ = quota(&response.headers);
        read_every_way(&response);
    }
}

/// Reads bytes as the body of an answer to every kind of request, and as the body of the probe's
/// answers.
///
/// # Panics
/// If an answer has invalid scores, or if the fast reader and the thorough one differ.
pub fn answer(body: &[u8]) {
    read_every_way(&Response {
        status: 200,
        headers: KeptHeaders::default(),
        body: body.to_vec(),
        keep_alive: true,
    });
    if let Ok(value) = lenient::read(body) {
        let _ = (listed(&value), ServerTemplate::read(&value));
        agree(body, &value);
    }
}

fn receive(bytes: &[u8], step: usize, tunnel: bool) -> Option<Response> {
    let fresh = || {
        if tunnel {
            ResponseReader::tunnel()
        } else {
            ResponseReader::default()
        }
    };
    let (mut reader, mut half) = (fresh(), fresh());
    half.buffer().extend_from_slice(&bytes[..bytes.len() / 2]);
    if half.advance().is_ok() {
        let _ = half.salvage();
    }
    for piece in bytes.chunks(step) {
        reader.buffer().extend_from_slice(piece);
        if reader.advance().ok()? == Progress::Done {
            break;
        }
    }
    reader.finish().ok()
}

/// A way of asking, and possible questions.
struct Asked {
    exchange: Exchange,
    batch: [ScoreRequest; 3],
}

/// Every way of asking. Results do not depend on the route, so each way has one route.
static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    let ways = [
        (Route::Completions, Tier::TokenIds),
        (Route::Completions, Tier::Generate),
        (Route::Chat, Tier::Biased),
        (Route::Chat, Tier::TopTokens),
    ];
    let asked = ways.map(|(route, tier)| Asked::new(route, tier));
    asked.into_iter().flatten().collect()
});

impl Asked {
    fn new(route: Route, tier: Tier) -> Option<Self> {
        let known = [("A", vec![330, 49]), ("B", vec![389, 50])];
        let spellings = Spellings(known.map(|(label, ids)| (label.to_owned(), ids)).into());
        let labels: Arc<[String]> = ["A", "B"].map(str::to_owned).into();
        let batch = ["x", "y", "z"].map(|suffix| {
            let prompt = Prompt {
                prefix: "".into(),
                suffix: suffix.to_owned(),
            };
            ScoreRequest {
                key: RequestKey::new(&[0; 32], &prompt, &labels),
                prompt,
                labels: Arc::clone(&labels),
                draw: None,
            }
        });
        Some(Self {
            exchange: Self::exchange(route, tier, spellings)?,
            batch,
        })
    }

    fn exchange(route: Route, tier: Tier, spellings: Spellings) -> Option<Exchange> {
        let options = HttpOptions::new("http://127.0.0.1:1");
        let base = ApiBase::parse(&options.api_base).ok()?;
        let endpoint = Arc::new(Endpoint::new(&options, base).ok()?);
        let choice = TierChoice {
            tier,
            reason: "",
            max_ids: 20,
            noise_nats: 0.0,
            bent: false,
        };
        let template = RequestTemplate::new(route, "m", 20);
        Some(Exchange::new(endpoint, template, choice, spellings))
    }

    fn read(&self, response: &Response) {
        let [first, ..] = &self.batch;
        check(&self.exchange.decode_one(response, first));
        for count in [1, 3] {
            let batch = &self.batch[..count];
            match self.exchange.decode_list(response, batch) {
                Ok(scored) => {
                    assert_eq!(scored.len(), count);
                    scored.iter().for_each(check);
                }
                Err(error) => check(&Err(error)),
            }
        }
        let _ = self.exchange.seen(response, &self.batch);
        check(&self.exchange.decode_rest(response, first, half_seen()));
    }
}

fn half_seen() -> First {
    First {
        scores: OptionScores {
            logprobs: vec![-0.5, -3.0],
            observed: vec![true, false],
            mass: (-0.5_f64).exp(),
            usage: Usage::default(),
            words: None,
        },
        seen: vec![(330, -0.5)],
    }
}

fn read_every_way(response: &Response) {
    ASKED.iter().for_each(|asked| asked.read(response));
}

fn check(outcome: &Scored) {
    match outcome {
        Ok(scores) => {
            assert_eq!(scores.logprobs.len(), scores.observed.len());
            assert!(
                scores
                    .logprobs
                    .iter()
                    .all(|it| it.is_finite() && *it <= 0.0)
            );
            assert!((0.0..=1.0).contains(&scores.mass));
            assert!(scores.observed.contains(&true));
        }
        Err(error) => assert!(error.to_string().len() < LONGEST_ERROR),
    }
}

/// Where the fast reader accepts an answer, it agrees with the thorough one.
fn agree(body: &[u8], value: &Value) {
    let Some(read) = typed::read(body) else {
        return;
    };
    let slowly = choices(value).unwrap_or_default();
    assert_eq!(slowly.len(), read.choices.len());
    for (choice, (index, tokens)) in slowly.iter().zip(read.choices) {
        assert_eq!(choice.index, index);
        // The readers list equal names in another order.
        let sorted = |mut tokens: Vec<TopToken<'_>>| {
            tokens.sort_by(|a, b| a.text.cmp(&b.text).then(a.logprob.total_cmp(&b.logprob)));
            tokens
                .iter()
                .map(|token| format!("{token:?}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(choice.tokens().map(sorted), Ok(sorted(tokens)));
    }
    assert_eq!(usage(value), read.usage);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The corpus of the fuzz target `target`.
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let files = std::fs::read_dir(folder.join(target)).unwrap();
        let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.unwrap().path());
        files.map(|file| read(file).unwrap()).collect()
    }

    #[test]
    fn the_fuzzers_corpus_is_read_as_it_should_be() {
        let (responses, answers) = (corpus("response"), corpus("answer"));
        assert!(responses.len() > 10 && answers.len() > 10);
        for bytes in responses {
            super::response(&bytes);
        }
        for bytes in answers {
            super::answer(&bytes);
        }
        for bytes in corpus("dishonest") {
            super::dishonest(&bytes);
        }
    }
}
