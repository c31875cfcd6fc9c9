//! Fields that a user adds to every request.

use serde_json::{Map, Value};

/// Fields that scoring sets itself, or that would change which token is scored or how its
/// probability is reported, with what to use instead.
const TAKEN: [(&[&str], &str); 6] = [
    (&["model"], "name the model with --model"),
    (
        &[
            "prompt",
            "messages",
            "input",
            "suffix",
            "echo",
            "truncate_prompt_tokens",
            "truncation",
            "transforms",
        ],
        "the questions make up the whole prompt; change its text with --prompts",
    ),
    (
        &[
            "max_tokens",
            "max_completion_tokens",
            "n",
            "best_of",
            "stream",
            "n_predict",
            "max_new_tokens",
            "max_output_tokens",
            "min_tokens",
            "stop",
            "stream_options",
            "use_beam_search",
        ],
        "scoring reads one token of one whole answer",
    ),
    (
        &[
            "logprobs",
            "top_logprobs",
            "logprob_token_ids",
            "return_tokens_as_token_ids",
            "n_probs",
            "post_sampling_probs",
            "prompt_logprobs",
        ],
        "scoring asks for log-probabilities itself; set their number with --top-logprobs",
    ),
    (
        &[
            "temperature",
            "dynatemp_range",
            "dynatemp_exponent",
            "top_k",
            "top_p",
            "min_p",
            "typical_p",
            "top_n_sigma",
            "top_a",
            "tfs_z",
            "samplers",
            "xtc_probability",
            "xtc_threshold",
            "mirostat",
            "mirostat_tau",
            "mirostat_eta",
            "adaptive_target",
            "repeat_penalty",
            "repeat_last_n",
            "repetition_penalty",
            "presence_penalty",
            "frequency_penalty",
            "length_penalty",
            "dry_multiplier",
            "dry_base",
            "dry_allowed_length",
            "dry_penalty_last_n",
            "backend_sampling",
            "sampling_params",
        ],
        "scores are of the model, without samplers and penalties",
    ),
    (
        &[
            "logit_bias",
            "grammar",
            "json_schema",
            "response_format",
            "structured_outputs",
            "guided_choice",
            "guided_json",
            "guided_regex",
            "guided_grammar",
            "regex",
            "ebnf",
            "structural_tag",
            "allowed_token_ids",
            "bad_words",
            "ignore_eos",
        ],
        "scores are over the whole vocabulary, without a bias or a constraint",
    ),
];

/// Parts of names under which secrets are sent.
const SECRETS: [&str; 8] = [
    "access_key",
    "api_key",
    "apikey",
    "authorization",
    "credential",
    "password",
    "private_key",
    "secret",
];

/// Fields that a user adds to every request, such as `chat_template_kwargs`. They are a part of the
/// model's identity, so they hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraBody(Map<String, Value>);

/// Why fields cannot be added to requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtraBodyError {
    /// The text is not JSON.
    #[error("{0}")]
    NotJson(String),
    /// The JSON is not an object.
    #[error("a JSON object is needed, {0} found")]
    NotAnObject(&'static str),
    /// The field belongs to scoring.
    #[error("{name:?} cannot be set: {reason}")]
    Taken {
        /// The field.
        name: String,
        /// Why, or what to use instead.
        reason: &'static str,
    },
    /// The field holds a secret.
    #[error(
        "{0:?} looks like a secret, and results name these fields: give a key with --api-key-env"
    )]
    Secret(String),
}

impl std::str::FromStr for ExtraBody {
    type Err = ExtraBodyError;

    /// Reads a JSON object.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = serde_json::from_str(text)
            .map_err(|error| ExtraBodyError::NotJson(error.to_string()))?;
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Array(_) => return Err(ExtraBodyError::NotAnObject("a list")),
            Value::String(_) => return Err(ExtraBodyError::NotAnObject("a text")),
            _ => return Err(ExtraBodyError::NotAnObject("a single value")),
        };
        for name in fields.keys() {
            let taken = TAKEN.iter().find(|(names, _)| names.contains(&&**name));
            if let Some((_, reason)) = taken {
                return Err(ExtraBodyError::Taken {
                    name: name.clone(),
                    reason,
                });
            }
        }
        if let Some(name) = secret(&fields) {
            return Err(ExtraBodyError::Secret(name.clone()));
        }
        Ok(Self(fields))
    }
}

impl std::fmt::Display for ExtraBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Value::Object(self.0.clone()).to_string())
    }
}

impl ExtraBody {
    /// The fields as they end a request's body, each after a comma.
    pub(super) fn fields(&self) -> String {
        let field = |(name, value): (&String, &Value)| format!(",{}:{value}", Value::from(&**name));
        self.0.iter().map(field).collect()
    }

    /// The same JSON for the same fields, in whatever order they were given.
    pub(super) fn canonical(&self) -> String {
        let mut value = Value::Object(self.0.clone());
        value.sort_all_objects();
        value.to_string()
    }

    /// Whether the fields set this one.
    pub fn sets(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a name or a text in the fields, at any depth, meets the condition.
    pub(super) fn holds(&self, is: impl Fn(&str) -> bool) -> bool {
        fn any(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
            match value {
                Value::Object(fields) => fields
                    .iter()
                    .any(|(name, value)| is(name) || any(value, is)),
                Value::Array(list) => list.iter().any(|value| any(value, is)),
                Value::String(text) => is(text),
                _ => false,
            }
        }
        let is: &dyn Fn(&str) -> bool = &is;
        self.0
            .iter()
            .any(|(name, value)| is(name) || any(value, is))
    }

    /// Adds the fields to a request.
    pub(super) fn add_to(&self, body: &mut Map<String, Value>) {
        body.extend(self.0.clone());
    }
}

/// The first name, at any depth, under which a secret is sent.
fn secret(fields: &Map<String, Value>) -> Option<&String> {
    fields.iter().find_map(|(name, value)| {
        let lower = name.to_lowercase().replace('-', "_");
        let is_key = matches!(
            lower.as_str(),
            "key" | "token" | "access_token" | "auth_token" | "auth" | "bearer"
        );
        if is_key || SECRETS.iter().any(|part| lower.contains(part)) {
            return Some(name);
        }
        within(name, value)
    })
}

/// The name of a secret in the value called `name`: a text may show by itself that it is one.
fn within<'a>(name: &'a String, value: &'a Value) -> Option<&'a String> {
    match value {
        Value::Object(fields) => secret(fields),
        Value::Array(list) => list.iter().find_map(|value| within(name, value)),
        Value::String(text) => text.to_lowercase().starts_with("bearer ").then_some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_scoring_and_secrets_are_refused_by_name() {
        let refused = |text: &str| text.parse::<ExtraBody>().unwrap_err().to_string();
        for (text, words) in [
            ("{\"temperature\": 1}", "\"temperature\" cannot be set"),
            ("{\"x\": 1, \"max_tokens\": 9}", "one token"),
            ("{\"logit_bias\": {}}", "whole vocabulary"),
            (
                "{\"headers\": {\"Api-Key\": \"sk\"}}",
                "looks like a secret",
            ),
            (
                "{\"x\": [{\"credentials\": \"sk\"}]}",
                "\"credentials\" looks like a secret",
            ),
            ("{\"x\": [\"Bearer sk\"]}", "\"x\" looks like a secret"),
            ("[1]", "a JSON object is needed, a list found"),
            ("{\"x\": ", "line 1"),
        ] {
            assert!(refused(text).contains(words), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn the_same_fields_have_the_same_name_whatever_their_order() {
        let one: ExtraBody = "{\"b\": {\"y\": 1, \"x\": 2}, \"a\": \"q\\\"\"}"
            .parse()
            .unwrap();
        let other: ExtraBody = "{\"a\":\"q\\\"\",\"b\":{\"x\":2,\"y\":1}}".parse().unwrap();
        assert_eq!(one.canonical(), other.canonical());
        let body: Value = serde_json::from_str(&format!("{{\"m\":1{}}}", one.fields())).unwrap();
        assert_eq!(body["b"]["x"], 2);
        assert_eq!(body["a"], "q\"");
    }
}
