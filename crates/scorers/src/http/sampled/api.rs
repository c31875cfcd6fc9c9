//! The protocols in which a model is asked for an answer in words.

use std::fmt::Write;

use super::super::exchange::{Dialect, quoted};
use super::super::extra::ExtraBody;
use super::super::options::HttpOptions;
use super::super::secret::Header;
use crate::said::STOP;

/// A protocol for answers in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Api {
    /// `OpenAI`'s completions: the model continues the prompt.
    #[default]
    Completions,
    /// `OpenAI`'s chat completions.
    Chat,
    /// `OpenAI`'s Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
}

/// The name of a protocol.
impl std::str::FromStr for Api {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|api| api.name() == name)
            .ok_or_else(|| "give completions, chat, responses or messages".to_owned())
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The version of its protocol that Anthropic's servers want to be told.
const ANTHROPIC_VERSION: &str = "2023-06-01";

impl Api {
    /// All protocols.
    pub const ALL: [Self; 4] = [
        Self::Completions,
        Self::Chat,
        Self::Responses,
        Self::Messages,
    ];

    /// The name in the model's identity.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// Whether it reports no log-probabilities that letters could be scored by.
    pub fn is_only_for_words(self) -> bool {
        matches!(self, Self::Responses | Self::Messages)
    }

    /// Path under the API.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// The field that asks for the log-probabilities of an answer's own tokens, after a comma.
    pub(super) fn logprobs(self) -> Option<&'static str> {
        match self {
            Self::Completions => Some(",\"logprobs\":1"),
            Self::Chat => Some(",\"logprobs\":true"),
            Self::Responses | Self::Messages => None,
        }
    }

    /// Whether one request may ask for several answers.
    pub(super) fn has_n(self) -> bool {
        matches!(self, Self::Completions | Self::Chat)
    }

    /// The options with the headers of this protocol: Anthropic's takes the key in one of its own.
    pub(in crate::http) fn with_headers(self, mut options: HttpOptions) -> HttpOptions {
        if self != Self::Messages {
            return options;
        }
        let mut add = |name: &str, value: &str| {
            let given = options.headers.iter().any(|header| header.is(name));
            // A key that no header can hold is refused with the other keys.
            if let (false, Ok(header)) = (given, Header::parse(&format!("{name}: {value}"))) {
                options.headers.push(header);
            }
        };
        add("anthropic-version", ANTHROPIC_VERSION);
        if let Some(key) = options.api_key.clone() {
            add("x-api-key", key.expose());
        }
        options
    }
}

/// A request for answers in words, without its prompt.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) api: Api,
    pub(super) model: String,
    pub(super) temperature: f64,
    pub(super) max_tokens: u32,
    pub(super) dialect: Dialect,
    /// Values that switch off the server's own samplers, each after a comma.
    pub(super) samplers: &'static str,
    /// Further fields that the user gave, each after a comma.
    pub(super) extra: String,
}

impl Template {
    /// The fields that the user gave.
    pub(super) fn extra(extra: Option<&ExtraBody>) -> String {
        extra.map_or_else(String::new, ExtraBody::fields)
    }

    /// The body of a request for `n` answers to `prompt`.
    pub(super) fn body(&self, prompt: &str, n: u32) -> Vec<u8> {
        self.body_with(prompt, n, "")
    }

    /// The same, with the log-probability of each token of an answer where the protocol has them.
    pub(super) fn body_with_logprobs(&self, prompt: &str, n: u32) -> Vec<u8> {
        self.body_with(prompt, n, self.api.logprobs().unwrap_or_default())
    }

    fn body_with(&self, prompt: &str, n: u32, more: &str) -> Vec<u8> {
        let (model, prompt, stop) = (quoted(&self.model), quoted(prompt), quoted(STOP));
        let mut body = String::with_capacity(prompt.len() + 256);
        let (limit, least) = self.dialect.limit();
        let tokens = self.max_tokens.max(least);
        let _ = match self.api {
            Api::Completions => write!(
                body,
                "{{\"model\":{model},\"prompt\":{prompt},\"{limit}\":{tokens},\"stop\":[{stop}]"
            ),
            Api::Chat => write!(
                body,
                "{{\"model\":{model},\"messages\":[{{\"role\":\"user\",\"content\":{prompt}}}],\
                 \"{limit}\":{tokens}"
            ),
            Api::Responses => write!(
                body,
                "{{\"model\":{model},\"input\":{prompt},\"max_output_tokens\":{tokens},\
                 \"store\":false"
            ),
            Api::Messages => write!(
                body,
                "{{\"model\":{model},\"messages\":[{{\"role\":\"user\",\"content\":{prompt}}}],\
                 \"max_tokens\":{tokens}"
            ),
        };
        if self.dialect.sets_temperature() {
            let _ = write!(body, ",\"temperature\":{}", self.temperature);
        }
        if n > 1 {
            let _ = write!(body, ",\"n\":{n}");
        }
        body.push_str(more);
        body.push_str(self.samplers);
        body.push_str(&self.extra);
        body.push('}');
        body.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Secret;

    fn template(api: Api) -> Template {
        Template {
            api,
            model: "m".into(),
            temperature: 0.7,
            max_tokens: 64,
            dialect: Dialect::default(),
            samplers: "",
            extra: ",\"reasoning_effort\":\"low\"".into(),
        }
    }

    #[test]
    fn each_protocol_names_its_fields() {
        let json = |api: Api, n| -> serde_json::Value {
            serde_json::from_slice(&template(api).body("Which \"one\"?\n", n)).unwrap()
        };
        let chat = json(Api::Chat, 3);
        assert_eq!(chat["messages"][0]["content"], "Which \"one\"?\n");
        assert_eq!((&chat["n"], &chat["max_tokens"]), (&3.into(), &64.into()));
        assert_eq!(json(Api::Completions, 1)["stop"][0], "\nQuestion:");
        let responses = json(Api::Responses, 1);
        assert_eq!(responses["input"], "Which \"one\"?\n");
        assert_eq!(responses["max_output_tokens"], 64);
        assert_eq!(responses["store"], false);
        let messages = json(Api::Messages, 1);
        assert_eq!(messages["max_tokens"], 64);
        for api in Api::ALL {
            assert_eq!(api.name().parse(), Ok(api));
            let body = json(api, 1);
            assert_eq!(body["temperature"], 0.7);
            assert_eq!(body["reasoning_effort"], "low");
            assert_eq!(body.get("n"), None);
        }
    }

    #[test]
    fn anthropic_takes_the_key_in_a_header_of_its_own() {
        let mut options = HttpOptions::new("https://api.anthropic.com");
        options.api_key = Secret::new("sk-ant");
        let header = |options: &HttpOptions, name: &str| {
            let mut found = options.headers.iter().filter(|header| header.is(name));
            found.next().map(|header| header.value().to_owned())
        };
        let chat = Api::Chat.with_headers(options.clone());
        assert_eq!(header(&chat, "x-api-key"), None);
        let messages = Api::Messages.with_headers(options);
        assert_eq!(header(&messages, "x-api-key").unwrap(), "sk-ant");
        assert!(header(&messages, "anthropic-version").is_some());
    }
}
