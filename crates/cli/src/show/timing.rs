//! How long a run took, and where the time went.

use sureness_analysis::number::{counted, fixed};
use sureness_bench::age;
use sureness_report::{Phase, Timing};

/// A run's timing in a few lines.
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
    let without: u64 = t.endpoints.iter().map(|e| e.without_logprobs).sum();
    if without > 0 {
        text.push_str(&format!(
            "{} lacked log-probabilities; their questions were asked again, up to --max-retries times\n",
            counted(without as usize, "answer")
        ));
    }
    if t.prompt_tokens > 0 {
        text.push_str(&format!(
            "{} prompt tokens, {} of them from the prefix cache; {:.0} per second\n",
            t.prompt_tokens,
            t.cached_tokens,
            t.prompt_tokens as f64 / t.seconds.max(1e-9)
        ));
    }
    if t.answer_tokens > 0 {
        text.push_str(&format!(
            "{} answer tokens; {:.0} per second\n",
            t.answer_tokens,
            t.answer_tokens as f64 / t.seconds.max(1e-9)
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
    super::terminal::columns(rows, &[1, 2, 3, 4])
}
