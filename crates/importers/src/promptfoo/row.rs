//! One answer of a provider.

use serde_json::{Value, json};
use sureness_scorers::ScoreError;

use crate::error::Fault;
use crate::exchange::{Exchange, prompt, tokens};
use crate::json;
use crate::letter::Token;

/// Assertions that name the right answer.
const NAMING: [&str; 4] = ["equals", "icontains", "contains", "starts-with"];
/// Where a test may have its id.
const IDS: [&str; 3] = ["/vars/id", "/testCase/metadata/id", "/testIdx"];

/// A row of the results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(&'a Value);

impl<'a> Row<'a> {
    pub(super) fn new(row: &'a Value) -> Self {
        Self(row)
    }

    fn text(self, pointer: &str) -> Option<&'a str> {
        json::text(self.0, pointer)
    }

    /// What tells the provider from others.
    pub(super) fn provider(self) -> String {
        let names = ["/provider/label", "/provider/id", "/provider"];
        let name = names.iter().find_map(|pointer| self.text(pointer));
        name.unwrap_or_default().to_owned()
    }

    /// The model's name: the provider's label or id, unless it is an address, or the server's own.
    pub(super) fn model(self) -> Option<String> {
        self.named().map(str::to_owned).or_else(|| self.served())
    }

    /// The provider's label or id, unless it is an address.
    pub(super) fn named(self) -> Option<&'a str> {
        let names = ["/provider/label", "/provider/id", "/provider"];
        let mut names = names.iter().filter_map(|pointer| self.text(pointer));
        names.find(|name| !name.contains("://"))
    }

    /// The model that the server's answer names, if the provider is an address.
    pub(super) fn served(self) -> Option<String> {
        let raw = self.raw().filter(|_| self.named().is_none())?;
        Some(raw.get("model")?.as_str()?.to_owned())
    }

    pub(super) fn prompt_id(self) -> String {
        let id = self.text("/promptId").map(str::to_owned);
        id.unwrap_or_else(|| self.prompt_name())
    }

    pub(super) fn prompt_name(self) -> String {
        self.text("/prompt/label").unwrap_or_default().to_owned()
    }

    /// The request and its answer, with the field of its id.
    pub(super) fn exchange(self) -> Result<(&'static str, Exchange), Fault> {
        let found = IDS
            .iter()
            .find_map(|pointer| Some((*pointer, self.0.pointer(pointer)?)));
        let (field, id) = found.ok_or_else(|| crate::Problem::Missing.field("testIdx"))?;
        let field = field.trim_start_matches('/');
        let prompt = self.prompt();
        let (answer, correct) = self.judged(prompt.as_deref());
        let category = ["/vars/category", "/vars/subject"];
        let exchange = Exchange {
            id: json::id(id, field)?,
            category: category
                .iter()
                .find_map(|pointer| self.text(pointer))
                .map(str::to_owned),
            prompt,
            answer,
            said: self.raw().and_then(|raw| tokens::text_of_body(&raw)),
            tokens: self.tokens(),
            correct,
        };
        Ok((field, exchange))
    }

    /// The rendered prompt: a text, or a list of messages in JSON.
    fn prompt(self) -> Option<String> {
        let raw = self.text("/prompt/raw").or_else(|| self.text("/prompt"))?;
        let messages: Option<Vec<Value>> = serde_json::from_str(raw).ok();
        match messages {
            Some(messages) => prompt::of_body(&json!({"messages": messages})),
            None => Some(raw.to_owned()),
        }
    }

    /// The right answer, and whether the answer given is right: by the first assertion that names an
    /// option, or else by the variable `answer` and all assertions together.
    fn judged(self, prompt: Option<&str>) -> (Option<Value>, Option<bool>) {
        let parts = self.0.pointer("/gradingResult/componentResults");
        let parts = parts.and_then(Value::as_array);
        let options = prompt.map(prompt::options).unwrap_or_default();
        let naming = parts.into_iter().flatten().find_map(|part| {
            let kind = json::text(part, "/assertion/type")?;
            let rendered = part.pointer("/metadata/renderedAssertionValue");
            let value = rendered.or_else(|| part.pointer("/assertion/value"))?;
            let names =
                NAMING.contains(&kind) && (options.is_empty() || prompt::names(value, &options));
            names.then(|| (value.clone(), part.get("pass").and_then(Value::as_bool)))
        });
        match naming {
            Some((value, pass)) => (Some(value), pass),
            None => (
                self.0.pointer("/vars/answer").cloned(),
                self.0
                    .get("success")
                    .and_then(Value::as_bool)
                    .filter(|_| parts.is_some()),
            ),
        }
    }

    /// The server's whole answer, if the provider kept it.
    fn raw(self) -> Option<Value> {
        match self.0.pointer("/response/raw")? {
            Value::String(text) => serde_json::from_str(text).ok(),
            raw => Some(raw.clone()),
        }
    }

    fn tokens(self) -> Result<Vec<Token>, ScoreError> {
        let response = self.0.get("response").unwrap_or(&Value::Null);
        let error = response.get("error").or_else(|| match response {
            Value::Null => self.0.get("error"),
            _ => None,
        });
        if let Some(message) = error.and_then(tokens::message) {
            return Err(ScoreError::Backend { message });
        }
        if let Some(raw) = self.raw().filter(tokens::is_body) {
            return tokens::of_body(&raw);
        }
        let kept = ["/metadata/logprobs", "/logprobs"];
        let kept = kept.iter().find_map(|pointer| response.pointer(pointer));
        let kept = kept.ok_or(ScoreError::NoLogprobs)?;
        match kept {
            list @ Value::Array(_) => tokens::of_list(list),
            logprobs => tokens::of_body(&json!({"choices": [{"logprobs": logprobs}]})),
        }
    }

    /// Whether the row has the log-probabilities of the written tokens, and no others.
    pub(super) fn has_written_only(self) -> bool {
        let written = self.0.pointer("/response/logProbs");
        written.is_some_and(Value::is_array) && matches!(self.tokens(), Err(ScoreError::NoLogprobs))
    }
}
