//! What can go wrong with one answer.

use serde::{Deserialize, Serialize};

/// One way to misbehave. In a script file: `{ kind = "reset", at = "in_body" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Waits before answering, `ms` or, with `up_to_ms`, a random time between the two. Delays
    /// of several rules add up, and another rule's fault may follow.
    Delay {
        /// The shortest wait in milliseconds.
        ms: u64,
        /// The longest, if the wait is to vary.
        #[serde(default)]
        up_to_ms: Option<u64>,
    },
    /// HTTP 429.
    TooManyRequests {
        /// How the client is told when to come back.
        #[serde(default)]
        retry_after: RetryAfter,
        /// Whether `x-ratelimit-*` headers say that nothing is left.
        #[serde(default)]
        quota: bool,
    },
    /// HTTP 500 with a JSON error.
    InternalError,
    /// HTTP 503 as of a server that is still loading its model.
    Loading {
        /// How the client is told when to come back.
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
        /// When.
        at: Point,
    },
    /// The connection is closed in the ordinary way (TCP FIN), unannounced.
    Hangup {
        /// When.
        at: Point,
    },
    /// JSON that ends in the middle, in an otherwise correct HTTP response.
    TruncatedJson,
    /// JSON of the right length with a syntax error in it.
    MalformedJson,
    /// An answer without some field, wherever it would occur.
    MissingField {
        /// The field's name: `choices`, `index`, `logprobs`, `top_logprobs`, …
        field: String,
    },
    /// Every log-probability is not a number.
    NotANumber {
        /// How that is written.
        #[serde(default)]
        spelled: Nan,
    },
    /// Something is wrong with the numbers of a list's answers.
    Indices {
        /// What.
        how: Indices,
    },
    /// A good answer, a few bytes at a time.
    Trickle {
        /// Bytes per piece.
        bytes: usize,
        /// The pause between two pieces, in milliseconds.
        every_ms: u64,
    },
    /// A good answer that calls itself `text/html`.
    WrongContentType,
    /// A good answer, compressed. Sent compressed even to clients that did not ask for it.
    Gzip,
    /// HTTP 307 to the same route, where the question is then answered.
    Redirect {
        /// To which server.
        #[serde(default)]
        to: Target,
    },
    /// A body of this size, made while it is sent. It begins like an answer.
    HugeBody {
        /// Its size in bytes, after unpacking.
        bytes: u64,
        /// How it is sent.
        #[serde(default)]
        coding: Coding,
    },
    /// Response headers without end.
    EndlessHead,
    /// An answer with lists nested this deep.
    DeepJson {
        /// How deep.
        depth: usize,
    },
    /// The answer begins and then goes on with blanks for ever.
    NeverEnds {
        /// The pause between two blanks, in milliseconds.
        #[serde(default = "blank_pause")]
        every_ms: u64,
    },
    /// The request is taken and nothing comes back.
    NeverStarts,
}

fn blank_pause() -> u64 {
    50
}

/// How a client is told when to come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Not at all.
    #[default]
    None,
    /// `Retry-After` in seconds; fractions are sent as such.
    Seconds(f64),
    /// `Retry-After` as the date in so many seconds.
    DateIn(u64),
}

/// A moment of an exchange.
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

/// How "not a number" is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nan {
    /// `NaN`, which is no JSON but what Python writes.
    #[default]
    Literal,
    /// `"NaN"`.
    Text,
    /// `null`.
    Null,
}

/// What is wrong with the numbers of a list's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indices {
    /// Nothing, but the answers come in another order.
    Shuffled,
    /// The last answer carries the first one's number; a single answer comes twice.
    Duplicated,
    /// The last answer is left out.
    Missing,
}

/// Where a redirect leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This server under the same name.
    #[default]
    SameHost,
    /// This server under another name (`localhost`), which to a client is another host.
    OtherHost,
    /// Another server: its origin, such as `http://127.0.0.1:8000`.
    Origin(String),
}

/// How a huge body is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// With its length in the head.
    #[default]
    Plain,
    /// In chunks, so that its length is not known beforehand.
    Chunked,
    /// Compressed a thousandfold.
    Gzip,
}

impl Fault {
    /// One fault of each kind and variety, in sizes that suit a test: waits of milliseconds,
    /// bodies of `huge` bytes.
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

    /// A short name for counts: the `kind` of a script file.
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn kinds_are_the_names_of_the_file_format() {
        for fault in Fault::each(1) {
            let json = serde_json::to_value(&fault).unwrap();
            assert_eq!(json["kind"], fault.kind());
            assert_eq!(serde_json::from_value::<Fault>(json).unwrap(), fault);
        }
    }
}
