//! Recorded answers of real servers, replayed through the whole scorer.

use serde_json::{Value, json};

use crate::http::server::{Reply, Server};
use crate::http::{Way, connect, question, score_one};
use sureness_scorers::http::HttpOptions;
use sureness_scorers::{OptionScorer, OptionScores, ScoreError};

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// A recorded request and answer; `None` without the recordings.
pub(crate) fn recorded(name: &str) -> Option<(u16, Value)> {
    let path = crate::shared()?.join("servers").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let pair: Value = serde_json::from_str(&text).unwrap();
    let status = pair["response"]["status"].as_u64().unwrap() as u16;
    Some((status, pair["response"]["body"].clone()))
}

async fn replay(name: &str) -> Option<Result<OptionScores, ScoreError>> {
    let (status, body) = recorded(name)?;
    let server = Server::answering(move |_| Reply::json(status, &body));
    let mut options = HttpOptions::new(&server.base);
    options.chat = name.contains("chat");
    Some(
        score_one(
            Way::Async,
            &connect(options).await.unwrap(),
            &question("x", &LETTERS),
        )
        .await,
    )
}

/// The probabilities of a letter's spellings, read from the raw JSON without the crate's code.
fn probability(choice: &Value, letter: &str) -> f64 {
    let spelt = |token: &str| token == letter || token.strip_prefix(' ') == Some(letter);
    let exp = |value: &Value| value.as_f64().unwrap().exp();
    if let Some(listed) = choice["logprobs"]["top_logprobs"][0].as_object() {
        return listed
            .iter()
            .filter(|(token, _)| spelt(token))
            .map(|(_, v)| exp(v))
            .sum();
    }
    let listed = choice["logprobs"]["content"][0]["top_logprobs"]
        .as_array()
        .unwrap();
    let spelt = |entry: &&Value| spelt(entry["token"].as_str().unwrap());
    listed
        .iter()
        .filter(spelt)
        .map(|entry| exp(&entry["logprob"]))
        .sum()
}

fn agrees(name: &str, choice: &Value, scores: &OptionScores) {
    let mut mass = 0.0;
    for (i, letter) in LETTERS.iter().enumerate() {
        let raw = probability(choice, letter);
        assert_eq!(scores.observed[i], raw > 0.0, "{name}: {letter} observed");
        if raw > 0.0 {
            assert!(
                (scores.logprobs[i] - raw.ln()).abs() < 1e-9,
                "{name}: {letter}"
            );
        }
        mass += raw;
    }
    // The server's rounding puts the sum of six masked letters slightly above 1.
    assert!((scores.mass - mass.min(1.0)).abs() < 1e-9, "{name}: mass");
}

#[tokio::test]
async fn every_recorded_answer_gives_its_options() {
    for name in [
        "llama-server/chat_grammar.json",
        "llama-server/chat_top100.json",
        "llama-server/chat_top20.json",
        "llama-server/completions_grammar.json",
        "llama-server/completions_logit_bias.json",
        "llama-server/completions_logprobs10.json",
        "llama-server/completions_logprobs100.json",
        "llama-server/completions_logprobs_true.json",
        "llama-server/completions_max_tokens0.json",
        "vllm/chat_continue_final.json",
        "vllm/chat_logprob_token_ids.json",
        "vllm/chat_structured_choice.json",
        "vllm/chat_top100.json",
        "vllm/chat_top20.json",
        "vllm/completions_allowed_token_ids.json",
        "vllm/completions_guided_choice_legacy.json",
        "vllm/completions_logit_bias.json",
        "vllm/completions_logprob_token_ids.json",
        "vllm/completions_logprobs10.json",
        "vllm/completions_logprobs10_again.json",
        "vllm/completions_logprobs100.json",
        "vllm/completions_structured_choice.json",
        "vllm/completions_structured_choice_nospace.json",
        "vllm/default_max_logprobs_20.json",
        "vllm/fp32_cached_tokens.json",
        "vllm/processed_allowed_token_ids.json",
        "vllm/processed_allowed_token_ids_temp1.json",
        "vllm/processed_logit_bias.json",
    ] {
        let Some(scores) = replay(name).await else {
            return;
        };
        let scores = scores.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (_, body) = recorded(name).unwrap();
        agrees(name, &body["choices"][0], &scores);
        let tokens = body["usage"]["prompt_tokens"].as_u64().map(|n| n as u32);
        assert_eq!(scores.usage.prompt_tokens, tokens, "{name}");
    }
}

/// Computed by hand from the file, which lists every letter but F with and without a space.
#[tokio::test]
async fn a_few_figures_by_hand() {
    let Some(scores) = replay("vllm/default_max_logprobs_20.json").await else {
        return;
    };
    let scores = scores.unwrap();
    // e^-1.0964677 = 0.334048, e^-7.739437 = 0.000435; the sum is 0.334483.
    assert!((scores.logprobs[0] - 0.334_483f64.ln()).abs() < 1e-5);
    // " F" alone.
    assert!((scores.logprobs[5] - -4.535_429).abs() < 1e-6);
    assert_eq!(scores.usage.cached_tokens, Some(0));

    // Only " A" is listed, at -1.1078: its probability is 0.33027, of the rest no more is known
    // than that none beats it.
    let one = replay("llama-server/completions_logprobs_true.json")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.observed, [true, false, false, false, false, false]);
    assert!((one.logprobs[1] - -1.107_848).abs() < 1e-5);
    assert!((one.mass - 0.330_27).abs() < 1e-4);
    assert_eq!(one.usage.cached_tokens, Some(484));

    // Tokens masked by -9999 count as absent; the six letters have all the probability.
    let masked = replay("vllm/processed_allowed_token_ids.json")
        .await
        .unwrap()
        .unwrap();
    assert!((masked.mass - 1.0).abs() < 1e-5);
}

#[tokio::test]
async fn llama_cpp_s_native_answers_are_read_too() {
    for name in [
        "native_n_probs10",
        "native_logit_bias",
        "native_n_probs10_cachefalse",
    ] {
        let name = format!("llama-server/{name}.json");
        let Some(scores) = replay(&name).await else {
            return;
        };
        let scores = scores.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (_, body) = recorded(&name).unwrap();
        let choice = json!({"logprobs": {"content": body["completion_probabilities"]}});
        agrees(&name, &choice, &scores);
    }
}

#[tokio::test]
async fn recorded_lists_find_their_prompts() {
    for name in [
        "llama-server/completions_list4.json",
        "vllm/completions_list4.json",
        "vllm/fp32_list3.json",
    ] {
        let Some((_, mut body)) = recorded(name) else {
            return;
        };
        let count = body["choices"].as_array().unwrap().len();
        let unshuffled = body.clone();
        body["choices"].as_array_mut().unwrap().reverse();
        let server = Server::answering(move |_| Reply::json(200, &body));
        let mut options = HttpOptions::new(&server.base);
        options.list_prompts = true;
        let scorer = connect(options).await.unwrap();
        let batch: Vec<_> = (0..count)
            .map(|i| question(&i.to_string(), &LETTERS))
            .collect();
        let answers = scorer.score(&batch).await.scores;
        assert_eq!(answers.len(), count);
        for (i, scores) in answers.iter().enumerate() {
            agrees(name, &unshuffled["choices"][i], scores.as_ref().unwrap());
        }
        assert_eq!(server.questions().len(), 1, "{name}: one request for all");
    }
}

#[tokio::test]
async fn every_recorded_failure_is_told_apart() {
    let too_long = |tokens, limit| ScoreError::ContextTooLong {
        tokens: Some(tokens),
        limit: Some(limit),
    };
    for (name, error) in [
        (
            "llama-server/completions_too_long.json",
            too_long(6001, 4096),
        ),
        ("llama-server/chat_too_long.json", too_long(6031, 4096)),
        ("vllm/too_long.json", too_long(4097, 4096)),
        ("vllm/chat_too_long.json", too_long(4097, 4096)),
    ] {
        let Some(answers) = replay(name).await else {
            return;
        };
        assert_eq!(answers, Err(error), "{name}");
    }
    for (name, kind) in [
        ("llama-server/auth_wrong.json", "unauthorized"),
        ("llama-server/auth_missing.json", "unauthorized"),
        ("llama-server/unknown_path.json", "not_found"),
        ("llama-server/loading_503.json", "server"),
        ("llama-server/completions_badjson.json", "rejected"),
        ("llama-server/completions_missing_prompt.json", "rejected"),
        ("llama-server/completions_neg_logprobs.json", "no_logprobs"),
        (
            "llama-server/completions_n_probs20_post_sampling.json",
            "no_logprobs",
        ),
        ("llama-server/completions_stream.json", "malformed"),
        ("vllm/auth_wrong.json", "unauthorized"),
        ("vllm/bad_model.json", "not_found"),
        ("vllm/unknown_path.json", "not_found"),
        ("vllm/badjson.json", "rejected"),
        ("vllm/completions_logprobs_toomany.json", "rejected"),
        ("vllm/unknown_field.json", "no_logprobs"),
        ("vllm/completions_stream.json", "malformed"),
    ] {
        let error = replay(name).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
}

#[tokio::test]
async fn the_recorded_model_lists_give_a_fingerprint() {
    for (name, key, value) in [
        ("llama-server/models.json", "server.meta.ftype", "Q4_1"),
        ("vllm/models.json", "server.root", "models/smollm2-hf"),
    ] {
        let Some((_, models)) = recorded(name) else {
            return;
        };
        let server = Server::start(move |asked| match asked.path.as_str() {
            "/v1/models" => Reply::json(200, &models),
            _ => crate::http::server::letters(asked.prompts().len()),
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let identity = scorer.identity();
        assert_eq!(identity.name, "smollm2");
        assert_eq!(identity.backend, "openai-http");
        assert_eq!(identity.details.get(key).map(String::as_str), Some(value));
        let text = format!("{identity:?}");
        for moving in ["1795531301", "1795533499", "modelperm", "127.0.0.1"] {
            assert!(!text.contains(moving), "{text}");
        }
    }
}

#[tokio::test]
async fn the_recorded_template_is_found_at_the_root() {
    let Some((_, props)) = recorded("llama-server/props.json") else {
        return;
    };
    let expected = props["chat_template"].as_str().unwrap().to_owned();
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/props" => Reply::json(200, &props),
        "/v1/models" => Reply::json(404, &json!({})),
        _ => crate::http::server::letters(1),
    });
    let mut options = HttpOptions::new(&server.base);
    options.model = Some("m".to_owned());
    let template = connect(options)
        .await
        .unwrap()
        .server_template()
        .await
        .unwrap();
    assert_eq!(template.chat_template, expected);
    assert_eq!(template.bos_token.as_deref(), Some("<|im_start|>"));
}
