//! What a scenario file says.

use serde::Deserialize;

/// A server, the load it is given, and what is expected to come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Why this scenario exists, in a sentence.
    pub why: String,
    pub load: Load,
    pub server: Server,
    pub expect: Expect,
}

/// The questions and the client that asks them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Asked one group after the other.
    pub groups: Vec<Group>,
    /// Whether the server tells how many tokens it computed.
    #[serde(default)]
    pub tokens_known: bool,
    #[serde(default = "thirty")]
    pub timeout_s: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub questions: usize,
    /// Mean of the tokens to compute.
    pub tokens: f64,
    /// Standard deviation of the logarithm of the tokens.
    #[serde(default)]
    pub spread: f64,
}

/// How the server behaves.
///
/// At most `slots` requests are worked on at once. With n of them each takes
/// `1 + contention·(n-1) + coherence·n·(n-1)` times as long as alone (the universal scalability
/// law): contention is what cannot run in parallel, coherence what makes a crowd slower than one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Time on the network, there and back.
    #[serde(default = "one")]
    pub round_trip_ms: f64,
    /// Work per request, whatever its length.
    pub base_ms: f64,
    /// Work per prompt token.
    #[serde(default)]
    pub token_ms: f64,
    /// Standard deviation of the logarithm of the work.
    #[serde(default)]
    pub noise: f64,
    #[serde(flatten)]
    pub size: Size,
    /// Work on whole batches: whoever waits when the server is free is taken, up to `slots`, and
    /// all are done at the same time.
    #[serde(default)]
    pub whole_batches: bool,
    /// What happens to a request beyond the slots.
    #[serde(default)]
    pub full: Full,
    /// Requests that may wait before `full` rejects.
    #[serde(default)]
    pub waiting_room: usize,
    /// Seconds of Retry-After on a rejection for lack of slots.
    #[serde(default)]
    pub retry_after_s: f64,
    pub rate: Option<Rate>,
    /// Share of requests that fail with HTTP 500, whatever the load.
    #[serde(default)]
    pub flaky: f64,
    #[serde(default)]
    pub outages: Vec<Outage>,
    #[serde(default)]
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Size {
    #[serde(default = "unlimited")]
    pub slots: usize,
    #[serde(default)]
    pub contention: f64,
    #[serde(default)]
    pub coherence: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Full {
    #[default]
    Wait,
    Reject429,
    Reject503,
}

/// So many requests per minute; the allowance is whole again when the window is over.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub requests: usize,
    pub window_s: f64,
    /// Whether every answer tells what is left.
    pub tells: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    pub from_s: f64,
    pub to_s: f64,
    /// Connections are refused instead of answered with HTTP 503.
    #[serde(default)]
    pub refuses: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Change {
    pub at_s: f64,
    #[serde(flatten)]
    pub size: Size,
}

/// What must come out, whatever the seed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Throughput as a share of the best fixed setting's, in the mean over the seeds. Also a
    /// minute after the server has changed.
    #[serde(default = "share")]
    pub throughput: f64,
    /// The same for the worst seed.
    #[serde(default = "least")]
    pub worst: f64,
    /// Rejected requests as a share of all.
    #[serde(default = "rejected")]
    pub rejected: f64,
    /// Highest limit at the end of the run, where drifting up would do harm or no good.
    pub limit_at_most: Option<usize>,
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
    0.93
}
fn rejected() -> f64 {
    0.02
}
