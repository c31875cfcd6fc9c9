//! Why a server cannot be used, found before the first question.

use std::borrow::Cow;

use sureness_hint::Hint;

use super::transport::{NO_TLS, THE_PROXY};
use crate::ScoreError;
use crate::error::NO_LOGPROBS_ALLOWED;

/// Why a server cannot be used. Addresses are shown without credentials and query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address is invalid.
    #[error("{given:?} is not a server address: {reason}")]
    Address {
        /// The given address.
        given: String,
        /// Why it is invalid.
        reason: String,
    },
    /// The user's own fields hold the key or the credentials of a header.
    #[error("--extra-body holds the API key or a header's value, and results name its fields")]
    KeyInBody,
    /// The HTTP client could not be set up.
    #[error("cannot set up an HTTP client for {url}: {message}")]
    Client {
        /// The address.
        url: String,
        /// What failed.
        message: String,
    },
    /// No connection.
    #[error("cannot reach {url}: {message}")]
    Unreachable {
        /// The address of the request.
        url: String,
        /// The network error.
        message: String,
    },
    /// The key is wrong or missing.
    #[error(
        "{url} refused the request {} (HTTP {status}): {message}",
        if *key_given { "with this API key" } else { "without an API key" }
    )]
    Unauthorized {
        /// The address of the request.
        url: String,
        /// HTTP status, 401 or 403.
        status: u16,
        /// Whether a key was given.
        key_given: bool,
        /// The server's message.
        message: String,
    },
    /// No model was named and the server lists several, or none.
    #[error("no model was named, and {url} {}", list_text(listed))]
    ChooseModel {
        /// The address of the request.
        url: String,
        /// The models that the server lists.
        listed: Vec<String>,
    },
    /// The server does not have the model.
    #[error("{url} has no model {model:?}{}; it {}", because(message.as_deref()), list_text(listed))]
    NoSuchModel {
        /// The address of the request.
        url: String,
        /// The requested model.
        model: String,
        /// The models that the server lists.
        listed: Vec<String>,
        /// The server's message, if it was asked.
        message: Option<String>,
    },
    /// The server does not have the route.
    #[error("{url} does not exist (HTTP {status}): {message}")]
    NoSuchRoute {
        /// The address of the request.
        url: String,
        /// HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The server is still loading its model.
    #[error("{url} was not ready after {seconds} s: {message}")]
    StillLoading {
        /// The address of the request.
        url: String,
        /// How long the probe waited.
        seconds: u64,
        /// The server's last message.
        message: String,
    },
    /// The server's answers have no log-probabilities.
    #[error("{url} answers without log-probabilities{}", because(message.as_deref()))]
    NoLogprobs {
        /// The address of the request.
        url: String,
        /// The server's message on the request for them.
        message: Option<String>,
    },
    /// The server refuses the requested count of log-probabilities.
    #[error("{url} refuses {asked} log-probabilities per answer: {message}")]
    TopLogprobsRefused {
        /// The address of the request.
        url: String,
        /// The requested count.
        asked: u32,
        /// The server's message.
        message: String,
    },
    /// Any other failure of the first requests.
    #[error("{url}: {error}")]
    Probe {
        /// The address of the request.
        url: String,
        /// How it failed.
        error: ScoreError,
    },
}

/// Models shown: hosted services list hundreds.
const SHOWN_MODELS: usize = 20;

fn list_text(listed: &[String]) -> String {
    if listed.is_empty() {
        return "lists none".to_owned();
    }
    let shown = listed.len().min(SHOWN_MODELS);
    let rest = match listed.len() - shown {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("lists {}{rest}", listed[..shown].join(", "))
}

fn because(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!(": {message}"))
}

/// Whether the status says that the server does not have the route: it is gone, takes other methods
/// or is not implemented.
pub(super) fn lacks(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 501)
}

impl ConnectError {
    /// The error for a failed request to `url`.
    pub(super) fn at(url: String, key_given: bool, error: ScoreError) -> Self {
        match error {
            ScoreError::Unreachable { message, .. } => Self::Unreachable { url, message },
            ScoreError::TimedOut { seconds } => Self::Unreachable {
                url,
                message: format!("no answer within {seconds} s"),
            },
            ScoreError::Unauthorized { status, message } => Self::Unauthorized {
                url,
                status,
                key_given,
                message,
            },
            ScoreError::NotFound { message } => Self::NoSuchRoute {
                url,
                status: 404,
                message,
            },
            ScoreError::Rejected { status, message } if lacks(status) => Self::NoSuchRoute {
                url,
                status,
                message,
            },
            ScoreError::NoLogprobs => Self::NoLogprobs { url, message: None },
            error => Self::Probe { url, error },
        }
    }
}

impl Hint for ConnectError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Address { .. } => "give --api-base an address such as http://localhost:8000/v1",
            Self::KeyInBody => {
                "leave it out: the key and the headers go with every request by themselves"
            }
            Self::Client { .. } => "check the system's certificates and the proxy variables",
            Self::Unreachable { message, .. } if message.ends_with(NO_TLS) => {
                "write http:// instead of https:// in --api-base, or give the port that has TLS"
            }
            Self::Unreachable { message, .. } if message.starts_with(THE_PROXY) => {
                "check the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names; NO_PROXY lists hosts to reach without it"
            }
            Self::Unreachable { .. } => {
                "check that the server runs and that --api-base names its address"
            }
            Self::Unauthorized { .. } => {
                "give the right key with --api-key-env NAME or in SURENESS_API_KEY, or the header that the server wants with --header"
            }
            Self::ChooseModel { .. } => "name one with --model",
            Self::NoSuchModel { message: None, .. } => {
                "give --model one of the names that the server lists, or add --any-model if it answers to others, too"
            }
            Self::NoSuchModel { .. } => "give --model one of the names that the server lists",
            Self::NoSuchRoute { .. } => {
                "check the path in --api-base (most servers want /v1), or run `sureness doctor` to see which routes the server has: --chat uses chat completions"
            }
            Self::StillLoading { .. } => {
                "wait until the server has loaded its model, then start the same command again"
            }
            Self::NoLogprobs {
                message: Some(_), ..
            } => NO_LOGPROBS_ALLOWED,
            Self::NoLogprobs { .. } => {
                "use a server that returns log-probabilities, such as llama-server or vLLM, or a GGUF file with --gguf"
            }
            Self::TopLogprobsRefused { .. } => {
                "lower --top-logprobs, or leave it out to take as many as the server offers"
            }
            Self::Probe {
                error: ScoreError::Malformed { message },
                ..
            } if message.contains("speaks TLS") => {
                "write https:// instead of http:// in --api-base"
            }
            Self::Probe {
                error: ScoreError::Malformed { .. },
                ..
            } => "check that --api-base names an OpenAI-compatible API and not a web page",
            Self::Probe { error, .. } => return error.hint(),
        })
    }
}
