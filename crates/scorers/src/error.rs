//! Why a prompt has no answer.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sureness_hint::Hint;

use crate::Opening;

/// Lists of fewer tokens may leave out letters that are not improbable.
const FEW_TOKENS: usize = 20;

/// What to do where a server refuses log-probabilities for this model, route or account.
pub(crate) const NO_LOGPROBS_ALLOWED: &str = "the server refuses log-probabilities for this model, route or account: \
     try the other route (--chat, or leave it out), another model or plan, or a server that returns \
     them, such as llama-server or vLLM";

/// A server that asks to wait longer than this decides how a run goes on.
const LONG_WAIT: Duration = Duration::from_secs(60);

/// Why one prompt has no answer. Stored with the question; never turned into a score.
///
/// Texts that come from a server are cut to a few hundred characters and never hold a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ScoreError {
    /// HTTP 429.
    #[error("the server is rate-limiting (HTTP 429{}){}", long_wait(*retry_after), after_colon(message))]
    RateLimited {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// The server's message, with its code.
        #[serde(default)]
        message: String,
    },
    /// No complete answer within the time limit.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The limit in seconds.
        seconds: u64,
    },
    /// No connection, or the connection broke.
    #[error("cannot reach the server: {message}")]
    Unreachable {
        /// The network error.
        message: String,
        /// Whether there was a connection, so that the request itself may have broken it.
        #[serde(default)]
        connected: bool,
    },
    /// HTTP 5xx, or a temporary 4xx: 408, 409 or 425.
    #[error("the server failed with HTTP {status}{}: {message}", in_brackets(*retry_after))]
    Server {
        /// HTTP status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// The server's message.
        message: String,
    },
    /// HTTP 401 or 403.
    #[error("the server refused the API key (HTTP {status}): {message}")]
    Unauthorized {
        /// HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The model or the route does not exist (HTTP 404).
    #[error("the server has no such model or route (HTTP 404): {message}")]
    NotFound {
        /// The server's message.
        message: String,
    },
    /// Any other HTTP 4xx.
    #[error("the server rejected the request (HTTP {status}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// A content filter, which is not the model, withheld the answer.
    #[error("a content filter withheld the answer{}", after_colon(message))]
    Filtered {
        /// The filter's message.
        message: String,
    },
    /// The prompt does not fit the model's context.
    #[error("the prompt is too long for the model's context{}", detail(*tokens, *limit))]
    ContextTooLong {
        /// Tokens of the prompt, where known.
        tokens: Option<u32>,
        /// Tokens that fit, where known.
        limit: Option<u32>,
    },
    /// The answer has no log-probabilities.
    #[error("the server's answer has no log-probabilities")]
    NoLogprobs,
    /// None of the option labels is among the returned tokens.
    #[error("{}", none_seen(*top_k, first))]
    NoOptionSeen {
        /// How many tokens were returned: 0 where the model ended its answer at once and the server
        /// leaves the end token out.
        top_k: usize,
        /// The most probable token.
        first: String,
        /// Whether the model was asked through its chat template.
        #[serde(default)]
        chat: bool,
    },
    /// None of the answers in words chooses an option.
    #[error("{}", none_chosen(*answers, *refused, *cut))]
    NoneChosen {
        /// Answers that were given.
        answers: u32,
        /// Of these, those that refuse.
        refused: u32,
        /// Of these, those that were cut.
        cut: u32,
    },
    /// The server cut the prompt, so that its answer is to another one.
    #[error("the server cut the prompt and answered the rest of it")]
    PromptCut,
    /// The answer could not be understood.
    #[error("malformed answer: {message}")]
    Malformed {
        /// What is wrong and where.
        message: String,
    },
    /// The backend itself failed.
    #[error("the backend failed: {message}")]
    Backend {
        /// What happened.
        message: String,
    },
}

/// What is wrong with an answer in which none of the option letters occurs.
fn none_seen(top_k: usize, first: &str) -> String {
    if top_k == 0 {
        return "the answer has no tokens and no log-probabilities: the model seems to end it at once"
            .to_owned();
    }
    format!(
        "none of the option letters is among the {top_k} most probable tokens (the first is {first:?})"
    )
}

/// What is wrong with answers in words of which none chooses an option.
fn none_chosen(answers: u32, refused: u32, cut: u32) -> String {
    let of_all = match answers {
        1 => "the answer chooses no option".to_owned(),
        _ => format!("none of {answers} answers chooses an option"),
    };
    let why: Vec<String> = [(refused, "refused"), (cut, "cut at the limit of tokens")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if why.is_empty() {
        return of_all;
    }
    format!("{of_all} ({})", why.join(", "))
}

/// The wait that a server asks for, if it is long.
fn long_wait(asked: Option<Duration>) -> String {
    let Some(asked) = asked.filter(|asked| *asked >= LONG_WAIT) else {
        return String::new();
    };
    format!(", asking to wait {}", in_words(asked))
}

fn in_brackets(asked: Option<Duration>) -> String {
    match long_wait(asked).strip_prefix(", ") {
        Some(words) => format!(" ({words})"),
        None => String::new(),
    }
}

/// A time in its largest unit, rounded up.
fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..=299 => format!("{seconds} s"),
        300..=10_799 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// Whether a refusal is about log-probabilities.
pub(crate) fn is_about_logprobs(message: &str) -> bool {
    let said = message.to_lowercase();
    said.contains("logprob") || said.contains("log prob") || said.contains("log-prob")
}

/// Whether a refusal is about a limit of tokens per minute.
fn is_about_rate(message: &str) -> bool {
    let said = message.to_lowercase();
    said.contains("tokens per min") || said.contains("(tpm)") || said.contains("rate limit")
}

fn after_colon(message: &str) -> String {
    if message.is_empty() {
        return String::new();
    }
    format!(": {message}")
}

fn detail(tokens: Option<u32>, limit: Option<u32>) -> String {
    match (tokens, limit) {
        (Some(tokens), Some(limit)) => format!(" ({tokens} tokens, {limit} fit)"),
        (Some(tokens), None) => format!(" ({tokens} tokens)"),
        (None, Some(limit)) => format!(" ({limit} tokens fit)"),
        (None, None) => String::new(),
    }
}

impl ScoreError {
    /// Whether asking again can help.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::TimedOut { .. }
                | Self::Unreachable { .. }
                | Self::Server { .. }
                | Self::Malformed { .. }
        )
    }

    /// Whether every further request would fail in the same way, so that a run should stop.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized { .. } | Self::NotFound { .. } | Self::NoLogprobs
        ) || self.is_quota_used_up()
    }

    /// Whether the account may ask nothing more, however long it waits. Some services call a limit
    /// per minute a quota, too, but then they say when to ask again.
    pub fn is_quota_used_up(&self) -> bool {
        let Self::RateLimited {
            retry_after: None,
            message,
        } = self
        else {
            return false;
        };
        let said = message.to_lowercase();
        [
            "insufficient_quota",
            "exceeded your current quota",
            "billing_hard_limit",
            "credit balance",
            "insufficient credit",
        ]
        .iter()
        .any(|words| said.contains(words))
    }

    /// Whether a proxy says that it sends nothing to the servers behind it for a while.
    fn is_cooling_down(&self) -> bool {
        matches!(self, Self::RateLimited { message, .. } if {
            let said = message.to_lowercase();
            said.contains("no deployments available") || said.contains("cooldown") || said.contains("cooling down")
        })
    }

    /// How long the server asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// A short stable name for tables and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::TimedOut { .. } => "timed_out",
            Self::Unreachable { .. } => "unreachable",
            Self::Server { .. } => "server",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotFound { .. } => "not_found",
            Self::Rejected { .. } => "rejected",
            Self::Filtered { .. } => "filtered",
            Self::ContextTooLong { .. } => "context_too_long",
            Self::NoLogprobs => "no_logprobs",
            Self::NoOptionSeen { .. } => "no_option_seen",
            Self::NoneChosen { .. } => "none_chosen",
            Self::PromptCut => "prompt_cut",
            Self::Malformed { .. } => "malformed",
            Self::Backend { .. } => "backend",
        }
    }
}

impl Hint for ScoreError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::RateLimited { .. } if self.is_quota_used_up() => {
                "check the account's plan and billing; then start the same command again to ask only what is missing"
            }
            Self::RateLimited { .. } | Self::Server { .. }
                if self.retry_after().is_some_and(|asked| asked >= LONG_WAIT) =>
            {
                "wait as long as the server asks, then start the same command again to ask only what is missing; a larger --give-up-after waits for the server"
            }
            Self::RateLimited { .. } if self.is_cooling_down() => {
                "check the servers behind the proxy, and raise --max-retries and --retry-delay to wait for them"
            }
            Self::RateLimited { .. } => {
                "lower --max-workers, or raise --max-retries and --retry-delay"
            }
            Self::TimedOut { .. } => "raise --timeout, or lower --max-workers",
            Self::Unreachable { .. } => {
                "check that the server runs and that --api-base names its address"
            }
            Self::Server { .. } => {
                "look at the server's log; start the same command again to ask only what is missing"
            }
            Self::Unauthorized { message, .. } | Self::Rejected { message, .. }
                if is_about_logprobs(message) =>
            {
                NO_LOGPROBS_ALLOWED
            }
            Self::Unauthorized { .. } => {
                "give the right key with --api-key-env NAME or in SURENESS_API_KEY"
            }
            Self::NotFound { .. } => {
                "check --model against the names that the server lists under /v1/models"
            }
            Self::Rejected { message, .. } if is_about_rate(message) => {
                "one request is larger than the account's limit of rate, which is not that of the model's context: use an account, a model or a server with a higher limit of tokens per minute"
            }
            Self::Rejected { status: 413, .. } => {
                "the prompt is too long for the server, or for a proxy before it: show fewer few-shot examples (--shots), or raise the limit on the size of requests"
            }
            Self::Rejected { .. } => "look at the server's message",
            Self::Filtered { .. } => {
                "loosen or switch off the filter where the provider allows it, leave these questions out, or ask a server without one"
            }
            Self::ContextTooLong { .. } => {
                "show fewer few-shot examples (--shots), or start the server with a longer context"
            }
            Self::NoLogprobs => {
                "use a server that returns log-probabilities, such as llama-server or vLLM, or a GGUF file with --gguf"
            }
            Self::NoOptionSeen {
                top_k: 0,
                chat: false,
                ..
            } => {
                "ask through the chat template (--chat) or show few-shot examples (--shots), or use a server that gives the end token's log-probabilities too, such as llama-server or vLLM"
            }
            Self::NoOptionSeen { top_k: 0, .. } => {
                "use a server that gives the end token's log-probabilities too, such as llama-server or vLLM"
            }
            Self::NoOptionSeen { top_k, first, chat } => {
                let opening = Opening::of(first);
                let hint = opening.hint(*chat);
                if *top_k < FEW_TOKENS && opening != Opening::Thought {
                    return format!("raise --top-logprobs where the server allows it; {hint}")
                        .into();
                }
                hint
            }
            Self::NoneChosen { cut, .. } if *cut > 0 => {
                "raise --answer-tokens, so that the model comes to its answer"
            }
            Self::NoneChosen { .. } => {
                "look at the answers with `sureness show`; ask through the chat template (--chat), or show few-shot examples (--shots)"
            }
            Self::PromptCut => {
                "start the server with a longer context, or show fewer few-shot examples (--shots)"
            }
            Self::Malformed { .. } | Self::Backend { .. } => {
                "run again with --log-file to see the whole exchange"
            }
        })
    }
}
