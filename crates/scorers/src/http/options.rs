//! Settings of the HTTP backend.

use std::time::Duration;

use super::address::ApiBase;
use super::extra::ExtraBody;
use super::secret::{Header, Secret};

/// How to reach a server and how to ask it.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each with its own flag"
)]
pub struct HttpOptions {
    /// Address of the API. `host:8000`, `http://host:8000/` and `http://host:8000/v1` mean the
    /// same: `/v1` is added unless the path names a version already, and a pasted route such
    /// as `/completions` is dropped. Without a scheme it is `http` for this machine and for IP
    /// addresses, else `https`.
    pub api_base: String,
    /// Sent as `Authorization: Bearer`.
    pub api_key: Option<Secret>,
    /// The key for `OpenAI`'s own host, which no other server gets. `api_key` comes before it.
    pub openai_key: Option<Secret>,
    /// Sent with every request; a header of the user's own replaces ours of the same name.
    pub headers: Vec<Header>,
    /// Model name; `None` takes the only one the server lists.
    pub model: Option<String>,
    /// Ask for `model` even if the server lists other models only.
    pub any_model: bool,
    /// Ask through chat completions, one user message per prompt, instead of completions.
    pub chat: bool,
    /// Limit of one request, from sending to the last byte of the answer.
    pub timeout: Duration,
    /// Limit of waiting for the first byte of the answer; `None` leaves it to `timeout`. Servers
    /// send nothing until the model is done, so this must allow for a queue.
    pub first_byte_timeout: Option<Duration>,
    /// Limit of opening a connection.
    pub connect_timeout: Duration,
    /// Maximum requests at once, each on its own connection.
    pub max_connections: usize,
    /// How many of the most probable tokens to ask for; `None` takes the largest of 100, 20
    /// and 5 that the server accepts.
    pub top_logprobs: Option<u32>,
    /// Send a batch as one list of prompts, on the completions route and if the server takes
    /// lists. llama.cpp's server then evaluates the prompts together, which moves
    /// log-probabilities a little.
    pub list_prompts: bool,
    /// Ask for each option's own token where the server supports it, instead of reading the options
    /// from the most probable tokens.
    pub exact_scores: bool,
    /// Fields to add to every request.
    pub extra_body: Option<ExtraBody>,
    /// Put all requests on one HTTP/2 connection. Slower than HTTP/1.1 ones, which are the
    /// default; blocking calls stay on HTTP/1.1.
    pub http2: bool,
    /// How long to wait for a server that answers 503 because it is still loading its model.
    pub loading_wait: Duration,
}

impl HttpOptions {
    /// The usual settings for the server at `api_base`: completions, one prompt per request,
    /// 16 connections, 10 s to connect, 2 minutes per request, one minute for loading.
    pub fn new(api_base: impl Into<String>) -> Self {
        Self {
            api_base: api_base.into(),
            api_key: None,
            openai_key: None,
            headers: Vec::new(),
            model: None,
            any_model: false,
            chat: false,
            timeout: Duration::from_secs(120),
            first_byte_timeout: None,
            connect_timeout: Duration::from_secs(10),
            max_connections: 16,
            top_logprobs: None,
            list_prompts: false,
            exact_scores: true,
            extra_body: None,
            http2: false,
            loading_wait: Duration::from_secs(60),
        }
    }

    /// The same settings with the key that this server may have.
    pub(super) fn with_own_key(mut self) -> Self {
        let own = ApiBase::parse(&self.api_base).is_ok_and(|base| base.is_openai());
        let openai_key = self.openai_key.take().filter(|_| own);
        self.api_key = self.api_key.or(openai_key);
        self
    }
}

impl std::fmt::Debug for HttpOptions {
    /// Shows the address without credentials or query.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpOptions")
            .field("api_base", &super::address::shown_text(&self.api_base))
            .field("api_key", &self.api_key)
            .field("openai_key", &self.openai_key)
            .field("headers", &self.headers)
            .field("model", &self.model)
            .field("any_model", &self.any_model)
            .field("chat", &self.chat)
            .field("timeout", &self.timeout)
            .field("first_byte_timeout", &self.first_byte_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_connections", &self.max_connections)
            .field("top_logprobs", &self.top_logprobs)
            .field("list_prompts", &self.list_prompts)
            .field("exact_scores", &self.exact_scores)
            .field("extra_body", &self.extra_body)
            .field("http2", &self.http2)
            .field("loading_wait", &self.loading_wait)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openai_s_key_goes_to_its_own_host_and_comes_second() {
        let key_for = |base: &str, own: Option<&str>| {
            let mut options = HttpOptions::new(base);
            options.openai_key = Secret::new("sk-openai");
            options.api_key = own.and_then(Secret::new);
            let options = options.with_own_key();
            assert_eq!(options.openai_key, None);
            options.api_key
        };
        for base in [
            "https://api.openai.com/v1",
            "api.openai.com",
            "https://eu.api.openai.com",
        ] {
            assert_eq!(key_for(base, None), Secret::new("sk-openai"), "{base}");
            assert_eq!(key_for(base, Some("sk-own")), Secret::new("sk-own"));
        }
        for base in [
            "http://api.openai.com/v1",
            "https://api.openai.com.example/v1",
            "https://notapi.openai.com",
            "https://openrouter.ai/api/v1",
            "localhost:8000",
        ] {
            assert_eq!(key_for(base, None), None, "{base}");
            assert_eq!(key_for(base, Some("sk-own")), Secret::new("sk-own"));
        }
    }
}
