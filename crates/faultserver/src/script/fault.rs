//! Faults of one answer.

use serde::{Deserialize, Serialize};

/// A fault. In a script file: `{ kind = "reset", at = "in_body" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Waits before answering, `ms` or, with `up_to_ms`, a random time between the two. Delays
    /// of several rules add up, and another rule's fault may follow.
    Delay {
        /// The shortest wait in milliseconds.
        ms: u64,
        /// The longest, if the wait varies.
        #[serde(default)]
        up_to_ms: Option<u64>,
    },
    /// HTTP 429.
    TooManyRequests {
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: RetryAfter,
        /// Whether `x-ratelimit-*` headers say that nothing is left.
        #[serde(default)]
        quota: bool,
    },
    /// HTTP 500 with a JSON error.
    InternalError,
    /// HTTP 503 of a server that is loading its model.
    Loading {
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// Any other status, with a JSON error.
    Status {
        /// The HTTP status.
        status: u16,
        /// The error's message.
        #[serde(default)]
        message: String,
    },
    /// The connection is reset (TCP RST).
    Reset {
        /// The point in the exchange.
        at: Point,
    },
    /// The connection is closed (TCP FIN) without notice.
    Hangup {
        /// The point in the exchange.
        at: Point,
    },
    /// Half of the JSON, in a valid HTTP response.
    TruncatedJson,
    /// JSON of the right length with a syntax error in it.
    MalformedJson,
    /// An answer without some field, wherever it occurs.
    MissingField {
        /// The field's name: `choices`, `index`, `logprobs`, `top_logprobs`, …
        field: String,
    },
    /// Every log-probability is not a number.
    NotANumber {
        /// Its spelling.
        #[serde(default)]
        spelled: Nan,
    },
    /// Wrong indices of a list's answers.
    Indices {
        /// The kind.
        how: Indices,
    },
    /// A good answer, a few bytes at a time.
    Trickle {
        /// Bytes per piece.
        bytes: usize,
        /// The pause between two pieces, in milliseconds.
        every_ms: u64,
    },
    /// A good answer labelled `text/html`.
    WrongContentType,
    /// A good answer, compressed even for clients that did not request it.
    Gzip,
    /// HTTP 307 to the same route, which then answers.
    Redirect {
        /// The target server.
        #[serde(default)]
        to: Target,
    },
    /// A huge body, generated while sending, that begins like an answer.
    HugeBody {
        /// Its size in bytes, after unpacking.
        bytes: u64,
        /// Its encoding.
        #[serde(default)]
        coding: Coding,
    },
    /// Endless response headers.
    EndlessHead,
    /// An answer with deeply nested lists.
    DeepJson {
        /// Depth of the nesting.
        depth: usize,
    },
    /// The answer begins, then continues with blanks forever.
    NeverEnds {
        /// The pause between two blanks, in milliseconds.
        #[serde(default = "blank_pause")]
        every_ms: u64,
    },
    /// The request is read and never answered.
    NeverStarts,
    /// HTTP 400 of a content filter that judges the prompt.
    ContentFilter,
    /// An answer in words that says nothing, or not all, in the shape of the request's protocol. Answers
    /// to requests for log-probabilities stay as they are.
    Unsaid {
        /// What becomes of it.
        how: Unsaid,
    },
}

fn blank_pause() -> u64 {
    50
}

/// The `Retry-After` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// No header.
    #[default]
    None,
    /// Seconds, with fractions as given.
    Seconds(f64),
    /// The date in this many seconds.
    DateIn(u64),
}

/// A point in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// After the request, before the first byte of the answer.
    Before,
    /// Between two headers.
    InHead,
    /// In the middle of the body.
    InBody,
    /// After the last byte of a good answer.
    AfterBody,
}

/// What becomes of an answer in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsaid {
    /// The model refuses, in the field that the protocol has for it; in words where it has none.
    Refusal,
    /// It ends at the limit of tokens, in the middle of a sentence.
    Cut,
    /// It is empty, and complete.
    Empty,
    /// A content filter withholds it and says so.
    Filtered,
    /// The model thinks up to the limit of tokens.
    Thinking,
    /// The response has token counts, but no answer and no reason, as Gemini's filter leaves it.
    Withheld,
    /// The server fails after the status is sent, and the answer says so, as a router's does.
    Broken,
}

impl Unsaid {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Refusal,
        Self::Cut,
        Self::Empty,
        Self::Filtered,
        Self::Thinking,
        Self::Withheld,
        Self::Broken,
    ];
}

/// The spelling of "not a number".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nan {
    /// `NaN`, as Python writes it, which is not JSON.
    #[default]
    Literal,
    /// `"NaN"`.
    Text,
    /// `null`.
    Null,
}

/// Indices of a list's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indices {
    /// Right, but in another order.
    Shuffled,
    /// The last answer has the first one's index; a single answer occurs twice.
    Duplicated,
    /// The last answer is missing.
    Missing,
}

/// The target of a redirect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This server under the same name.
    #[default]
    SameHost,
    /// This server under another name (`localhost`), which clients take for another host.
    OtherHost,
    /// Another server: its origin, such as `http://127.0.0.1:8000`.
    Origin(String),
}

/// Encoding of a huge body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// With a content length.
    #[default]
    Plain,
    /// Chunked, without a content length.
    Chunked,
    /// Compressed a thousandfold.
    Gzip,
}

impl Fault {
    /// One fault of each kind and variant, sized for tests: waits of milliseconds, bodies of `huge`
    /// bytes.
    pub fn each(huge: u64) -> Vec<Self> {
        let mut all = vec![
            Self::Delay {
                ms: 5,
                up_to_ms: None,
            },
            Self::Delay {
                ms: 1,
                up_to_ms: Some(30),
            },
            Self::InternalError,
            Self::Loading {
                retry_after: RetryAfter::None,
            },
            Self::TruncatedJson,
            Self::MalformedJson,
            Self::Trickle {
                bytes: 40,
                every_ms: 1,
            },
            Self::WrongContentType,
            Self::Gzip,
            Self::EndlessHead,
            Self::DeepJson { depth: 100_000 },
            Self::NeverEnds { every_ms: 50 },
            Self::NeverStarts,
        ];
        for (retry_after, quota) in [
            (RetryAfter::None, false),
            (RetryAfter::None, true),
            (RetryAfter::Seconds(0.01), false),
            (RetryAfter::DateIn(1), false),
        ] {
            all.push(Self::TooManyRequests { retry_after, quota });
        }
        for at in [
            Point::Before,
            Point::InHead,
            Point::InBody,
            Point::AfterBody,
        ] {
            all.extend([Self::Reset { at }, Self::Hangup { at }]);
        }
        all.extend(["choices", "index"].map(|field| Self::MissingField {
            field: field.to_owned(),
        }));
        all.extend([Nan::Literal, Nan::Text].map(|spelled| Self::NotANumber { spelled }));
        for how in [Indices::Shuffled, Indices::Duplicated, Indices::Missing] {
            all.push(Self::Indices { how });
        }
        all.extend([Target::SameHost, Target::OtherHost].map(|to| Self::Redirect { to }));
        for coding in [Coding::Plain, Coding::Chunked, Coding::Gzip] {
            all.push(Self::HugeBody {
                bytes: huge,
                coding,
            });
        }
        all
    }

    /// The `kind` in a script file, also used in counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::InternalError => "internal_error",
            Self::Loading { .. } => "loading",
            Self::Status { .. } => "status",
            Self::Reset { .. } => "reset",
            Self::Hangup { .. } => "hangup",
            Self::TruncatedJson => "truncated_json",
            Self::MalformedJson => "malformed_json",
            Self::MissingField { .. } => "missing_field",
            Self::NotANumber { .. } => "not_a_number",
            Self::Indices { .. } => "indices",
            Self::Trickle { .. } => "trickle",
            Self::WrongContentType => "wrong_content_type",
            Self::Gzip => "gzip",
            Self::Redirect { .. } => "redirect",
            Self::HugeBody { .. } => "huge_body",
            Self::EndlessHead => "endless_head",
            Self::DeepJson { .. } => "deep_json",
            Self::NeverEnds { .. } => "never_ends",
            Self::NeverStarts => "never_starts",
            Self::ContentFilter => "content_filter",
            Self::Unsaid { .. } => "unsaid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Unsaid};

    #[test]
    fn kinds_are_the_names_of_the_file_format() {
        let in_words = Unsaid::ALL.map(|how| Fault::Unsaid { how });
        let all = Fault::each(1).into_iter().chain(in_words);
        for fault in all.chain([Fault::ContentFilter]) {
            let json = serde_json::to_value(&fault).unwrap();
            assert_eq!(json["kind"], fault.kind());
            assert_eq!(serde_json::from_value::<Fault>(json).unwrap(), fault);
        }
    }
}
