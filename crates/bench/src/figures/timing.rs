//! The timing of a run and its phases.

use std::time::Duration;

use sureness_engine::{EndpointSummary, Quantiles, Summary};
use sureness_report::{Endpoint, Phase, Timing};

/// A run's timing, as `results.json` has it.
pub(crate) fn timing_of(summary: &Summary) -> Timing {
    let total = summary.total();
    let seconds = summary.elapsed.as_secs_f64();
    let phases = summary.phases;
    Timing {
        seconds,
        asked: total.answered + total.failed,
        cached: total.cached,
        cached_answered_at: None,
        retried: total.retried,
        per_second: if seconds > 0.0 {
            total.answered as f64 / seconds
        } else {
            0.0
        },
        prompt_tokens: summary.prompt_tokens,
        cached_tokens: summary.cached_tokens,
        answer_tokens: summary.answer_tokens,
        spent: None,
        judge: None,
        phases: [
            ("waiting", phases.waiting),
            ("connecting", phases.connecting),
            ("server", phases.server),
            ("parsing", phases.parsing),
            ("storing", phases.storing),
        ]
        .into_iter()
        .filter(|(_, quantiles)| quantiles.count > 0)
        .map(|(name, quantiles)| phase(name, &quantiles))
        .collect(),
        endpoints: summary.endpoints.iter().map(endpoint).collect(),
    }
}

/// The timing of a run with remote workers. The engine's endpoint is then their queue; their servers
/// are unknown here.
#[cfg(feature = "nats")]
pub(crate) fn of_workers(summary: &Summary) -> Timing {
    let phases = [
        ("with workers", summary.phases.server),
        ("storing", summary.phases.storing),
    ];
    Timing {
        phases: phases
            .into_iter()
            .filter(|(_, quantiles)| quantiles.count > 0)
            .map(|(name, quantiles)| phase(name, &quantiles))
            .collect(),
        endpoints: Vec::new(),
        ..timing_of(summary)
    }
}

fn phase(name: &str, quantiles: &Quantiles) -> Phase {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Phase {
        name: name.to_owned(),
        p50_ms: ms(quantiles.p50),
        p90_ms: ms(quantiles.p90),
        p99_ms: ms(quantiles.p99),
        max_ms: ms(quantiles.max),
    }
}

fn endpoint(summary: &EndpointSummary) -> Endpoint {
    Endpoint {
        limit: summary.limit,
        peak: summary.peak,
        requests: summary.requests,
        answered: summary.answered,
        failed: summary.failed,
        throttled: summary.throttled,
        outages: summary.outages,
        without_logprobs: summary.without_logprobs,
    }
}
