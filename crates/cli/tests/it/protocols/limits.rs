//! Limits of requests and tokens, in the headers of each protocol.

use std::time::Duration;

use sureness_faultserver::{Fault, RetryAfter, Rule};
use sureness_testkit::{results_in, text};

use super::{PRICES, PROTOCOLS, costs, count, now_and_then, played, playing, requests};
use crate::sampled::{OWN, case};

#[test]
fn throttled_answers_are_asked_for_again_and_paid_for_once() {
    let throttle = |retry_after, quota| Fault::TooManyRequests { retry_after, quota };
    for api in PROTOCOLS {
        let faults = vec![
            throttle(RetryAfter::None, false),
            throttle(RetryAfter::Seconds(0.02), false),
        ];
        let case = case(playing(now_and_then(15, faults)), 20);
        let output = case.run(&format!(
            "run --answers sampled --api {api} --samples 6 --retry-delay 0.01 --max-retries 20 {PRICES} {OWN}"
        ));
        assert!(output.status.success(), "{api}: {}", text(&output.stderr));
        let results = results_in(&case.results());
        assert_eq!(count(&results, "chosen"), 120, "{api}");
        let requests = requests(&case);
        let throttled = played(&requests, |_| true);
        assert!(throttled > 5, "{api}");
        assert_eq!(requests.len() as u64, 120 + throttled, "{api}");
        costs(&results, &requests, api);
    }
}

#[test]
fn nothing_is_sent_before_a_limit_of_tokens_is_restored() {
    // The last has the headers of Anthropic, which tell a date; its limit is back after a second.
    for (api, pause) in [("chat", 15), ("responses", 15), ("messages", 900)] {
        let spent = Fault::TooManyRequests {
            retry_after: RetryAfter::None,
            quota: true,
        };
        let rule = Rule::containing("the number 9?", spent).limit(1);
        let case = case(playing(rule), 20);
        let output = case.run(&format!(
            "run --answers sampled --api {api} --samples 6 --max-workers 1 --retry-delay 0.001 {OWN}"
        ));
        assert!(output.status.success(), "{api}: {}", text(&output.stderr));
        let requests = requests(&case);
        assert_eq!(requests.len(), 121, "{api}");
        let throttled = requests
            .iter()
            .position(|entry| entry.fault.is_some())
            .unwrap();
        let next = requests[throttled + 1]
            .at
            .saturating_sub(requests[throttled].at);
        assert!(next >= Duration::from_millis(pause), "{api}: {next:?}");
    }
}
