//! Servers that report each option's own token.

use serde_json::{Value, json};
use sureness_scorers::http::HttpOptions;
use sureness_scorers::{OptionScorer, OptionScores, ScoreError};

use crate::http::recorded::recorded;
use crate::http::server::{Asked, Reply, Server};
use crate::http::{Way, connect, in_both_models, question, score, score_one};

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
/// `SmolLM2`'s numbers for the letters after a space; without one they count up from 49.
const SPACED: [u64; 6] = [330, 389, 340, 422, 414, 426];

/// The number of one letter in this vocabulary.
fn number(text: &str) -> Option<u64> {
    let letter = text.trim_start();
    let place = LETTERS.iter().position(|known| *known == letter)?;
    Some(if text.starts_with(' ') {
        SPACED[place]
    } else {
        49 + place as u64
    })
}

/// `/tokenize`, for the texts that the probe asks about.
fn tokenize(asked: &Asked) -> Reply {
    let text = asked.body["content"].as_str().unwrap();
    let rest = text.strip_prefix("Answer:");
    let mut tokens = match rest {
        Some(_) => vec![21350, 42],
        None => vec![198],
    };
    tokens.extend(number(rest.unwrap_or_default()));
    Reply::json(200, &json!({"tokens": tokens}))
}

/// The probability that this model gives a token: " A" 0.4, " B" 0.2 and so on, a thousandth of
/// that without the space.
fn probability(id: u64) -> f64 {
    match SPACED.iter().position(|&known| known == id) {
        Some(place) => 0.4 / f64::from(1 << place),
        None => probability(SPACED[(id - 49) as usize]) / 1000.0,
    }
}

fn text(id: u64) -> String {
    let place = SPACED.iter().position(|&known| known == id);
    place.map_or_else(
        || LETTERS[(id - 49) as usize].to_owned(),
        |place| format!(" {}", LETTERS[place]),
    )
}

/// Answers as `SGLang` does: without an index, a list for a list.
fn generated(asked: &Asked) -> Value {
    let ids = asked.body["token_ids_logprob"].as_array().unwrap();
    let listed: Vec<Value> = ids
        .iter()
        .map(|id| json!([probability(id.as_u64().unwrap()).ln(), id, null]))
        .collect();
    let one = json!({"text": " A", "meta_info": {"prompt_tokens": 9,
        "output_token_ids_logprobs": [listed]}});
    match &asked.body["text"] {
        Value::Array(texts) => texts.iter().map(|_| one.clone()).collect(),
        _ => one,
    }
}

pub(crate) fn is_exact(scores: &OptionScores) {
    assert_eq!(scores.observed, [true; 6]);
    for (place, logprob) in scores.logprobs.iter().enumerate() {
        let wanted = (probability(SPACED[place]) * 1.001).ln();
        assert!(
            (logprob - wanted).abs() < 1.1e-3,
            "{place}: {logprob} for {wanted}"
        );
    }
}

/// Answers a question that names its tokens as vLLM does.
pub(crate) fn by_number(asked: &Asked) -> Option<Value> {
    let ids = asked.body["logprob_token_ids"].as_array()?;
    let listed: serde_json::Map<String, Value> = ids
        .iter()
        .map(|id| {
            (
                format!("token_id:{id}"),
                probability(id.as_u64().unwrap()).ln().into(),
            )
        })
        .collect();
    let choices: Vec<_> = (0..asked.prompts().len())
        .map(|index| {
            json!({"index": index, "text": " A", "logprobs": {
            "tokens": ["token_id:330"], "token_logprobs": [0.4f64.ln()], "top_logprobs": [listed]}})
        })
        .collect();
    Some(json!({"choices": choices}))
}

/// The three most probable tokens, as any server lists them.
pub(crate) fn top_three(asked: &Asked) -> Value {
    let listed: serde_json::Map<String, Value> = SPACED[..3]
        .iter()
        .map(|&id| (text(id), probability(id).ln().into()))
        .collect();
    let choices: Vec<_> = (0..asked.prompts().len())
        .map(|index| {
            json!({"index": index, "text": " A", "logprobs": {
            "tokens": [" A"], "token_logprobs": [0.4f64.ln()], "top_logprobs": [listed]}})
        })
        .collect();
    json!({"choices": choices})
}

/// Answers a biased question as llama.cpp does.
pub(crate) fn biased(asked: &Asked) -> Option<Value> {
    let bias = asked.body["logit_bias"].as_object()?;
    let ids: Vec<u64> = bias.keys().map(|id| id.parse().unwrap()).collect();
    let total: f64 = ids.iter().map(|&id| probability(id)).sum();
    let listed: Vec<_> = ids
        .iter()
        .map(|&id| json!({"id": id, "token": text(id), "prob": probability(id) / total}))
        .collect();
    Some(
        json!({"choices": [{"index": 0, "text": " A", "logprobs": {"content": [
        {"id": 330, "token": " A", "prob": 0.5, "top_probs": listed}]}}]}),
    )
}

pub(crate) fn exact_server(answer: impl Fn(&Asked) -> Value + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/v1/completions" => Reply::json(200, &answer(asked)),
        _ => reply(asked, &Value::Null),
    })
}

/// The reply of a server with a tokenizer and completions, which answer `answer`.
pub(crate) fn reply(asked: &Asked, answer: &Value) -> Reply {
    match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &json!({"data": [{"id": "m"}]})),
        "/tokenize" => tokenize(asked),
        "/v1/completions" => Reply::json(200, answer),
        _ => Reply::json(404, &json!({})),
    }
}

in_both_models! {
    async fn vllm_is_asked_by_number(way: Way) {
        let server = exact_server(|asked| by_number(asked).unwrap_or_else(|| top_three(asked)));
        let mut options = HttpOptions::new(&server.base);
        for list_prompts in [false, true] {
            options.list_prompts = list_prompts;
            let scorer = connect(options.clone()).await.unwrap();
            assert_eq!(scorer.identity().details["option scores"], "token ids");
            let batch = [question("x", &LETTERS), question("y", &LETTERS)];
            for scores in score(way, &scorer, &batch).await {
                is_exact(&scores.unwrap());
            }
        }
        // Twelve numbers for six letters. The probe did not ask for the last labels.
        let odd = question("z", &["A", "yes"]);
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let found = score_one(way, &scorer, &odd).await.unwrap();
        assert_eq!(found.observed, [true, false]);
    }

    async fn a_promised_option_that_is_missing_is_an_error(way: Way) {
        let server = exact_server(|asked| {
            let mut answer = by_number(asked).unwrap_or_else(|| top_three(asked));
            if asked.is_question() {
                for id in ["token_id:414", "token_id:53"] {
                    answer["choices"][0]["logprobs"]["top_logprobs"][0].as_object_mut().unwrap().remove(id);
                }
            }
            answer
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let error = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap_err();
        let ScoreError::Malformed { message } = error else { panic!("{error}") };
        assert!(message.contains("option E"), "{message}");
    }

    async fn llama_cpp_is_asked_again_for_what_is_open(way: Way) {
        let server = exact_server(|asked| biased(asked).unwrap_or_else(|| top_three(asked)));
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let tier = &scorer.identity().details["option scores"];
        assert_eq!(tier, "top tokens, the rest by logit bias");
        let found = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        is_exact(&found);
        assert!((found.mass - 0.7875).abs() < 1e-3, "{}", found.mass);
        assert_eq!(server.questions().len(), 2);
        // All options observed, so no second request.
        score_one(way, &scorer, &question("y", &LETTERS[..3])).await.unwrap();
        assert_eq!(server.questions().len(), 3);
    }

    async fn sglang_is_asked_on_its_own_route(way: Way) {
        let server = Server::start(|asked| match asked.path.as_str() {
            "/v1/models" => Reply::json(200, &json!({"data": [{"id": "m"}]})),
            "/tokenize" => tokenize(asked),
            "/generate" => Reply::json(200, &generated(asked)),
            _ => Reply::json(200, &top_three(asked)),
        });
        let mut options = HttpOptions::new(&server.base);
        for list_prompts in [false, true] {
            options.list_prompts = list_prompts;
            let scorer = connect(options.clone()).await.unwrap();
            assert_eq!(scorer.identity().details["option scores"], "token ids (generate)");
            let batch = [question("x", &LETTERS), question("y", &LETTERS)];
            for answer in score(way, &scorer, &batch).await {
                is_exact(&answer.unwrap());
            }
        }
        // Labels without numbers use the most probable tokens.
        let scorer = connect(options).await.unwrap();
        let found = score_one(way, &scorer, &question("z", &["A", "yes"])).await.unwrap();
        assert_eq!(found.observed, [true, false]);
    }

    async fn other_servers_give_their_top_tokens(way: Way) {
        let server = exact_server(top_three);
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        assert_eq!(scorer.identity().details["option scores"], "top tokens");
        let found = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        assert_eq!(found.observed, [true, true, true, false, false, false]);
        // So does any server if exact scores are off.
        let mut options = HttpOptions::new(&server.base);
        options.exact_scores = false;
        let asked = server.asked.lock().unwrap().len();
        connect(options).await.unwrap();
        // The list of models, one scoring request, the list once the model is surely there, one
        // request with neutral settings and the trial question.
        assert_eq!(server.asked.lock().unwrap().len(), asked + 5);
    }

    async fn what_vllm_answered_by_number_is_read(way: Way) {
        let name = "vllm/completions_logprob_token_ids_return_ids.json";
        let Some((_, body)) = recorded(name) else { return };
        let listed = body["choices"][0]["logprobs"]["top_logprobs"][0].clone();
        let server = exact_server(move |asked| {
            if asked.is_question() {
                // The recorded request named only the letters with a space.
                return body.clone();
            }
            by_number(asked).unwrap_or_else(|| top_three(asked))
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        let found = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        for (place, id) in SPACED.iter().enumerate() {
            let said = listed[format!("token_id:{id}")].as_f64().unwrap();
            assert!((found.logprobs[place] - said).abs() < 1e-12);
        }
    }
}
