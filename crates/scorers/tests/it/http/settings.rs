//! Servers whose own sampling settings would move scores.

use serde_json::{Value, json};
use sureness_scorers::http::{ExtraBody, HttpOptions, HttpScorer};
use sureness_scorers::{OptionScorer, OptionScores, ScoreError};

use crate::http::exact::{biased, by_number, exact_server, is_exact, top_three};
use crate::http::server::{Asked, Reply, Server};
use crate::http::{Way, connect, in_both_models, question, score_one};

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const SEAS: &str =
    "Which of these is an ocean?\nChoices:\nA. Pacific\nB. Thames\nC. Alps\nD. Sahara";
/// The detail of the identity that names what would move scores.
const DETAIL: &str = "server settings, switched off";

fn settings(scorer: &HttpScorer) -> Option<&str> {
    let details = &scorer.identity().details;
    details.get(DETAIL).map(String::as_str)
}

/// As llama.cpp's probabilities after sampling with a repeat penalty: a biased logit is divided, the
/// more the larger it is.
fn bent(asked: &Asked) -> Option<Value> {
    let mut answer = biased(asked)?;
    let listed = answer["choices"][0]["logprobs"]["content"][0]["top_probs"].as_array_mut()?;
    for entry in listed {
        if entry["id"].as_u64()? % 2 == 0 {
            let share = entry["prob"].as_f64()?;
            entry["prob"] = (share / 20.0).into();
        }
    }
    Some(answer)
}

/// Whether a request switches llama.cpp's samplers off.
fn is_neutral(asked: &Asked) -> bool {
    asked.body["repeat_penalty"] == 1 && asked.body["samplers"] == json!(["temperature"])
}

/// A server that lists the recorded tokens of vLLM, with its own repetition penalty unless that is
/// switched off.
fn recorded_vllm() -> Option<(Server, [Value; 2])> {
    let folder = crate::shared()?.join("cases/servers/vllm-processed-logprobs");
    let body = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let pair: Value = serde_json::from_str(&text).unwrap();
        pair["body"].clone()
    };
    let both = [body("as_sent.json"), body("repetition_penalty_1.json")];
    let [own, neutral] = both.clone();
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &json!({"data": [{"id": "smollm2"}]})),
        "/v1/completions" if asked.body["repetition_penalty"] == 1 => Reply::json(200, &neutral),
        "/v1/completions" => Reply::json(200, &own),
        _ => Reply::json(404, &json!({})),
    });
    Some((server, both))
}

in_both_models! {
    async fn vllm_s_penalty_is_found_and_switched_off(way: Way) {
        let Some((server, [own, neutral])) = recorded_vllm() else { return };
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        assert_eq!(settings(&scorer), Some("penalties"));
        let found = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        let listed = |body: &Value, letter: &str| {
            body["choices"][0]["logprobs"]["top_logprobs"][0][format!(" {letter}")].as_f64().unwrap()
        };
        for (place, letter) in LETTERS.iter().enumerate() {
            assert!((found.logprobs[place] - listed(&neutral, letter)).abs() < 1e-12, "{letter}");
        }
        // The penalty turns the order round: D leads with it, A without.
        assert!(listed(&own, "D") > listed(&own, "A"));
        assert!(found.logprobs[0] > found.logprobs[3]);
    }

    async fn a_neutral_server_is_asked_and_named_as_before(way: Way) {
        let server = exact_server(top_three);
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        let names: Vec<&str> = scorer.identity().details.keys().map(String::as_str).collect();
        assert_eq!(names, ["api base", "option scores", "request shape", "route", "top logprobs"]);
        let sent = server.questions().pop().unwrap().body;
        let names: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["model", "prompt", "max_tokens", "temperature", "logprobs"]);
    }

    async fn a_known_vllm_gets_neutral_values_and_keeps_its_name(way: Way) {
        let server = Server::start(|asked| match asked.path.as_str() {
            "/v1/models" => Reply::json(200, &json!({"data": [{"id": "m", "owned_by": "vllm"}]})),
            "/v1/completions" => Reply::json(200, &top_three(asked)),
            _ => Reply::json(404, &json!({})),
        });
        let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
        assert_eq!(settings(&scorer), None);
        score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        assert_eq!(server.questions()[0].body["repetition_penalty"], 1);
    }

    async fn a_server_that_refuses_unknown_fields_gets_none(way: Way) {
        let server = exact_server(top_three);
        let strict = Server::start({
            let base = server.base.clone();
            move |asked| {
                let known = ["model", "prompt", "max_tokens", "temperature", "logprobs"];
                let odd = asked.body.as_object().and_then(|body| body.keys().find(|name| !known.contains(&name.as_str())));
                match (asked.path.as_str(), odd) {
                    ("/v1/models", _) => Reply::json(200, &json!({"data": [{"id": "m", "owned_by": "vllm"}]})),
                    (_, Some(name)) => Reply::json(422, &json!({"error": format!("{base}: {name}")})),
                    ("/v1/completions", None) => Reply::json(200, &top_three(asked)),
                    _ => Reply::json(404, &json!({})),
                }
            }
        });
        let scorer = connect(HttpOptions::new(&strict.base)).await.unwrap();
        score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
    }

    async fn llama_cpp_s_samplers_are_switched_off_and_named(way: Way) {
        for props in [json!({}), json!({"default_generation_settings": {"params": {"repeat_penalty": 1.1f32}}})] {
            let named = props.get("default_generation_settings").is_some();
            let server = Server::start(move |asked| {
                if asked.path == "/props" {
                    return Reply::json(200, &props);
                }
                let answer = if is_neutral(asked) { biased(asked) } else { bent(asked) };
                crate::http::exact::reply(asked, &answer.unwrap_or_else(|| top_three(asked)))
            });
            let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
            assert_eq!(settings(&scorer), Some(if named { "repeat_penalty 1.1" } else { "samplers" }));
            is_exact(&score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap());
        }
    }

    async fn what_cannot_be_switched_off_leaves_bounds(way: Way) {
        let always = exact_server(|asked| bent(asked).unwrap_or_else(|| top_three(asked)));
        let scorer = connect(HttpOptions::new(&always.base)).await.unwrap();
        assert_eq!(scorer.identity().details["option scores"], "top tokens");
        assert!(scorer.scoring().reason.contains("contradict"));
        // Only the questions' answers contradict each other.
        let later = exact_server(|asked| {
            let answer = if asked.is_question() { bent(asked) } else { biased(asked) };
            answer.unwrap_or_else(|| top_three(asked))
        });
        let scorer = connect(HttpOptions::new(&later.base)).await.unwrap();
        assert_eq!(scorer.identity().details["option scores"], "top tokens, the rest by logit bias");
        let found = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        assert_eq!(found.observed, [true, true, true, false, false, false]);
    }

    async fn extra_fields_are_in_every_request_and_in_the_name(way: Way) {
        let server = exact_server(|asked| by_number(asked).unwrap_or_else(|| top_three(asked)));
        let mut options = HttpOptions::new(&server.base);
        let extra: ExtraBody = r#"{"chat_template_kwargs": {"enable_thinking": false}}"#.parse().unwrap();
        options.extra_body = Some(extra);
        let scorer = connect(options).await.unwrap();
        score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap();
        let asked = server.asked.lock().unwrap();
        for asked in asked.iter().filter(|asked| asked.path == "/v1/completions") {
            assert_eq!(asked.body["chat_template_kwargs"]["enable_thinking"], false);
        }
        let named = &scorer.identity().details["extra body"];
        assert_eq!(named, r#"{"chat_template_kwargs":{"enable_thinking":false}}"#);
    }

    async fn a_prompt_that_the_server_says_it_cut_has_no_answer(way: Way) {
        for place in ["/truncated", "/__verbose/truncated", "/choices/0/truncated"] {
            let server = exact_server(move |asked| {
                let mut answer = top_three(asked);
                if asked.is_question() {
                    answer["__verbose"] = json!({});
                    let (parent, name) = place.rsplit_once('/').unwrap();
                    answer.pointer_mut(parent).unwrap()[name] = true.into();
                }
                answer
            });
            let scorer = connect(HttpOptions::new(&server.base)).await.unwrap();
            let error = score_one(way, &scorer, &question("x", &LETTERS)).await.unwrap_err();
            assert_eq!(error, ScoreError::PromptCut, "{place}");
        }
    }
}

/// A chat server that gives the recorded answer to every request.
async fn trial(name: &str) -> Option<sureness_scorers::http::Letters> {
    let path = crate::shared()?.join("cases/thinks-first").join(name);
    let body: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(200, &json!({"data": [{"id": "m"}]})),
        path if path.ends_with("completions") => Reply::json(200, &body),
        _ => Reply::json(404, &json!({})),
    });
    let mut options = HttpOptions::new(&server.base);
    options.chat = true;
    let scorer = connect(options).await.unwrap();
    scorer.letters().cloned()
}

#[tokio::test]
async fn the_probe_sees_that_the_letters_are_improbable() {
    for (name, first) in [
        ("answer.json", "<think>"),
        ("channel.json", "<|channel|>"),
        ("bold.json", "**"),
        ("newline.json", "\n"),
        ("no_letter.json", "<think>"),
    ] {
        let Some(letters) = trial(name).await else {
            return;
        };
        assert!(letters.are_improbable(), "{name}: {letters:?}");
        assert_eq!(letters.first, first, "{name}");
        assert!(!letters.opening().hint(true).contains("with --chat"));
    }
}

/// The scores of options that a real server left out of three top tokens, beside those of its long
/// list, under sampler settings that would bend the former.
#[tokio::test]
async fn a_real_server_s_samplers_do_not_bend_scores() {
    for settings in [
        &["--repeat-penalty", "1.1"][..],
        &["--presence-penalty", "0.5"],
        &["--dynatemp-range", "0.5"],
        &["--dry-multiplier", "0.8"],
        &["--xtc-probability", "0.5", "--xtc-threshold", "0.05"],
        &["--mirostat", "2"],
    ] {
        let Some(server) = crate::http::real::start(settings) else {
            return;
        };
        let ask = async |top: u32, exact_scores: bool| -> (HttpScorer, OptionScores) {
            let options = HttpOptions {
                top_logprobs: Some(top),
                exact_scores,
                max_connections: 1,
                ..HttpOptions::new(&server.base)
            };
            let scorer = connect(options).await.unwrap();
            let request = question(SEAS, &LETTERS[..4]);
            // Twice, so that both answers come from the cache.
            let _ = score_one(Way::Async, &scorer, &request).await;
            let answer = score_one(Way::Async, &scorer, &request).await.unwrap();
            (scorer, answer)
        };
        let (_, whole) = ask(1000, false).await;
        let (scorer, filled) = ask(3, true).await;
        let named = self::settings(&scorer)
            .unwrap_or_default()
            .replace('_', "-");
        let flag = settings[0].trim_start_matches("--");
        assert!(named.contains(flag), "{flag} is not in {named:?}");
        assert_eq!(filled.observed, [true; 4], "{settings:?}");
        for (place, value) in filled.logprobs.iter().enumerate() {
            let apart = (value - whole.logprobs[place]).abs();
            assert!(
                !whole.observed[place] || apart < 0.05,
                "{settings:?}, option {place}: {apart}"
            );
        }
    }
}
