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
        // llama.cpp reads `content` and `add_special`, the others `prompt` and the longer name.
        let body = json!({
            "model": self.model, "prompt": text, "content": text,
            "add_special": special, "add_special_tokens": special,
        });
        let body = body.to_string();
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
