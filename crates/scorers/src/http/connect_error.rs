//! Why a server cannot be used, found before the first question.

use crate::ScoreError;

/// Why a server cannot be used. Addresses are shown without credentials and query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address is no address.
    #[error("{given:?} is no server address: {reason}")]
    Address {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up an HTTP client for {url}: {message}")]
    Client {
        /// The address.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// No connection.
    #[error("cannot reach {url}: {message}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What the network said.
        message: String,
    },
    /// The key is wrong or missing.
    #[error(
        "{url} refused the request {} (HTTP {status}): {message}",
        if *key_given { "with this API key" } else { "without an API key" }
    )]
    Unauthorized {
        /// What was asked.
        url: String,
        /// HTTP status, 401 or 403.
        status: u16,
        /// Whether a key was given.
        key_given: bool,
        /// What the server said.
        message: String,
    },
    /// No model was named and the server lists several, or none.
    #[error("no model was named, and {url} {}", list_text(listed))]
    ChooseModel {
        /// What was asked.
        url: String,
        /// The models that the server lists.
        listed: Vec<String>,
    },
    /// The server does not have the model.
    #[error("{url} has no model {model:?}: {message}; it {}", list_text(listed))]
    NoSuchModel {
        /// What was asked.
        url: String,
        /// The model that was named.
        model: String,
        /// The models that the server lists.
        listed: Vec<String>,
        /// What the server said.
        message: String,
    },
    /// The server does not have the route.
    #[error("there is no {url} (HTTP 404): {message}")]
    NoSuchRoute {
        /// What was asked.
        url: String,
        /// What the server said.
        message: String,
    },
    /// The server still loads its model.
    #[error("{url} was not ready after {seconds} s: {message}")]
    StillLoading {
        /// What was asked.
        url: String,
        /// How long it was given.
        seconds: u64,
        /// What the server said last.
        message: String,
    },
    /// The server answers without log-probabilities.
    #[error("{url} answers without log-probabilities{}", because(message.as_deref()))]
    NoLogprobs {
        /// What was asked.
        url: String,
        /// What the server said when asked for them.
        message: Option<String>,
    },
    /// The server does not give as many log-probabilities as asked for.
    #[error("{url} refuses {asked} log-probabilities per answer: {message}")]
    TopLogprobsRefused {
        /// What was asked.
        url: String,
        /// How many were asked for.
        asked: u32,
        /// What the server said.
        message: String,
    },
    /// Any other failure of the first requests.
    #[error("{url}: {error}")]
    Probe {
        /// What was asked.
        url: String,
        /// How it failed.
        error: ScoreError,
    },
}

fn list_text(listed: &[String]) -> String {
    if listed.is_empty() {
        return "lists none".to_owned();
    }
    format!("lists {}", listed.join(", "))
}

fn because(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!(": {message}"))
}

impl ConnectError {
    /// Places a failed request.
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
            ScoreError::NotFound { message } => Self::NoSuchRoute { url, message },
            ScoreError::NoLogprobs => Self::NoLogprobs { url, message: None },
            error => Self::Probe { url, error },
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => "give --api-base an address such as http://localhost:8000/v1",
            Self::Client { .. } => "check the system's certificates and the proxy variables",
            Self::Unreachable { .. } => {
                "check that the server runs and that --api-base names its address"
            }
            Self::Unauthorized { .. } => "give the right key with --api-key or in SURENESS_API_KEY",
            Self::ChooseModel { .. } => "name one with --model",
            Self::NoSuchModel { .. } => "give --model one of the names that the server lists",
            Self::NoSuchRoute { .. } => {
                "check the path in --api-base (most servers want /v1); a server without completions may have chat completions: try --chat, or leave it out"
            }
            Self::StillLoading { .. } => {
                "wait until the server has loaded its model, then start the same command again"
            }
            Self::NoLogprobs { .. } => {
                "use a server that returns log-probabilities, such as llama-server or vLLM, or a GGUF file with --gguf"
            }
            Self::TopLogprobsRefused { .. } => {
                "lower --top-logprobs, or leave it out to take as many as the server gives"
            }
            Self::Probe {
                error: ScoreError::Malformed { .. },
                ..
            } => "check that --api-base names an OpenAI-compatible API and not a web page",
            Self::Probe { error, .. } => error.hint(),
        }
    }
}
