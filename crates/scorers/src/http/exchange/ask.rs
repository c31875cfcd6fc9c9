//! The bodies of requests.

use std::fmt::Write;

use serde_json::Value;

use super::super::extra::ExtraBody;
use super::super::lenient;
use super::super::secret::Scrubber;
use super::super::status::{EXCERPT, failure_within};
use super::super::transport::{Client, Endpoint, Resource};
use super::super::wire::Response;
use super::{Dialect, Route, quoted, success};
use crate::ScoreError;

/// A request to one model, without its prompt.
#[derive(Clone)]
pub(in crate::http) struct RequestTemplate {
    pub(super) route: Route,
    /// How many of the most probable tokens to ask for.
    pub(super) top: u32,
    /// Up to the prompt.
    pub(super) opening: String,
    sampling: Sampling,
    /// Further fields that the user gave, each after a comma.
    extra: String,
    /// Bypasses the prefix cache of llama.cpp. Most other servers ignore this.
    uncached: bool,
    dialect: Dialect,
}

/// The sampling settings of a request. They change no log-probability on most servers; where they
/// do, neutral values switch off the server's own ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::http) enum Sampling {
    /// Temperature 0 alone.
    #[default]
    Greedy,
    /// Temperature 0 and neutral penalties.
    Neutral,
    /// Temperature 1, neutral penalties and no truncation, for a server whose temperature 0 leaves
    /// the best token alone.
    Warm,
}

impl Sampling {
    /// The name in the model's identity: what these values switch off.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Greedy => "none",
            Self::Neutral => "penalties",
            Self::Warm => "penalties, temperature 0",
        }
    }

    fn temperature(self) -> u8 {
        match self {
            Self::Greedy | Self::Neutral => 0,
            Self::Warm => 1,
        }
    }

    /// The fields but for the temperature, each after a comma, in the names of vLLM, `SGLang` and
    /// llama.cpp. Penalties count for temperature 0 too; truncation does not.
    fn fields(self) -> &'static str {
        match self {
            Self::Greedy => "",
            Self::Neutral => {
                ",\"repetition_penalty\":1,\"repeat_penalty\":1,\
                 \"presence_penalty\":0,\"frequency_penalty\":0"
            }
            Self::Warm => {
                ",\"repetition_penalty\":1,\"repeat_penalty\":1,\
                 \"presence_penalty\":0,\"frequency_penalty\":0,\
                 \"top_p\":1,\"top_k\":-1,\"min_p\":0"
            }
        }
    }
}

/// Samplers would drop or move improbable tokens before llama.cpp reports their probabilities, and
/// each of them may be on by the server's own settings. Beyond the list without samplers, every one
/// is switched off by name, since not all honour the list.
const NO_SAMPLERS: &str = "\"temperature\":1,\"top_k\":0,\"top_p\":1,\"min_p\":0,\
    \"typical_p\":1,\"top_n_sigma\":-1,\"xtc_probability\":0,\"dynatemp_range\":0,\
    \"repeat_penalty\":1,\"presence_penalty\":0,\"frequency_penalty\":0,\"dry_multiplier\":0,\
    \"mirostat\":0,\"adaptive_target\":-1,\"backend_sampling\":false,\"grammar\":\"\",\
    \"samplers\":[\"temperature\"]";
/// What version 0.1.0 sent, which leaves penalties and rarer samplers as the server has them.
const SOME_SAMPLERS: &str = "\"temperature\":1,\"top_k\":0,\"top_p\":1,\"min_p\":0";

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
            sampling: Sampling::default(),
            extra: String::new(),
            uncached: false,
            dialect: Dialect::default(),
        }
    }

    /// The same request, as the server wants it.
    pub(in crate::http) fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The same request with these sampling settings.
    pub(in crate::http) fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// The same request with further fields of the user.
    pub(in crate::http) fn extra(mut self, extra: Option<&ExtraBody>) -> Self {
        self.extra = extra.map_or_else(String::new, ExtraBody::fields);
        self
    }

    /// The same request, bypassing the prefix cache of llama.cpp.
    pub(in crate::http) fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    /// Whether the user gave further fields.
    pub(in crate::http) fn has_extra(&self) -> bool {
        !self.extra.is_empty()
    }

    pub(in crate::http) fn route(&self) -> Route {
        self.route
    }

    pub(in crate::http) fn top(&self) -> u32 {
        self.top
    }

    /// The body after the prompt: asks for the next token and, if given, the `top` most probable.
    pub(in crate::http) fn ending(&self, top: Option<u32>) -> String {
        self.ending_with(top, &self.settings())
    }

    /// The same for these tokens, which the answer names by number.
    pub(in crate::http) fn by_number_ending(&self, ids: &[(u32, usize)]) -> String {
        let settings = format!(
            "{},\"logprob_token_ids\":{},\"return_tokens_as_token_ids\":true",
            self.settings(),
            numbers(ids)
        );
        match self.route {
            // The minimum: the sampled token.
            Route::Completions => self.ending_with(Some(1), &settings),
            Route::Chat => {
                let (limit, tokens) = self.dialect.limit();
                let extra = &self.extra;
                format!("}}],\"{limit}\":{tokens},\"logprobs\":true{settings}{extra}}}")
            }
        }
    }

    /// The same for the relative probabilities of these tokens, from llama.cpp.
    pub(in crate::http) fn biased_ending(&self, ids: &[(u32, usize)]) -> String {
        self.biased_with(ids, NO_SAMPLERS)
    }

    /// The same as version 0.1.0 asked, bent by the server's own sampler settings.
    pub(in crate::http) fn bendable_ending(&self, ids: &[(u32, usize)]) -> String {
        self.biased_with(ids, SOME_SAMPLERS)
    }

    fn biased_with(&self, ids: &[(u32, usize)], samplers: &str) -> String {
        let mut bias = String::new();
        for (id, _) in ids {
            let _ = write!(
                bias,
                "{}\"{id}\":100",
                if bias.is_empty() { "" } else { "," }
            );
        }
        let settings =
            format!(",{samplers},\"post_sampling_probs\":true,\"logit_bias\":{{{bias}}}");
        self.ending_with(Some(ids.len() as u32), &settings)
    }

    /// The body after the prompt, for `SGLang`'s own route.
    pub(in crate::http) fn generate_ending(ids: &[(u32, usize)]) -> String {
        format!(
            ",\"sampling_params\":{{\"max_new_tokens\":1,\"temperature\":0,\
             \"repetition_penalty\":1,\"presence_penalty\":0,\"frequency_penalty\":0}},\
             \"return_logprob\":true,\"token_ids_logprob\":{}}}",
            numbers(ids)
        )
    }

    /// The sampling settings, each after a comma.
    fn settings(&self) -> String {
        let mut text = String::new();
        if self.dialect.sets_temperature() {
            let _ = write!(text, ",\"temperature\":{}", self.sampling.temperature());
        }
        text + self.sampling.fields()
    }

    fn ending_with(&self, top: Option<u32>, settings: &str) -> String {
        let mut text = String::new();
        if self.route == Route::Chat {
            text.push_str("}]");
        }
        let (limit, tokens) = self.dialect.limit();
        let _ = write!(text, ",\"{limit}\":{tokens}{settings}");
        if self.uncached {
            text.push_str(",\"cache_prompt\":false");
        }
        if let Some(top) = top {
            let _ = match self.route {
                Route::Completions => write!(text, ",\"logprobs\":{top}"),
                Route::Chat => write!(text, ",\"logprobs\":true,\"top_logprobs\":{top}"),
            };
        }
        text.push_str(&self.extra);
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

/// The JSON of a response with a success status, unless it is an error.
pub(in crate::http) fn json(endpoint: &Endpoint, response: &Response) -> Result<Value, ScoreError> {
    let scrubber = endpoint.scrubber();
    let answer =
        lenient::read(&response.body).map_err(|error| no_json(&error, response, scrubber))?;
    match failure_within(&answer, &response.headers, scrubber) {
        Some(error) => Err(error),
        None => Ok(answer),
    }
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
