//! Reads what a model said from a server's JSON, in every protocol.

use serde_json::Value;

use super::super::answer;
use super::super::secret::Scrubber;
use super::super::status::failure_within;
use super::super::wire::KeptHeaders;
use super::Api;
use crate::said::{End, Said};
use crate::{ScoreError, Usage};

/// What became of each answer in a response.
pub(super) type Answers = Vec<Result<Said, ScoreError>>;

/// Ends that are failures of the server: a router's and Mistral's, z.AI's, `DeepSeek`'s, vLLM's.
const BROKEN: [&str; 4] = [
    "error",
    "network_error",
    "insufficient_system_resource",
    "abort",
];

/// The answers in a response to one prompt, with the token counts of all of them. No answers, but
/// counts, are what Google's servers give where their filter withholds the answers.
pub(super) fn said(api: Api, response: &Value) -> Result<(Answers, Usage), ScoreError> {
    let answers = match api {
        Api::Completions | Api::Chat => choices(response)?,
        Api::Responses => vec![Ok(of_responses(response)?)],
        Api::Messages => vec![Ok(of_messages(response)?)],
    };
    Ok((answers, usage(response)))
}

fn choices(response: &Value) -> Result<Answers, ScoreError> {
    match response.get("choices") {
        Some(Value::Array(choices)) => Ok(choices.iter().map(choice).collect()),
        Some(Value::Null) if response.get("usage").is_some_and(Value::is_object) => Ok(Vec::new()),
        _ => Err(unknown("the answer has no `choices`", response)),
    }
}

/// The error of one choice, as a router reports it that lost its machine after the status was sent.
/// Callers remove secrets.
fn failure(choice: &Value, reason: Option<&str>) -> Option<ScoreError> {
    let broken = |reason: &str| ScoreError::Server {
        status: 200,
        retry_after: None,
        message: format!("the answer broke off (finish_reason: {reason})"),
    };
    failure_within(choice, &KeptHeaders::default(), &Scrubber::default())
        .or_else(|| reason.filter(|reason| BROKEN.contains(reason)).map(broken))
}

fn choice(choice: &Value) -> Result<Said, ScoreError> {
    let reason = choice.get("finish_reason").and_then(Value::as_str);
    if let Some(error) = failure(choice, reason) {
        return Err(error);
    }
    let end = End::of(reason);
    if let Some(Value::String(text)) = choice.get("text") {
        return Ok(Said {
            text: text.clone(),
            thought: None,
            end,
            logprob: logprob(choice),
            tokens: tokens(choice),
        });
    }
    let Some(message) = choice.get("message") else {
        if end == End::Refused {
            return Ok(Said::withheld(String::new()));
        }
        return Err(unknown("a choice has neither `message` nor `text`", choice));
    };
    let mut said = Said {
        end,
        logprob: logprob(choice),
        tokens: tokens(choice),
        ..Said::default()
    };
    match message.get("content") {
        Some(Value::String(text)) => said.text.clone_from(text),
        Some(Value::Array(parts)) => said.add_parts(parts)?,
        None | Some(Value::Null) => {}
        Some(_) => return Err(unknown("`content` is neither a text nor a list", message)),
    }
    for name in ["reasoning_content", "reasoning"] {
        if let Some(thought) = message.get(name).and_then(Value::as_str) {
            said.think(thought);
        }
    }
    said.refuse(message.get("refusal").and_then(Value::as_str));
    Ok(said)
}

/// The mean of the tokens' log-probabilities, in either shape that servers have: a list of numbers, or
/// of objects. `None` where one is missing or is no logarithm of a probability.
fn logprob(choice: &Value) -> Option<f64> {
    let all = choice.get("logprobs")?;
    let values: Option<Vec<f64>> = match (all.get("content"), all.get("token_logprobs")) {
        (Some(Value::Array(tokens)), _) => {
            let values = tokens.iter().map(|token| token.get("logprob")?.as_f64());
            values.collect()
        }
        (_, Some(Value::Array(values))) => values.iter().map(Value::as_f64).collect(),
        _ => None,
    };
    let values = values.filter(|values| !values.is_empty())?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    // Rounding may lift a certain token just above 0.
    (mean.is_finite() && mean < 1e-3).then(|| mean.min(0.0))
}

/// How many tokens are listed with their log-probabilities, in either shape.
fn tokens(choice: &Value) -> Option<u32> {
    let all = choice.get("logprobs")?;
    let lists = ["content", "token_logprobs"].map(|name| all.get(name).and_then(Value::as_array));
    let listed = lists.into_iter().flatten().next()?;
    u32::try_from(listed.len()).ok().filter(|count| *count > 0)
}

/// `OpenAI`'s Responses: a list of items, of which messages and reasoning count.
fn of_responses(response: &Value) -> Result<Said, ScoreError> {
    let Some(output) = response.get("output").and_then(Value::as_array) else {
        return Err(unknown("the answer has no `output`", response));
    };
    let status = response.get("status").and_then(Value::as_str);
    if let Some(status @ ("failed" | "cancelled" | "queued" | "in_progress")) = status {
        return Err(ScoreError::Server {
            status: 200,
            retry_after: None,
            message: format!("the response is {status}"),
        });
    }
    let mut said = Said::default();
    for item in output {
        let parts = |name: &str| item.get(name).and_then(Value::as_array);
        match item.get("type").and_then(Value::as_str) {
            Some("message") => said.add_parts(parts("content").map_or(&[], Vec::as_slice))?,
            Some("reasoning") => {
                let parts = ["content", "summary"].iter().filter_map(|name| parts(name));
                for part in parts.flatten() {
                    said.think(part.get("text").and_then(Value::as_str).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    let reason = response.pointer("/incomplete_details/reason");
    match End::of(reason.and_then(Value::as_str)) {
        End::Whole if status == Some("incomplete") => said.end = End::Cut,
        End::Whole => {}
        end => said.end = end,
    }
    Ok(said)
}

/// Anthropic's Messages: a list of blocks.
fn of_messages(response: &Value) -> Result<Said, ScoreError> {
    let Some(content) = response.get("content").and_then(Value::as_array) else {
        return Err(unknown("the answer has no `content`", response));
    };
    let mut said = Said::default();
    said.add_parts(content)?;
    let reason = response.get("stop_reason").and_then(Value::as_str);
    match End::of(reason) {
        End::Whole => {}
        end => said.end = end,
    }
    Ok(said)
}

impl Said {
    /// Adds the parts of a message: texts, thoughts and refusals, under the names of all protocols.
    fn add_parts(&mut self, parts: &[Value]) -> Result<(), ScoreError> {
        for part in parts {
            let text = |name: &str| part.get(name).and_then(Value::as_str);
            match text("type") {
                Some("text" | "output_text") => match text("text") {
                    Some(text) => self.text.push_str(text),
                    None => return Err(unknown("a part of the answer has no text", part)),
                },
                // Mistral's are a list of texts.
                Some("thinking") => match part.get("thinking") {
                    Some(Value::Array(texts)) => {
                        for thought in texts.iter().filter_map(|text| text.get("text")?.as_str()) {
                            self.think(thought);
                        }
                    }
                    _ => self.think(text("thinking").unwrap_or_default()),
                },
                Some("refusal") => self.refuse(text("refusal")),
                _ => {}
            }
        }
        Ok(())
    }

    fn think(&mut self, thought: &str) {
        if !thought.is_empty() {
            self.thought.get_or_insert_default().push_str(thought);
        }
    }

    fn refuse(&mut self, refusal: Option<&str>) {
        if let Some(refusal) = refusal.filter(|refusal| !refusal.is_empty()) {
            self.text.push_str(refusal);
            self.end = End::Refused;
        }
    }
}

/// The token counts of a response, of all of its answers.
fn usage(response: &Value) -> Usage {
    let count = |path: &str| answer::count(response, path);
    let answer_tokens = count("/usage/completion_tokens").or_else(|| count("/usage/output_tokens"));
    let mut usage = answer::usage(response);
    // Responses count cached tokens among the others, unlike Messages.
    if let Some(cached) = count("/usage/input_tokens_details/cached_tokens") {
        usage.cached_tokens = Some(cached);
    }
    Usage {
        answer_tokens,
        ..usage
    }
}

/// Characters of an answer of an unknown shape that are told.
const SHOWN: usize = 200;

fn unknown(what: &str, value: &Value) -> ScoreError {
    let text: String = value.to_string().chars().take(SHOWN).collect();
    ScoreError::Malformed {
        message: format!("{what}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(api: Api, response: &Value) -> Said {
        let (mut said, _) = super::said(api, response).unwrap();
        assert_eq!(said.len(), 1);
        said.remove(0).unwrap()
    }

    #[test]
    fn chat_and_completions() {
        let response = json!({
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"content": "(B)"}},
                {"index": 1, "finish_reason": "length",
                 "message": {"content": "", "reasoning_content": "Well, "}},
                {"index": 2, "finish_reason": "stop",
                 "message": {"content": null, "refusal": "I cannot answer this."}},
                {"index": 3, "finish_reason": "content_filter", "message": {"content": ""}},
            ],
            "usage": {"prompt_tokens": 90, "completion_tokens": 12,
                      "prompt_tokens_details": {"cached_tokens": 64}},
        });
        let (said, usage) = super::said(Api::Chat, &response).unwrap();
        let said: Vec<Said> = said.into_iter().map(Result::unwrap).collect();
        let ends: Vec<End> = said.iter().map(|said| said.end).collect();
        assert_eq!(ends, [End::Whole, End::Cut, End::Refused, End::Refused]);
        assert_eq!(said[1].thought.as_deref(), Some("Well, "));
        assert_eq!(said[2].text, "I cannot answer this.");
        assert_eq!(usage.prompt_tokens, Some(90));
        assert_eq!(usage.cached_tokens, Some(64));
        assert_eq!(usage.answer_tokens, Some(12));
        let text = json!({"choices": [{"text": " B", "finish_reason": "stop"}]});
        assert_eq!(one(Api::Completions, &text).text, " B");
    }

    #[test]
    fn a_filter_that_leaves_the_message_out_refuses() {
        for choice in [
            json!({"index": 0, "finish_reason": "content_filter"}),
            json!({"index": 0, "finish_reason": "content_filter: SAFETY", "message": null}),
            json!({"index": 0, "finish_reason": "PROHIBITED_CONTENT", "message": {"role": "assistant"}}),
        ] {
            let said = one(Api::Chat, &json!({"choices": [choice]}));
            assert_eq!((&*said.text, said.end), ("", End::Refused));
        }
        for none in [json!([]), json!(null)] {
            let response = json!({"choices": none, "usage": {"prompt_tokens": 7}});
            let (said, usage) = super::said(Api::Chat, &response).unwrap();
            assert!(said.is_empty() && usage.prompt_tokens == Some(7));
        }
    }

    #[test]
    fn a_choice_that_broke_off_is_a_failure_of_its_own() {
        let response = json!({"choices": [
            {"finish_reason": "stop", "message": {"content": "B"}},
            {"finish_reason": "error", "message": {"content": "The ans"},
             "error": {"code": 502, "message": "upstream died"}},
            {"finish_reason": "error", "message": {"content": ""}},
        ]});
        let (said, _) = super::said(Api::Chat, &response).unwrap();
        assert_eq!(said[0].as_ref().unwrap().text, "B");
        for (failed, words) in [(&said[1], "upstream died"), (&said[2], "broke off")] {
            let error = failed.as_ref().unwrap_err();
            assert!(
                error.is_retryable() && error.to_string().contains(words),
                "{error}"
            );
        }
    }

    #[test]
    fn token_logprobs_in_both_shapes() {
        let of = |logprobs: Value| super::logprob(&json!({"logprobs": logprobs}));
        assert_eq!(of(json!({"token_logprobs": [-1.0, -2.0]})), Some(-1.5));
        let content = json!({"content": [{"logprob": -1.0}, {"logprob": 0.0}]});
        assert_eq!(of(content), Some(-0.5));
        for none in [
            json!(null),
            json!({"content": []}),
            json!({"content": [{"token": "B"}]}),
            json!({"token_logprobs": [null]}),
            json!({"token_logprobs": [3.5]}),
        ] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn responses() {
        let response = json!({
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Thinking."}]},
                {"type": "message", "role": "assistant",
                 "content": [{"type": "output_text", "text": "B", "annotations": []}]},
            ],
            "usage": {"input_tokens": 75, "output_tokens": 40,
                      "input_tokens_details": {"cached_tokens": 10},
                      "output_tokens_details": {"reasoning_tokens": 32}},
        });
        let said = one(Api::Responses, &response);
        assert_eq!((&*said.text, said.end), ("B", End::Whole));
        assert_eq!(said.thought.as_deref(), Some("Thinking."));
        let usage = super::usage(&response);
        assert_eq!(
            (
                usage.prompt_tokens,
                usage.cached_tokens,
                usage.answer_tokens
            ),
            (Some(75), Some(10), Some(40))
        );
        let cut = json!({
            "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "reasoning", "summary": []}],
        });
        assert_eq!(one(Api::Responses, &cut).end, End::Cut);
        let filtered = json!({
            "status": "incomplete", "incomplete_details": {"reason": "content_filter"},
            "output": [],
        });
        assert_eq!(one(Api::Responses, &filtered).end, End::Refused);
        let failed = super::said(Api::Responses, &json!({"status": "failed", "output": []}));
        assert_eq!(failed.unwrap_err().kind(), "server");
        let refused = json!({"output": [{"type": "message", "content": [
            {"type": "refusal", "refusal": "I can't help with that."}]}]});
        assert_eq!(one(Api::Responses, &refused).end, End::Refused);
    }

    #[test]
    fn messages() {
        let response = json!({
            "type": "message", "role": "assistant", "stop_reason": "end_turn",
            "content": [
                {"type": "thinking", "thinking": "Paris or Rome?", "signature": "x"},
                {"type": "text", "text": "**B**"},
            ],
            "usage": {"input_tokens": 20, "cache_read_input_tokens": 50,
                      "cache_creation_input_tokens": 0, "output_tokens": 9},
        });
        let said = one(Api::Messages, &response);
        assert_eq!((&*said.text, said.end), ("**B**", End::Whole));
        assert_eq!(said.thought.as_deref(), Some("Paris or Rome?"));
        let usage = super::usage(&response);
        assert_eq!(
            (
                usage.prompt_tokens,
                usage.cached_tokens,
                usage.answer_tokens
            ),
            (Some(70), Some(50), Some(9))
        );
        let refused = json!({"content": [], "stop_reason": "refusal"});
        assert_eq!(one(Api::Messages, &refused).end, End::Refused);
    }

    #[test]
    fn other_shapes_are_errors() {
        for (api, response) in [
            (Api::Chat, json!({"object": "list"})),
            (Api::Chat, json!({"choices": [{"index": 0}]})),
            (Api::Responses, json!({"id": "x"})),
            (Api::Messages, json!({"content": "text"})),
        ] {
            let error = match super::said(api, &response) {
                Ok((mut said, _)) => said.remove(0).unwrap_err(),
                Err(error) => error,
            };
            assert!(matches!(error, ScoreError::Malformed { .. }), "{error}");
        }
    }
}
