//! The two ways to ask.

use serde::Serialize;

/// Completions for base models, chat completions for instruction-tuned ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Completions,
    Chat,
}

/// A completions request for one prompt (a text) or several (a list of texts).
#[derive(Serialize)]
struct CompletionsBody<'a, P> {
    model: &'a str,
    prompt: P,
    max_tokens: u32,
    temperature: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u32>,
}

#[derive(Serialize)]
struct ChatBody<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    max_tokens: u32,
    temperature: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u32>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

/// A request for one prompt or several, ready to send.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Body<'a>(BodyKind<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum BodyKind<'a> {
    One(CompletionsBody<'a, &'a str>),
    List(CompletionsBody<'a, &'a [String]>),
    Chat(ChatBody<'a>),
}

impl Route {
    /// Path under the API.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat/completions",
        }
    }

    /// The name in the model's identity.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat",
        }
    }

    /// Asks for the next token after `prompt` and, if given, the `top` most probable ones.
    pub(super) fn one<'a>(self, model: &'a str, prompt: &'a str, top: Option<u32>) -> Body<'a> {
        Body(match self {
            Self::Completions => BodyKind::One(completions(model, prompt, top)),
            Self::Chat => BodyKind::Chat(ChatBody {
                model,
                messages: [Message {
                    role: "user",
                    content: prompt,
                }],
                max_tokens: 1,
                temperature: 0,
                logprobs: top.map(|_| true),
                top_logprobs: top,
            }),
        })
    }
}

/// Asks for the next token after each of `prompts`; only completions take lists.
pub(super) fn list<'a>(model: &'a str, prompts: &'a [String], top: u32) -> Body<'a> {
    Body(BodyKind::List(completions(model, prompts, Some(top))))
}

fn completions<P>(model: &str, prompt: P, logprobs: Option<u32>) -> CompletionsBody<'_, P> {
    CompletionsBody {
        model,
        prompt,
        max_tokens: 1,
        temperature: 0,
        logprobs,
    }
}
