//! Reads rate-limit headers.

use std::time::Duration;

use jiff::Timestamp;

use super::status::server_time;
use super::wire::KeptHeaders;
use crate::{Allowance, Quota};

/// Reads the headers of the big providers (`x-ratelimit-remaining-requests`,
/// `x-ratelimit-reset-tokens`, …), and of the drafts of a standard, which have one limit:
/// `ratelimit-remaining` with `ratelimit-reset`, or `ratelimit: "default";r=50;t=30`.
///
/// Anthropic's give the time of the reset as a date (RFC 3339), by the server's clock: the header `date`.
///
/// An allowance without the time of its reset is ignored: it does not determine a rate.
pub(super) fn quota(headers: &KeptHeaders) -> Quota {
    if headers.is_empty() {
        return Quota::default();
    }
    let pair = |remaining: &str, reset: &str| {
        Some(Allowance {
            remaining: count(headers.get(remaining)?)?,
            resets_in: span(headers.get(reset)?)?,
        })
    };
    let of = |what: &str| {
        pair(
            &format!("x-ratelimit-remaining-{what}"),
            &format!("x-ratelimit-reset-{what}"),
        )
    };
    Quota {
        requests: of("requests")
            .or_else(|| pair("x-ratelimit-remaining", "x-ratelimit-reset"))
            .or_else(|| pair("ratelimit-remaining", "ratelimit-reset"))
            .or_else(|| structured(headers.get("ratelimit")?))
            .or_else(|| anthropic(headers, "requests")),
        tokens: of("tokens").or_else(|| anthropic_tokens(headers)),
    }
}

/// The tightest of Anthropic's limits of tokens. That of output tokens counts once it is used up: until
/// then what remains of it says nothing of prompts.
fn anthropic_tokens(headers: &KeptHeaders) -> Option<Allowance> {
    let output = anthropic(headers, "output-tokens").filter(|left| left.remaining == 0);
    let prompts = ["input-tokens", "tokens"].iter();
    let prompts = prompts.filter_map(|what| anthropic(headers, what));
    output
        .into_iter()
        .chain(prompts)
        .min_by_key(|left| left.remaining)
}

fn anthropic(headers: &KeptHeaders, what: &str) -> Option<Allowance> {
    let get = |part: &str| headers.get(&format!("anthropic-ratelimit-{what}-{part}"));
    let reset: Timestamp = get("reset")?.parse().ok()?;
    let now = Timestamp::try_from(server_time(headers)).ok()?;
    Some(Allowance {
        remaining: count(get("remaining")?)?,
        // A date in the past means now.
        resets_in: Duration::try_from(reset.duration_since(now)).unwrap_or_default(),
    })
}

/// The tighter of two quotas: responses of one batch arrive in any order.
pub(super) fn tighter(a: Quota, b: Quota) -> Quota {
    let least = |a: Option<Allowance>, b: Option<Allowance>| match (a, b) {
        (Some(a), Some(b)) if b.remaining < a.remaining => Some(b),
        (a, b) => a.or(b),
    };
    Quota {
        requests: least(a.requests, b.requests),
        tokens: least(a.tokens, b.tokens),
    }
}

fn count(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    (number >= 0.0 && number <= u64::MAX as f64).then_some(number as u64)
}

/// `1m30s`, `20ms`, `6m0s`, or plain seconds.
pub(super) fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // A number this large is a timestamp, in no standard form.
        return Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|span| span.as_secs() < 1_000_000_000);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..letters] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

/// `"default";r=50;t=30`; of several limits the first.
fn structured(text: &str) -> Option<Allowance> {
    let first = text.split(',').next()?;
    let field = |name: &str| {
        first.split(';').find_map(|part| {
            let (known, value) = part.trim().split_once('=')?;
            (known.trim() == name).then_some(value)
        })
    };
    Some(Allowance {
        remaining: count(field("r")?)?,
        resets_in: span(field("t")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Quota {
        let mut kept = KeptHeaders::default();
        for (name, value) in headers {
            kept.keep(name, value.as_bytes());
        }
        quota(&kept)
    }

    fn allowance(remaining: u64, millis: u64) -> Allowance {
        Allowance {
            remaining,
            resets_in: Duration::from_millis(millis),
        }
    }

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for (text, millis) in [
            ("1m30s", 90_000),
            ("20ms", 20),
            ("6m0s", 360_000),
            ("1h2m3s", 3_723_000),
            ("1d", 86_400_000),
            ("7.66s", 7660),
            ("2m59.56s", 179_560),
            ("30", 30_000),
            (" 0.5 ", 500),
        ] {
            assert_eq!(span(text).map(|d| d.as_millis()), Some(millis), "{text}");
        }
        for bad in [
            "",
            "s",
            "1x",
            "-1",
            "soon",
            "1m30",
            "1e300",
            "NaN",
            "1795531301",
            "..s",
        ] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_kind_of_header_is_read() {
        let openai = read(&[
            ("X-RateLimit-Remaining-Requests", "59"),
            ("X-RateLimit-Reset-Requests", "1s"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6ms"),
        ]);
        assert_eq!(openai.requests, Some(allowance(59, 1000)));
        assert_eq!(openai.tokens, Some(allowance(149_984, 6)));
        let old = read(&[("RateLimit-Remaining", "7"), ("RateLimit-Reset", "30")]);
        assert_eq!(
            (old.requests, old.tokens),
            (Some(allowance(7, 30_000)), None)
        );
        let new = read(&[("RateLimit", "\"default\";r=50;t=30, \"day\";r=1;t=9")]);
        assert_eq!(new.requests, Some(allowance(50, 30_000)));
        let half = read(&[("x-ratelimit-remaining-requests", "5")]);
        assert_eq!(half, Quota::default());
    }

    #[test]
    fn dates_of_anthropic_are_meant_by_its_clock() {
        let of = |headers: &[(&str, &str)]| {
            let mut kept = KeptHeaders::default();
            for (name, value) in headers {
                kept.keep(name, value.as_bytes());
            }
            kept.keep_date(Some(b"Mon, 24 Feb 2025 20:38:03 GMT"));
            quota(&kept)
        };
        let requests = [
            ("anthropic-ratelimit-requests-remaining", "3999"),
            ("anthropic-ratelimit-requests-reset", "2025-02-24T20:37:51Z"),
        ];
        let output = |remaining| {
            [
                ("anthropic-ratelimit-output-tokens-remaining", remaining),
                (
                    "anthropic-ratelimit-output-tokens-reset",
                    "2025-02-24T20:38:13Z",
                ),
            ]
        };
        let some_left = of(&[requests, output("80000")].concat());
        assert_eq!(some_left.requests, Some(allowance(3999, 0)));
        assert_eq!(some_left.tokens, None);
        assert_eq!(of(&output("0")).tokens, Some(allowance(0, 10_000)));
        let input = [
            ("anthropic-ratelimit-input-tokens-remaining", "500"),
            (
                "anthropic-ratelimit-input-tokens-reset",
                "2025-02-24T20:38:05Z",
            ),
            ("anthropic-ratelimit-tokens-remaining", "900"),
            ("anthropic-ratelimit-tokens-reset", "2025-02-24T20:38:05Z"),
        ];
        assert_eq!(of(&input).tokens, Some(allowance(500, 2000)));
        let odd = [
            ("anthropic-ratelimit-tokens-remaining", "0"),
            ("anthropic-ratelimit-tokens-reset", "soon"),
        ];
        assert_eq!(of(&odd), Quota::default());
    }

    #[test]
    fn the_tighter_one_counts() {
        let of = |requests, tokens| Quota { requests, tokens };
        let (few, many) = (Some(allowance(1, 9)), Some(allowance(5, 1)));
        assert_eq!(tighter(of(many, None), of(few, many)), of(few, many));
        assert_eq!(tighter(of(few, many), of(many, None)), of(few, many));
    }
}
