//! Routes, limits and ways to steer generation.

use serde_json::{Map, Value, json};

use super::super::connect_error::lacks;
use super::super::exchange::{Dialect, Route, Spellings};
use super::super::options::HttpOptions;
use super::super::probe::{PROMPTS, Tokenizer, ask_again};
use super::super::transport::{Endpoint, Transport};
use super::report::{Bos, Routes};
use crate::ScoreError;

/// Counts of log-probabilities to try beyond that of a run.
const COUNTS: [u32; 6] = [1000, 500, 200, 100, 50, 20];
/// An improbable answer to the probe's prompt, so that only a constraint can produce it.
const UNLIKELY: &str = "F";

/// Requests for the single findings.
pub(super) struct Examination<'a> {
    transport: &'a Transport,
    endpoint: &'a Endpoint,
    options: &'a HttpOptions,
    model: &'a str,
    dialect: Dialect,
}

/// Ways to steer generation; `None` if unknown.
pub(super) struct Abilities {
    pub(super) logit_bias: Option<bool>,
    pub(super) grammar: Option<bool>,
    pub(super) structured_choice: Option<bool>,
}

impl<'a> Examination<'a> {
    pub(super) fn new(
        transport: &'a Transport,
        endpoint: &'a Endpoint,
        options: &'a HttpOptions,
        model: &'a str,
    ) -> Self {
        Self {
            transport,
            endpoint,
            options,
            model,
            dialect: Dialect::default(),
        }
    }

    /// The same requests, as the server wants them.
    pub(super) fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// One token after the probe's prompt, with `settings` added.
    async fn generate(&self, route: Route, settings: Value) -> Result<Value, ScoreError> {
        let (limit, tokens) = self.dialect.limit();
        let mut body = json!({"model": self.model, limit: tokens});
        if self.dialect.sets_temperature() {
            body["temperature"] = 0.into();
        }
        match route {
            Route::Completions => body["prompt"] = PROMPTS[0].into(),
            Route::Chat => {
                body["messages"] = json!([{"role": "user", "content": PROMPTS[0]}]);
            }
        }
        if let (Value::Object(body), Value::Object(settings)) = (&mut body, settings) {
            if let Some(extra) = &self.options.extra_body {
                extra.add_to(body);
            }
            body.extend(settings);
        }
        let url = self.endpoint.base().route(route.path());
        let resource = self.endpoint.post(url);
        let body = body.to_string();
        ask_again(self.transport, self.endpoint, &resource, body.as_bytes()).await
    }

    async fn get(&self, route: &str) -> Option<Value> {
        let resource = self.endpoint.get(self.endpoint.base().root_route(route));
        ask_again(self.transport, self.endpoint, &resource, b"")
            .await
            .ok()
    }

    pub(super) async fn routes(&self) -> Routes {
        let mut routes = Routes::default();
        for route in [Route::Completions, Route::Chat] {
            let answer = self.generate(route, json!({})).await;
            let answers = match route {
                Route::Completions => &mut routes.completions,
                Route::Chat => &mut routes.chat,
            };
            match answer {
                Ok(answer) => *answers = answer.get("choices").is_some(),
                Err(ScoreError::NotFound { .. }) => {}
                Err(ScoreError::Rejected { status, .. }) if lacks(status) => {}
                // The route is there all the same.
                Err(error) => {
                    let error = self.endpoint.scrubbed(error).to_string();
                    routes.failing.insert(route.path().to_owned(), error);
                }
            }
        }
        let native = self
            .endpoint
            .post(self.endpoint.base().root_route("completion"));
        let body = json!({"prompt": PROMPTS[0], "n_predict": 1}).to_string();
        let own = ask_again(self.transport, self.endpoint, &native, body.as_bytes()).await;
        routes.native = own.is_ok_and(|answer| answer.get("content").is_some());
        routes
    }

    /// The largest accepted count of log-probabilities, at least `known`.
    pub(super) async fn largest_count(&self, route: Route, known: u32) -> u32 {
        for count in COUNTS.into_iter().filter(|&count| count > known) {
            let settings = match route {
                Route::Completions => json!({"logprobs": count}),
                Route::Chat => json!({"logprobs": true, "top_logprobs": count}),
            };
            if self.generate(route, settings).await.is_ok() {
                return count;
            }
        }
        known
    }

    pub(super) async fn abilities(&self, route: Route, letters: &Spellings) -> Abilities {
        // Most servers silently ignore unknown constraints, so the output decides.
        let obeys = async |settings: Value| {
            let answer = self.generate(route, settings).await.ok()?;
            let choice = answer.pointer("/choices/0")?;
            let text = choice
                .get("text")
                .or_else(|| choice.pointer("/message/content"));
            Some(text?.as_str()?.trim().starts_with(UNLIKELY))
        };
        let ids = letters.0.get(UNLIKELY).map_or(&[][..], Vec::as_slice);
        let bias: Map<String, Value> = ids
            .iter()
            .map(|id| (id.to_string(), Value::from(100)))
            .collect();
        let logit_bias = if bias.is_empty() {
            None
        } else {
            Some(obeys(json!({"logit_bias": bias})).await.unwrap_or(false))
        };
        // Two tokens, since a space may be one of its own. An error counts as unsupported.
        let grammar =
            json!({"max_tokens": 2, "grammar": format!("root ::= \" \"? \"{UNLIKELY}\"")});
        let choices = [UNLIKELY.to_owned(), format!(" {UNLIKELY}")];
        let choice = json!({"max_tokens": 2, "structured_outputs": {"choice": choices}});
        Abilities {
            logit_bias,
            grammar: Some(obeys(grammar).await.unwrap_or(false)),
            structured_choice: Some(obeys(choice).await.unwrap_or(false)),
        }
    }

    /// Context length, from llama.cpp's properties or vLLM's tokenizer.
    pub(super) async fn context(&self, tokenizer: &Tokenizer<'_>) -> Option<u32> {
        let number = |value: &Value, path: &str| {
            let number = value.pointer(path).and_then(Value::as_u64);
            number.and_then(|number| u32::try_from(number).ok())
        };
        if let Some(props) = self.get("props").await {
            let found = number(&props, "/default_generation_settings/n_ctx");
            if found.is_some() {
                return found;
            }
        }
        let answer = tokenizer.ask("A", false).await?;
        number(&answer, "/max_model_len")
    }

    /// Whether prompts get a BOS token: compares the tokenizer with the count of a real prompt.
    pub(super) async fn bos(&self, tokenizer: &Tokenizer<'_>) -> Option<Bos> {
        let plain = tokenizer.tokens(PROMPTS[0], false).await?;
        let answer = self.generate(Route::Completions, json!({})).await.ok()?;
        let count = answer.pointer("/usage/prompt_tokens")?.as_u64()? as usize;
        let props = self.get("props").await;
        let bos = props
            .as_ref()
            .and_then(|props| props.get("bos_token")?.as_str());
        let doubled = match bos.filter(|bos| !bos.is_empty()) {
            Some(bos) => {
                let opened = tokenizer.tokens(&format!("{bos}A"), true).await;
                opened.map(|tokens| tokens.len() > 1 && tokens[0] == tokens[1])
            }
            None => None,
        };
        Some(Bos {
            added: count > plain.len(),
            doubled,
        })
    }
}
