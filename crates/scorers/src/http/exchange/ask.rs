//! The bodies of requests.

use std::fmt::Write;

use serde_json::Value;

use super::super::lenient;
use super::super::secret::Scrubber;
use super::super::status::EXCERPT;
use super::super::transport::{Client, Endpoint, Resource};
use super::super::wire::Response;
use super::{Dialect, Route, quoted, success};
use crate::ScoreError;

/// A request to one model, without its prompt.
pub(in crate::http) struct RequestTemplate {
    pub(super) route: Route,
    /// How many of the most probable tokens to ask for.
    pub(super) top: u32,
    /// Up to the prompt.
    pub(super) opening: String,
    /// Bypasses the prefix cache of llama.cpp. Most other servers ignore this.
    uncached: bool,
    dialect: Dialect,
}

impl RequestTemplate {
    pub(in crate::http) fn new(route: Route, model: &str, top: u32) -> Self {
        let model = quoted(model);
        let opening = match route {
            Route::Completions => format!("{{\"model\":{model},\"prompt\":"),
            Route::Chat => {
                format!("{{\"model\":{model},\"messages\":[{{\"role\":\"user\",\"content\":")
            }
        };
        Self {
            route,
            top,
            opening,
            uncached: false,
            dialect: Dialect::default(),
        }
    }

    /// The same request, as the server wants it.
    pub(in crate::http) fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The same request, bypassing the prefix cache of llama.cpp.
    pub(in crate::http) fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    pub(in crate::http) fn route(&self) -> Route {
        self.route
    }

    pub(in crate::http) fn top(&self) -> u32 {
        self.top
    }

    /// The body after the prompt: asks for the next token and, if given, the `top` most probable.
    pub(in crate::http) fn ending(&self, top: Option<u32>) -> String {
        let settings = if self.dialect.sets_temperature() {
            "\"temperature\":0"
        } else {
            ""
        };
        self.ending_with(top, settings)
    }

    /// The same for these tokens, which the answer names by number.
    pub(in crate::http) fn by_number_ending(&self, ids: &[(u32, usize)]) -> String {
        let settings = format!(
            "\"temperature\":0,\"logprob_token_ids\":{},\"return_tokens_as_token_ids\":true",
            numbers(ids)
        );
        match self.route {
            // The minimum: the sampled token.
            Route::Completions => self.ending_with(Some(1), &settings),
            Route::Chat => {
                let (limit, tokens) = self.dialect.limit();
                format!("}}],\"{limit}\":{tokens},\"logprobs\":true,{settings}}}")
            }
        }
    }

    /// The same for the relative probabilities of these tokens, from llama.cpp.
    pub(in crate::http) fn biased_ending(&self, ids: &[(u32, usize)]) -> String {
        let mut bias = String::new();
        for (id, _) in ids {
            let _ = write!(
                bias,
                "{}\"{id}\":100",
                if bias.is_empty() { "" } else { "," }
            );
        }
        // Samplers would drop improbable tokens before their probabilities are reported.
        let settings = format!(
            "\"temperature\":1,\"top_k\":0,\"top_p\":1,\"min_p\":0,\"post_sampling_probs\":true,\
             \"logit_bias\":{{{bias}}}"
        );
        self.ending_with(Some(ids.len() as u32), &settings)
    }

    /// The body after the prompt, for `SGLang`'s own route.
    pub(in crate::http) fn generate_ending(ids: &[(u32, usize)]) -> String {
        format!(
            ",\"sampling_params\":{{\"max_new_tokens\":1,\"temperature\":0}},\
             \"return_logprob\":true,\"token_ids_logprob\":{}}}",
            numbers(ids)
        )
    }

    fn ending_with(&self, top: Option<u32>, settings: &str) -> String {
        let mut text = String::new();
        if self.route == Route::Chat {
            text.push_str("}]");
        }
        let (limit, tokens) = self.dialect.limit();
        let _ = write!(text, ",\"{limit}\":{tokens}");
        if !settings.is_empty() {
            let _ = write!(text, ",{settings}");
        }
        if self.uncached {
            text.push_str(",\"cache_prompt\":false");
        }
        if let Some(top) = top {
            let _ = match self.route {
                Route::Completions => write!(text, ",\"logprobs\":{top}"),
                Route::Chat => write!(text, ",\"logprobs\":true,\"top_logprobs\":{top}"),
            };
        }
        text.push('}');
        text
    }

    /// A whole body: the prompt, and an ending of this type.
    pub(in crate::http) fn whole(&self, prompt: &str, ending: &str) -> String {
        format!("{}{}{ending}", self.opening, quoted(prompt))
    }

    /// A whole body for `SGLang`'s own route.
    pub(in crate::http) fn whole_generate(prompt: &str, ids: &[(u32, usize)]) -> String {
        format!(
            "{{\"text\":{}{}",
            quoted(prompt),
            Self::generate_ending(ids)
        )
    }

    /// A whole body for a list of prompts.
    pub(in crate::http) fn whole_list(&self, prompts: &[&str], ending: &str) -> String {
        format!("{}{}{ending}", self.opening, Value::from(prompts.to_vec()))
    }
}

fn numbers(ids: &[(u32, usize)]) -> String {
    let ids: Vec<u32> = ids.iter().map(|&(id, _)| id).collect();
    format!("{ids:?}").replace(' ', "")
}

/// Sends a request and returns the JSON of a successful answer.
pub(in crate::http) async fn ask(
    client: &impl Client,
    endpoint: &Endpoint,
    resource: &Resource,
    body: &[u8],
) -> Result<Value, ScoreError> {
    let response = client.send(resource, body).await?.response;
    success(endpoint, &response)?;
    json(endpoint, &response)
}

/// The JSON of a response.
pub(in crate::http) fn json(endpoint: &Endpoint, response: &Response) -> Result<Value, ScoreError> {
    lenient::read(&response.body).map_err(|error| no_json(&error, response, endpoint.scrubber()))
}

fn no_json(error: &serde_json::Error, response: &Response, scrubber: &Scrubber) -> ScoreError {
    let kind = response.headers.get("content-type");
    let kind = scrubber.excerpt(kind.unwrap_or("application/json"), 60);
    // A body may be huge; its beginning identifies it.
    let start = &response.body[..response.body.len().min(64 * 1024)];
    let text = scrubber.excerpt(&String::from_utf8_lossy(start), EXCERPT);
    let (line, column) = (error.line(), error.column());
    let reason = if nests_too_deep(error) {
        " (nested too deep)"
    } else {
        ""
    };
    ScoreError::Malformed {
        message: format!(
            "the body ({kind}) is not JSON{reason} at line {line}, column {column}: {text}"
        ),
    }
}

fn nests_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit")
}
