//! Interpreting requests.

use std::sync::Arc;

use serde_json::Value;

use crate::script::Dialect;
use crate::wire::Request;

/// The route of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Models,
    Completions,
    Chat,
    /// `OpenAI`'s Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// llama.cpp's own.
    Native,
    Props,
    Health,
    Unknown,
}

impl Route {
    fn of(path: &str, dialect: Dialect) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let llama_cpp = dialect == Dialect::LlamaCpp;
        match path {
            "/v1/models" => Self::Models,
            "/v1/completions" => Self::Completions,
            "/v1/chat/completions" => Self::Chat,
            "/v1/responses" => Self::Responses,
            "/v1/messages" => Self::Messages,
            "/health" => Self::Health,
            "/completion" if llama_cpp => Self::Native,
            "/props" if llama_cpp => Self::Props,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Completions | Self::Chat | Self::Native | Self::Responses | Self::Messages => {
                "POST"
            }
            Self::Models | Self::Props | Self::Health | Self::Unknown => "GET",
        }
    }
}

/// The field that limits an answer's tokens, in each protocol.
const LIMITS: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// A request's route, prompts and options.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) route: Route,
    /// The prompts to score; may be empty.
    pub(crate) prompts: Arc<[Arc<str>]>,
    /// Whether they came as a list.
    pub(crate) is_list: bool,
    /// Number of log-probabilities.
    pub(crate) top: Option<u64>,
    /// Number of answers to each prompt.
    pub(crate) n: u64,
    /// Maximum number of tokens of an answer.
    pub(crate) limit: Option<u64>,
}

impl Wanted {
    pub(crate) fn of(request: &Request, dialect: Dialect) -> Self {
        let route = Route::of(&request.path, dialect);
        let empty = Value::Null;
        let body = request.body.as_ref().unwrap_or(&empty);
        let (prompts, is_list) = match route {
            Route::Completions | Route::Native => prompts(&body["prompt"]),
            Route::Chat | Route::Messages => (conversation(&body["messages"]), false),
            Route::Responses => prompts(&body["input"]),
            _ => (Vec::new(), false),
        };
        let top = match route {
            Route::Chat if body["logprobs"] == Value::Bool(true) => {
                Some(body["top_logprobs"].as_u64().unwrap_or(0))
            }
            Route::Completions => body["logprobs"].as_u64(),
            Route::Native => body["n_probs"].as_u64().filter(|&n| n > 0),
            _ => None,
        };
        Self {
            route,
            prompts: prompts.into(),
            is_list,
            top,
            n: body["n"].as_u64().unwrap_or(1),
            limit: LIMITS.iter().find_map(|name| body[*name].as_u64()),
        }
    }
}

/// The prompts of a completions request, and whether they are a list. A list with anything but
/// texts counts as empty.
fn prompts(value: &Value) -> (Vec<Arc<str>>, bool) {
    match value {
        Value::String(prompt) => (vec![prompt.as_str().into()], false),
        Value::Array(list) => {
            let texts = list.iter().map(|prompt| prompt.as_str().map(Arc::from));
            (texts.collect::<Option<_>>().unwrap_or_default(), true)
        }
        _ => (Vec::new(), false),
    }
}

/// A conversation is one prompt: its messages' texts, one per line.
fn conversation(messages: &Value) -> Vec<Arc<str>> {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Option<Vec<&str>> = messages.iter().map(|m| m["content"].as_str()).collect();
    match texts {
        Some(texts) if !texts.is_empty() => vec![texts.join("\n").into()],
        _ => Vec::new(),
    }
}
