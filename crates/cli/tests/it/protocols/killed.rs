//! Runs that are killed among answers that say nothing: what is stored is not asked for again.

use std::process::Stdio;

use sureness_faultserver::{Fault, Unsaid};
use sureness_testkit::{Process, results_in, text, wait_for};

use super::{PROTOCOLS, count, is_broken, now_and_then, played, playing, requests};
use crate::sampled::{OWN, case};

/// Requests in flight at once.
const AT_ONCE: u64 = 8;

#[test]
fn nothing_that_is_stored_is_asked_for_again_after_a_kill() {
    for api in PROTOCOLS {
        let each = Unsaid::ALL.map(|how| Fault::Unsaid { how });
        let mut script = playing(now_and_then(40, each.to_vec()));
        script.capacity.base_ms = 10;
        let case = case(script, 40);
        let line = format!(
            "run --answers sampled --api {api} --samples 8 --max-workers {AT_ONCE} \
             --retry-delay 0.01 --max-retries 20 --allowed-failures 0.5 {OWN}"
        );
        let mut command = case.command(&line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let run = Process::spawn(&mut command);
        wait_for(|| api.to_owned(), || requests(&case).len() > 120);
        run.kill();
        assert!(case.server.wait_until_idle(sureness_testkit::PATIENCE));
        let before = requests(&case);
        let output = case.run(&line);
        assert!(output.status.success(), "{api}: {}", text(&output.stderr));
        let results = results_in(&case.results());
        assert_eq!(count(&results, "answers"), 320, "{api}");
        let again = requests(&case).split_off(before.len());
        let timing = &results["models"][0]["timing"];
        let cached = timing["cached"].as_u64().unwrap();
        let broken = played(&again, is_broken);
        assert_eq!(again.len() as u64, 320 - cached + broken, "{api}: {timing}");
        // Answers that the server gave are lost only where they were on their way to the store. On a
        // busy machine its writer may be some requests behind.
        let given = before.len() as u64 - played(&before, is_broken);
        assert!(
            cached + 6 * AT_ONCE >= given,
            "{api}: {cached} of {given} are kept"
        );
    }
}
