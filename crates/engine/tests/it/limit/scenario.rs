//! What a scenario file says.

use serde::Deserialize;
use sureness_engine::limit::Serving;

/// A server, the load it is given, and what is expected to come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// Why this scenario exists, in a sentence.
    pub(super) why: String,
    pub(super) load: Load,
    pub(super) server: Server,
    pub(super) expect: Expect,
}

/// The questions and the client that asks them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Load {
    /// Asked one group after the other.
    pub(super) groups: Vec<Group>,
    /// Whether the server tells how many tokens it computed.
    #[serde(default)]
    pub(super) tokens_known: bool,
    #[serde(default = "thirty")]
    pub(super) timeout_s: f64,
    /// Tokens that all prompts begin with. They are computed with the first question, which goes
    /// ahead alone, and the controller does not hear of it: so the dispatcher has it.
    #[serde(default)]
    pub(super) prefix_tokens: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) questions: usize,
    /// Mean of the tokens to compute.
    pub(super) tokens: f64,
    /// Standard deviation of the logarithm of the tokens.
    #[serde(default)]
    pub(super) spread: f64,
}

/// How the server behaves.
///
/// At most `slots` requests are worked on at once. With n of them each takes
/// `1 + contention·(n-1) + coherence·n·(n-1)` times as long as alone (the universal scalability
/// law): contention is what cannot run in parallel, coherence what makes a crowd slower than one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// Time on the network, there and back.
    #[serde(default = "one")]
    pub(super) round_trip_ms: f64,
    /// Work per request, whatever its length.
    pub(super) base_ms: f64,
    /// Work per prompt token.
    #[serde(default)]
    pub(super) token_ms: f64,
    /// Standard deviation of the logarithm of the work.
    #[serde(default)]
    pub(super) noise: f64,
    #[serde(flatten)]
    pub(super) size: Size,
    /// Throughput as measured, in place of contention and coherence: pairs of a number of
    /// requests being worked on, rising from one, and the answers a second. In between it is
    /// interpolated, beyond the last it stays the same.
    #[serde(default)]
    pub(super) measured: Vec<(usize, f64)>,
    /// Work on whole batches: whoever waits when the server is free is taken, up to `slots`, and
    /// all are done at the same time.
    #[serde(default)]
    pub(super) whole_batches: bool,
    /// Work in steps: whoever waits when a step is over is in the next one, up to `slots`. A step
    /// takes `base_ms` and the work of all its prompts, and all are answered when it is over.
    #[serde(default)]
    pub(super) steps: bool,
    /// What the client knows of it.
    #[serde(default)]
    pub(super) serving: Known,
    /// Each slot has a prefix cache of its own, which is cold at first.
    #[serde(default)]
    pub(super) cold_slots: bool,
    /// What happens to a request beyond the slots.
    #[serde(default)]
    pub(super) full: Full,
    /// Requests that may wait before `full` rejects.
    #[serde(default)]
    pub(super) waiting_room: usize,
    /// Seconds of Retry-After on a rejection for lack of slots.
    #[serde(default)]
    pub(super) retry_after_s: f64,
    pub(super) rate: Option<Rate>,
    /// Share of requests that fail with HTTP 500, whatever the load.
    #[serde(default)]
    pub(super) flaky: f64,
    #[serde(default)]
    pub(super) outages: Vec<Outage>,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Size {
    #[serde(default = "unlimited")]
    pub(super) slots: usize,
    #[serde(default)]
    pub(super) contention: f64,
    #[serde(default)]
    pub(super) coherence: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Known {
    #[default]
    Unknown,
    Slots,
    Steps,
}

impl From<Known> for Serving {
    fn from(known: Known) -> Self {
        match known {
            Known::Unknown => Self::Unknown,
            Known::Slots => Self::Slots,
            Known::Steps => Self::Steps,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Full {
    #[default]
    Wait,
    Reject429,
    Reject503,
}

/// So many requests per minute; the allowance is whole again when the window is over.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    pub(super) requests: usize,
    pub(super) window_s: f64,
    /// Whether every answer tells what is left.
    pub(super) tells: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    /// Connections are refused instead of answered with HTTP 503.
    #[serde(default)]
    pub(super) refuses: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Change {
    pub(super) at_s: f64,
    #[serde(flatten)]
    pub(super) size: Size,
}

/// What must come out, whatever the seed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// Throughput as a share of the best fixed setting's, in the mean over the seeds. Also a
    /// minute after the server has changed.
    #[serde(default = "share")]
    pub(super) throughput: f64,
    /// The same for the worst seed.
    #[serde(default = "least")]
    pub(super) worst: f64,
    /// Rejected requests as a share of all.
    #[serde(default = "rejected")]
    pub(super) rejected: f64,
    /// Mean limit over the run, where drifting up would do harm or no good.
    pub(super) limit_at_most: Option<f64>,
}

fn thirty() -> f64 {
    30.0
}
fn one() -> f64 {
    1.0
}
fn unlimited() -> usize {
    usize::MAX
}
fn share() -> f64 {
    0.95
}
fn least() -> f64 {
    0.9
}
fn rejected() -> f64 {
    0.02
}
