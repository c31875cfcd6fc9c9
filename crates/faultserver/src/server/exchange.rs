//! One request from the wire to the wire.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::capacity::Allowance;
use super::live::Live;
use crate::answer::{
    Wanted, answer, at_once, content_filter, failed, loading, spoil, tokens_in, too_many,
};
use crate::asked::{Asked, Key};
use crate::log::{Outcome, Tokens};
use crate::script::{Fault, Healthy, RetryAfter, Target};
use crate::wire::{Delivery, Reply, Request};

/// Marks requests that follow our own redirect. They are answered, so that a client is not
/// redirected forever.
const REDIRECTED: &str = "redirected";

/// A response, and the prompts that it answers if it is delivered completely.
pub(crate) struct Planned {
    pub(crate) reply: Reply,
    pub(crate) delivery: Delivery,
    /// For each prompt, whether this answers it.
    pub(crate) answers: Vec<bool>,
    /// The token counts that it tells.
    pub(crate) tokens: Tokens,
}

impl Planned {
    fn plain(reply: Reply) -> Self {
        Self {
            reply,
            delivery: Delivery::Whole,
            answers: Vec::new(),
            tokens: Tokens::default(),
        }
    }
}

impl Planned {
    /// Without token counts where no answer tells them.
    fn counted(mut self) -> Self {
        if !self.answers.contains(&true) {
            self.tokens = Tokens::default();
        }
        self
    }
}

/// The key of a request.
pub(crate) fn key_of(server: &Healthy, request: &Request) -> Key {
    let value = request
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    let Some((_, value)) = value else {
        return Key::Absent;
    };
    let given = value.strip_prefix("Bearer ").unwrap_or(value);
    match &server.key {
        Some(wanted) if wanted != given => Key::Wrong,
        _ => Key::Right,
    }
}

/// Plans the response and waits as long as the script says. Updates `outcome` before waiting, so
/// that the log is right even if the client disconnects.
pub(crate) async fn plan(
    live: &Live,
    request: &Request,
    wanted: &Wanted,
    asked: &Asked,
    address: SocketAddr,
    outcome: &mut Outcome,
) -> Planned {
    let server = &live.script.server;
    let refused = at_once(server, request, wanted, asked.key);
    let scoring = asked.scores() && refused.is_none();
    let mut allowance = None;
    let mut slot = None;
    if scoring {
        match live.gate.count() {
            Ok(left) => allowance = left,
            Err(left) => {
                // Whole seconds, rounded up: a client that returns too early is refused again.
                let seconds = left.reset.as_secs_f64().ceil();
                let reply = too_many(server.dialect, RetryAfter::Seconds(seconds));
                return Planned::plain(with_allowance(reply, Some(left)));
            }
        }
        match live.gate.enter().await {
            Ok(entered) => slot = entered,
            Err(retry_after) => return Planned::plain(too_many(server.dialect, retry_after)),
        }
    }
    // Faults do not apply to requests that are refused anyway.
    let refusal = refused.as_ref().is_some_and(|reply| reply.status >= 400);
    if !refusal && !asked.path.contains(REDIRECTED) {
        let fate = live.fate(asked);
        outcome.delay = fate.delay;
        outcome.fault = fate.fault;
    }
    let mut delay = outcome.delay;
    let (mut reply, answers, tokens) = if let Some(reply) = refused {
        (reply, Vec::new(), Tokens::default())
    } else {
        let work = live.work(&wanted.prompts);
        delay += live.gate.time_for(&work);
        let fault = outcome.fault.as_ref();
        let answer = answer(server, wanted, &work, asked, fault);
        let tokens = tokens_in(&answer);
        let spoilt = spoil(answer, work.len(), fault);
        (ok(spoilt.body), spoilt.answered, tokens)
    };
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
    // The slot is for the model's work, which sending is not.
    drop(slot);
    reply = with_allowance(reply, allowance);
    match &outcome.fault {
        Some(fault) => Planned {
            tokens,
            ..misbehave(server, asked, address, fault, reply, answers)
        }
        .counted(),
        None => Planned {
            reply,
            delivery: Delivery::Whole,
            answers,
            tokens,
        },
    }
}

fn ok(body: Vec<u8>) -> Reply {
    Reply {
        status: 200,
        content_type: "application/json",
        headers: Vec::new(),
        body,
    }
}

/// Plays the faults that replace an answer or its delivery.
fn misbehave(
    server: &Healthy,
    asked: &Asked,
    address: SocketAddr,
    fault: &Fault,
    mut good: Reply,
    answers: Vec<bool>,
) -> Planned {
    let dialect = server.dialect;
    let instead = |reply: Reply| Planned::plain(reply);
    let (delivery, still_answers) = match fault {
        Fault::TooManyRequests { retry_after, quota } => {
            let reply = too_many(dialect, *retry_after);
            return instead(match (quota, asked.path.contains("/messages")) {
                (false, _) => reply,
                (true, false) => with_nothing_left(reply),
                (true, true) => with_nothing_left_of_anthropic(reply),
            });
        }
        Fault::InternalError => return instead(failed(dialect, 500, "Something broke.")),
        Fault::ContentFilter => return instead(content_filter()),
        Fault::Loading { retry_after } => return instead(loading(*retry_after)),
        Fault::Status { status, message } => return instead(failed(dialect, *status, message)),
        Fault::Redirect { to } => {
            return instead(redirect(asked, to, address));
        }
        Fault::WrongContentType => {
            good.content_type = "text/html; charset=utf-8";
            (Delivery::Whole, true)
        }
        Fault::Gzip => {
            good.body = packed(&good.body);
            (Delivery::Whole, true)
        }
        Fault::Trickle { bytes, every_ms } => {
            let every = Duration::from_millis(*every_ms);
            (
                Delivery::Trickle {
                    bytes: *bytes,
                    every,
                },
                true,
            )
        }
        Fault::Reset { at } => (
            Delivery::Break {
                at: *at,
                reset: true,
            },
            true,
        ),
        Fault::Hangup { at } => (
            Delivery::Break {
                at: *at,
                reset: false,
            },
            true,
        ),
        Fault::HugeBody { bytes, coding } => (
            Delivery::Huge {
                bytes: *bytes,
                coding: *coding,
            },
            false,
        ),
        Fault::EndlessHead => (Delivery::EndlessHead, false),
        Fault::NeverEnds { every_ms } => {
            let every = Duration::from_millis(*every_ms);
            (Delivery::EndlessBody { every }, false)
        }
        Fault::NeverStarts => (Delivery::Silence, false),
        // Already played on the answer's text, or by waiting.
        Fault::Delay { .. }
        | Fault::TruncatedJson
        | Fault::MalformedJson
        | Fault::MissingField { .. }
        | Fault::NotANumber { .. }
        | Fault::Indices { .. }
        | Fault::Unsaid { .. }
        | Fault::DeepJson { .. } => (Delivery::Whole, true),
    };
    if *fault == Fault::Gzip {
        good = good.with("content-encoding", "gzip");
    }
    let answers = if still_answers { answers } else { Vec::new() };
    Planned {
        reply: good,
        delivery,
        answers,
        tokens: Tokens::default(),
    }
}

fn redirect(asked: &Asked, to: &Target, address: SocketAddr) -> Reply {
    let origin = match to {
        Target::SameHost => format!("http://{address}"),
        Target::OtherHost => format!("http://localhost:{}", address.port()),
        Target::Origin(origin) => origin.trim_end_matches('/').to_owned(),
    };
    let mark = if asked.path.contains('?') { '&' } else { '?' };
    Reply {
        status: 307,
        ..ok(Vec::new())
    }
    .with(
        "location",
        format!("{origin}{}{mark}{REDIRECTED}=1", asked.path),
    )
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail; if it did, the client would receive a broken body.
    let _ = packer.write_all(body);
    packer.finish().unwrap_or_default()
}

/// Adds the rate-limit headers of the large providers.
fn with_allowance(reply: Reply, allowance: Option<Allowance>) -> Reply {
    let Some(Allowance {
        limit,
        remaining,
        reset,
    }) = allowance
    else {
        return reply;
    };
    reply
        .with("x-ratelimit-limit-requests", limit.to_string())
        .with("x-ratelimit-remaining-requests", remaining.to_string())
        .with(
            "x-ratelimit-reset-requests",
            format!("{}ms", reset.as_millis()),
        )
}

fn with_nothing_left(reply: Reply) -> Reply {
    let reset = Duration::from_millis(20);
    let allowance = Allowance {
        limit: 60,
        remaining: 0,
        reset,
    };
    with_allowance(reply, Some(allowance))
        .with("x-ratelimit-limit-tokens", "40000")
        .with("x-ratelimit-remaining-tokens", "0")
        .with("x-ratelimit-reset-tokens", "20ms")
}

/// The headers of Anthropic's servers: no output tokens are left for one to two seconds.
fn with_nothing_left_of_anthropic(reply: Reply) -> Reply {
    // Whole seconds, rounded down: at least one is left.
    let soon = Timestamp::now() + Duration::from_secs(2);
    let soon = soon.strftime("%Y-%m-%dT%H:%M:%SZ");
    reply
        .with("anthropic-ratelimit-requests-limit", "4000")
        .with("anthropic-ratelimit-requests-remaining", "3999")
        .with("anthropic-ratelimit-requests-reset", soon.to_string())
        .with("anthropic-ratelimit-output-tokens-limit", "80000")
        .with("anthropic-ratelimit-output-tokens-remaining", "0")
        .with("anthropic-ratelimit-output-tokens-reset", soon.to_string())
}

/// The log's view of a request.
pub(crate) fn asked(request: &Request, wanted: &Wanted, key: Key, connection: u64) -> Asked {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| {
            let secret = name == "authorization";
            (
                name.clone(),
                if secret { String::new() } else { value.clone() },
            )
        })
        .collect();
    Asked {
        number: 0,
        connection,
        method: request.method.clone(),
        path: request.path.clone(),
        headers,
        key,
        prompts: Arc::clone(&wanted.prompts),
        repeats: 0,
    }
}
