//! The tokens of an answer, in the shapes of OpenAI's interfaces.

use serde_json::Value;
use sureness_scorers::ScoreError;

use crate::error::printable;
use crate::json;
use crate::letter::{Token, Top};

/// The tokens of a response's body: of chat completions, completions or responses.
pub(crate) fn of_body(body: &Value) -> Result<Vec<Token>, ScoreError> {
    if let Some(message) = body.get("error").and_then(message) {
        return Err(ScoreError::Backend { message });
    }
    if let Some(choice) = choice(body) {
        return of_choice(choice);
    }
    let lists = parts(body).iter().filter_map(|part| part.get("logprobs"));
    let lists = lists.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let lists: Vec<&Value> = lists.collect();
    if lists.is_empty() {
        return Err(ScoreError::NoLogprobs);
    }
    lists.into_iter().try_fold(Vec::new(), |mut all, list| {
        all.extend(of_list(list)?);
        Ok(all)
    })
}

/// The text of the answer in a response's body; `None` if the body does not have it.
pub(crate) fn text_of_body(body: &Value) -> Option<String> {
    let Some(choice) = choice(body) else {
        let texts = parts(body).iter().map(|part| part.get("text")?.as_str());
        return texts
            .collect::<Option<String>>()
            .filter(|_| !parts(body).is_empty());
    };
    let text = choice
        .pointer("/message/content")
        .or_else(|| choice.get("text"))?;
    match text {
        // All of it was thought, or a call of a tool.
        Value::Null => Some(String::new()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            Some(texts.collect())
        }
        text => text.as_str().map(str::to_owned),
    }
}

/// The first answer, wherever it stands among several.
fn choice(body: &Value) -> Option<&Value> {
    let choices = body.get("choices")?.as_array()?;
    let index = |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0);
    choices.iter().min_by_key(index)
}

/// The parts of the last message in the body of a response (`/v1/responses`): those before it comment on
/// what the model does.
fn parts(body: &Value) -> &[Value] {
    let items = body.get("output").and_then(Value::as_array);
    let mut messages = items
        .into_iter()
        .flatten()
        .rev()
        .filter(|item| item.get("type").is_none_or(|kind| kind == "message"));
    let parts = messages.find_map(|item| item.get("content")?.as_array());
    parts.map_or(&[], Vec::as_slice)
}

/// Whether this is a response's body.
pub(crate) fn is_body(body: &Value) -> bool {
    body.get("choices").is_some() || body.get("output").is_some()
}

/// The number of answers in a response's body.
pub(crate) fn answers(body: &Value) -> usize {
    let choices = body.get("choices").and_then(Value::as_array);
    choices.map_or(1, Vec::len)
}

/// The tokens of one choice of a completion.
fn of_choice(choice: &Value) -> Result<Vec<Token>, ScoreError> {
    let logprobs = choice.get("logprobs").filter(|it| !it.is_null());
    let logprobs = logprobs.ok_or(ScoreError::NoLogprobs)?;
    match logprobs.get("content") {
        Some(list @ Value::Array(_)) => of_list(list),
        _ => of_columns(logprobs),
    }
}

/// A list of `{token, logprob, top_logprobs: [{token, logprob}]}`.
pub(crate) fn of_list(list: &Value) -> Result<Vec<Token>, ScoreError> {
    serde::Deserialize::deserialize(list)
        .map_err(|error: serde_json::Error| malformed(&error.to_string()))
}

/// `tokens`, `token_logprobs`, and one object per token in `top_logprobs`.
fn of_columns(logprobs: &Value) -> Result<Vec<Token>, ScoreError> {
    let list = |name| logprobs.get(name).and_then(Value::as_array);
    let tokens = list("tokens").ok_or(ScoreError::NoLogprobs)?;
    let of_token = |at: usize| list("token_logprobs")?.get(at)?.as_f64();
    let top = |at: usize| {
        let top = list("top_logprobs")?.get(at)?.as_object()?;
        let top = top.iter().map(|(token, logprob)| Top {
            token: token.clone(),
            logprob: logprob.as_f64(),
        });
        Some(top.collect())
    };
    let each = tokens.iter().enumerate().map(|(at, token)| {
        let text = token.as_str();
        let text =
            text.ok_or_else(|| malformed(&format!("{} as a token", json::describe(token))))?;
        Ok(Token {
            token: text.to_owned(),
            logprob: of_token(at),
            top_logprobs: top(at),
            by_id: false,
        })
    });
    each.collect()
}

/// What an error says; `None` where there is none.
pub(crate) fn message(error: &Value) -> Option<String> {
    let text = match error {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        error => {
            let text = ["/message", "/error/message", "/code"];
            let text = text.iter().find_map(|pointer| json::text(error, pointer));
            text.map_or_else(|| error.to_string(), str::to_owned)
        }
    };
    Some(printable(&text))
}

pub(crate) fn malformed(message: &str) -> ScoreError {
    ScoreError::Malformed {
        message: printable(message),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_gives_the_same_tokens() {
        let content = json!([{"token": " B", "logprob": -0.5, "bytes": [32, 66],
            "top_logprobs": [{"token": " A", "logprob": -1.5}, {"token": " B", "logprob": -0.5}]}]);
        let columns = json!({"tokens": [" B"], "token_logprobs": [-0.5], "text_offset": [9],
            "top_logprobs": [{" A": -1.5, " B": -0.5}]});
        for body in [
            json!({"choices": [{"logprobs": {"content": content}}]}),
            json!({"choices": [{"text": " B", "logprobs": columns}]}),
            json!({"output": [{"type": "reasoning", "summary": []}, {"type": "message",
                "content": [{"type": "output_text", "text": " B", "logprobs": content}]}]}),
        ] {
            let tokens = of_body(&body).unwrap();
            let [token] = &tokens[..] else {
                panic!("{tokens:?}");
            };
            assert_eq!((token.token.as_str(), token.logprob), (" B", Some(-0.5)));
            let top = token.top_logprobs.as_ref().unwrap();
            let top: Vec<_> = top
                .iter()
                .map(|it| (it.token.as_str(), it.logprob))
                .collect();
            assert_eq!(top, [(" A", Some(-1.5)), (" B", Some(-0.5))]);
        }
    }

    #[test]
    fn answers_without_tokens_say_why() {
        for (body, expected) in [
            (
                json!({"choices": [{"logprobs": null}]}),
                "no log-probabilities",
            ),
            (
                json!({"choices": [{"message": {"content": "B"}}]}),
                "no log-probabilities",
            ),
            (json!({"output": []}), "no log-probabilities"),
            (json!({}), "no log-probabilities"),
            (
                json!({"error": {"message": "too long", "code": 400}}),
                "too long",
            ),
            (
                json!({"choices": [{"logprobs": {"tokens": [7]}}]}),
                "the number 7 as a token",
            ),
            (
                json!({"choices": [{"logprobs": {"content": [7]}}]}),
                "expected",
            ),
        ] {
            let said = of_body(&body).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
