//! How long it took, and where the time went.

use std::time::Duration;

use sureness_analysis::number::fixed;
use sureness_engine::{EndpointSummary, Quantiles, Summary};
use sureness_report::{Endpoint, Phase, Timing};

use super::age;

/// A run's timing as it is kept in `results.json`.
pub(crate) fn of(summary: &Summary) -> Timing {
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

/// The same where workers elsewhere did the asking. What the engine took for a server is then their
/// queue, and each of them has its own servers.
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
        ..of(summary)
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
    }
}

/// The same for people, in a few lines.
pub(crate) fn describe(model: &str, timing: &Timing) -> String {
    let t = timing;
    let mut text = format!(
        "{model}: {} asked in {:.1} s ({:.1} per second), {} from cache{}, {} retries\n",
        t.asked,
        t.seconds,
        t.per_second,
        t.cached,
        t.cached_answered_at.map_or_else(String::new, |at| format!(
            ", {}",
            age::range((at.oldest, at.newest), age::now())
        )),
        t.retried
    );
    if t.asked == 0 {
        return text;
    }
    if t.prompt_tokens > 0 {
        text.push_str(&format!(
            "{} prompt tokens, {} of them from the prefix cache; {:.0} per second\n",
            t.prompt_tokens,
            t.cached_tokens,
            t.prompt_tokens as f64 / t.seconds.max(1e-9)
        ));
    }
    if let [endpoint] = t.endpoints.as_slice() {
        if endpoint.peak > 1 {
            text.push_str(&format!(
                "up to {} requests at once, {} at the end\n",
                endpoint.peak, endpoint.limit
            ));
        }
    } else {
        for (n, e) in t.endpoints.iter().enumerate() {
            text.push_str(&format!(
                "server {}: {} answered, up to {} requests at once, {} failed, away {} times\n",
                n + 1,
                e.answered,
                e.peak,
                e.failed,
                e.outages
            ));
        }
    }
    text.push_str(&table(&t.phases));
    text
}

fn table(phases: &[Phase]) -> String {
    if phases.is_empty() {
        return String::new();
    }
    let header = ["ms per answer", "p50", "p90", "p99", "max"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(phases.iter().map(|phase| {
        let figures = [phase.p50_ms, phase.p90_ms, phase.p99_ms, phase.max_ms];
        let cells = figures.map(|ms| fixed(ms, if ms < 10.0 { 2 } else { 0 }, false));
        std::iter::once(phase.name.clone()).chain(cells).collect()
    }));
    crate::terminal::columns(rows, &[1, 2, 3, 4])
}
