//! Counts the tokens of prompts by a server's own tokenizer, without asking the model.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::connect_error::ConnectError;
use super::exchange::Route;
use super::exchange::ask::ask;
use super::options::HttpOptions;
use super::prepare;
use super::probe::{Probe, Tokenizer, listed_tokens};
use super::sampled::Api;
use super::transport::{Endpoint, Transport};

/// Maximum requests to the tokenizer at once.
const AT_ONCE: usize = 4;

/// A server's tokenizer: that of llama.cpp, vLLM or `SGLang`.
///
/// It sends requests to `/v1/models`, `/tokenize` and, for chats with llama.cpp, `/apply-template`. The
/// model evaluates nothing.
pub struct TokenCounter {
    endpoint: Arc<Endpoint>,
    transport: Transport,
    options: HttpOptions,
    model: String,
}

impl TokenCounter {
    /// Looks up the model on the server, for prompts that will be sent through `api`. Does not wait for a
    /// server that is still loading.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, refuses the key or does not list the model.
    pub async fn connect(options: HttpOptions, api: Api) -> Result<Self, ConnectError> {
        let options = HttpOptions {
            loading_wait: Duration::ZERO,
            chat: api != Api::Completions,
            ..api.with_headers(options.with_own_key())
        };
        let (endpoint, transport) = prepare(&options)?;
        let mut probe = Probe::new(&transport, &endpoint, &options, Route::Completions);
        let listed = probe.models().await?;
        let model = probe.model(&listed)?;
        Ok(Self {
            endpoint,
            transport,
            options,
            model,
        })
    }

    /// The model's name, as the server lists it or as it was given.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The tokens of each prompt as the model reads it, special tokens and chat template included; `None`
    /// if the server does not tell them for every prompt.
    pub async fn count(&self, prompts: &[String]) -> Option<Vec<u32>> {
        // The first tells whether there is a tokenizer at all.
        let (first, rest) = prompts.split_first()?;
        let mut counts = vec![self.count_one(first).await?];
        let mut others =
            stream::iter(rest.iter().map(|prompt| self.count_one(prompt))).buffered(AT_ONCE);
        while let Some(count) = others.next().await {
            counts.push(count?);
        }
        Some(counts)
    }

    async fn count_one(&self, prompt: &str) -> Option<u32> {
        if !self.options.chat {
            return self.tokens(prompt).await;
        }
        let mut body = json!({"model": self.model, "add_generation_prompt": true,
            "messages": [{"role": "user", "content": prompt}]});
        if let (Value::Object(body), Some(extra)) = (&mut body, &self.options.extra_body) {
            let mut fields = Map::new();
            extra.add_to(&mut fields);
            body.extend(fields);
        }
        // llama.cpp lays the template out on a route of its own, vLLM within its tokenizer.
        let laid_out = self.post("apply-template", &body).await;
        match laid_out
            .as_ref()
            .and_then(|answer| answer.get("prompt")?.as_str())
        {
            Some(text) => self.tokens(text).await,
            None => number(&self.post("tokenize", &body).await?),
        }
    }

    async fn tokens(&self, text: &str) -> Option<u32> {
        let tokenizer = Tokenizer::new(&self.transport, &self.endpoint, &self.model);
        number(&tokenizer.ask(text, true).await?)
    }

    async fn post(&self, route: &str, body: &Value) -> Option<Value> {
        let resource = self.endpoint.post(self.endpoint.base().root_route(route));
        let body = body.to_string();
        let answer = ask(&self.transport, &self.endpoint, &resource, body.as_bytes()).await;
        answer.ok()
    }
}

/// The number of tokens in a tokenizer's answer; no prompt has none.
fn number(answer: &Value) -> Option<u32> {
    listed_tokens(answer).filter(|count| *count > 0)
}

impl std::fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCounter")
            .field("options", &self.options)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
