//! Servers that ask to wait, and keys in the wrong place.

use sureness_faultserver::{Fault, RetryAfter, Rule, Script};
use sureness_testkit::{Case, ends_with, says, text};

use super::{SHORT, figures};

#[test]
fn a_server_that_asks_for_a_day_stops_the_run_and_nothing_is_lost() {
    let fault = Fault::TooManyRequests {
        retry_after: RetryAfter::Seconds(86_400.0),
        quota: false,
    };
    let case = Case::new(Script::with(Rule::containing("Answer:", fault).limit(1)));
    let line = format!("run {SHORT}");
    let output = case.run(&line);
    ends_with(&output, 1);
    says(
        &text(&output.stderr),
        &[
            "HTTP 429, asking to wait 24 h",
            "asks only the rest",
            "--give-up-after",
        ],
    );
    ends_with(&case.run(&line), 0);
    assert_eq!(figures(&case)[0]["groups"][0]["answered"], 24);
}

#[test]
fn a_key_in_the_fields_of_requests_is_refused_and_not_repeated() {
    let case = Case::new(Script::healthy());
    for extra in [
        r#"{"user":"me-sk-hidden"}"#,
        r#"{"temperature":"sk-hidden"}"#,
        r#"["sk-hidden"#,
    ] {
        let mut command = case.command(&format!("run {SHORT} --extra-body {extra}"));
        let output = command
            .env("SURENESS_API_KEY", "sk-hidden")
            .output()
            .unwrap();
        ends_with(&output, 2);
        let stderr = text(&output.stderr);
        says(&stderr, &["--extra-body", "hint: "]);
        assert!(!stderr.contains("sk-hidden"), "{stderr}");
    }
    assert!(case.questions().is_empty());
}
