//! The token numbers of the letters, from the server's own tokenizer.

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use super::super::exchange::{Route, Spellings};
use super::super::transport::{Endpoint, Resource, Transport};
use super::ask_again;

/// The text before the answer in every prompt.
const BEFORE: &str = "Answer:";
/// Maximum requests to the tokenizer at once.
const AT_ONCE: usize = 8;

/// `POST /tokenize` at the server's root: llama.cpp, vLLM and `SGLang` have it.
pub(in crate::http) struct Tokenizer<'a> {
    transport: &'a Transport,
    endpoint: &'a Endpoint,
    resource: Resource,
    model: &'a str,
}

impl<'a> Tokenizer<'a> {
    pub(in crate::http) fn new(
        transport: &'a Transport,
        endpoint: &'a Endpoint,
        model: &'a str,
    ) -> Self {
        let resource = endpoint.post(endpoint.base().root_route("tokenize"));
        Self {
            transport,
            endpoint,
            resource,
            model,
        }
    }

    /// The server's whole answer for `text`, with or without special tokens such as BOS.
    pub(in crate::http) async fn ask(&self, text: &str, special: bool) -> Option<Value> {
        let body = tokenizing(self.model, text, special).to_string();
        let answered = ask_again(
            self.transport,
            self.endpoint,
            &self.resource,
            body.as_bytes(),
        );
        answered.await.ok()
    }

    pub(in crate::http) async fn tokens(&self, text: &str, special: bool) -> Option<Vec<u32>> {
        let answer = self.ask(text, special).await?;
        let listed = answer.get("tokens")?.as_array()?;
        let number = |token: &Value| u32::try_from(token.as_u64()?).ok();
        listed.iter().map(number).collect()
    }

    /// The one token that `text` adds after `before`, whose tokens are `known`.
    async fn added(&self, before: &str, known: &[u32], text: &str) -> Option<u32> {
        let both = self.tokens(&format!("{before}{text}"), false).await?;
        match both.strip_prefix(known)? {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// The body of a request to a tokenizer, with or without special tokens such as BOS.
pub(in crate::http) fn tokenizing(model: &str, text: &str, special: bool) -> Value {
    // llama.cpp reads `content` and `add_special`, the others `prompt` and the longer name.
    json!({
        "model": model, "prompt": text, "content": text,
        "add_special": special, "add_special_tokens": special,
    })
}

/// The number of tokens in a tokenizer's answer.
pub(in crate::http) fn listed_tokens(answer: &Value) -> Option<u32> {
    let listed = answer.get("tokens").and_then(Value::as_array);
    let count = match listed {
        Some(tokens) => tokens.len() as u64,
        None => answer.get("count")?.as_u64()?,
    };
    u32::try_from(count).ok()
}

/// The numbers of every letter with and without a space before it, as they follow a prompt: a
/// tokenizer may spell a letter differently at the start of a text. Empty where the server has no
/// tokenizer to ask.
pub(in crate::http) async fn spellings(tokenizer: &Tokenizer<'_>, route: Route) -> Spellings {
    let Some(before) = tokenizer.tokens(BEFORE, false).await else {
        return Spellings::default();
    };
    let Some(line) = tokenizer.tokens("\n", false).await else {
        return Spellings::default();
    };
    let before = before.as_slice();
    let line = line.as_slice();
    let letter = |letter: char| async move {
        let spaced = tokenizer.added(BEFORE, before, &format!(" {letter}")).await;
        let bare = letter.to_string();
        let plain = match tokenizer.added(BEFORE, before, &bare).await {
            // A colon and a letter may be one token: a chat answer opens a line instead.
            None => tokenizer.added("\n", line, &bare).await,
            found => found,
        };
        // The likelier one first: a chat model's turn begins without a space.
        let mut ids: Vec<u32> = match route {
            Route::Completions => [spaced, plain],
            Route::Chat => [plain, spaced],
        }
        .into_iter()
        .flatten()
        .collect();
        ids.dedup();
        (bare, ids)
    };
    let asked = ('A'..='Z').map(letter);
    let found: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    Spellings(
        found
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_in_every_shape() {
        assert_eq!(listed_tokens(&json!({"tokens": [1, 2, 3]})), Some(3));
        assert_eq!(
            listed_tokens(&json!({"count": 4, "max_model_len": 8})),
            Some(4)
        );
        let pieces = json!({"tokens": [{"id": 1, "piece": "A"}, {"id": 2, "piece": "B"}]});
        assert_eq!(listed_tokens(&pieces), Some(2));
        assert_eq!(listed_tokens(&json!({"tokens": []})), Some(0));
        for none in [json!({}), json!({"error": "no"})] {
            assert_eq!(listed_tokens(&none), None);
        }
    }
}
