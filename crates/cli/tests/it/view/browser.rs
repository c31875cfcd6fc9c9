//! The pages in a real browser. Pictures go to the folder that `SURENESS_SCREENSHOTS` names.

use serde_json::Value;
use sureness_faultserver::Script;
use sureness_testkit::browser::{Browser, program};
use sureness_testkit::{Case, Process, ends_with, results_in};

use super::{RUN, serve, slow};

/// Nothing is wider than the screen, on any of these widths.
#[track_caller]
fn assert_fits(browser: &mut Browser) {
    for width in [320, 390, 768, 1280] {
        browser.resize(width, 844);
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(u64::from(width)), "{width}: {wide}");
    }
}

#[track_caller]
fn assert_quiet(browser: &mut Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_run_is_watched_from_its_beginning_to_its_end() {
    let Some(program) = program() else { return };
    let case = Case::new(slow());
    std::fs::create_dir(case.results()).unwrap();
    let page = serve(&case, "results");
    let mut browser = Browser::start(&program);
    browser.resize(1280, 900);
    browser.visit(&format!("{}latest", page.url));
    let run = Process::spawn(&mut case.command(RUN));

    browser.wait_for_page("!!document.querySelector('.status')");
    browser.wait_for("document.querySelector('[data-part=figures] td[data-v]')");
    assert_eq!(
        browser.eval("!!document.querySelector('.provisional')"),
        true
    );
    browser.screenshot("view-running.png");
    // What a reader has focused stays focused while parts are replaced.
    browser.wait_for("document.querySelector('[data-part=latest] a')");
    browser.eval("document.querySelector('[data-part=latest] .scroll').focus()");

    browser.wait_for("document.getElementById('main').dataset.state === 'finished'");
    assert_eq!(run.end(), 0);
    assert_eq!(browser.eval("document.activeElement.className"), "scroll");
    assert_eq!(
        browser.eval("!!document.querySelector('.provisional')"),
        false
    );
    let results = results_in(&case.results());
    let acc = results["models"][0]["mean"]["acc"].as_f64().unwrap();
    let shown = browser.eval(
        "document.querySelector('[data-part=figures] table').tBodies[1].rows[0].cells[3].firstChild.textContent.trim()",
    );
    assert_eq!(shown, format!("{:.1}", 100.0 * acc));
    browser.screenshot("view-finished.png");
    assert_quiet(&mut browser);
    assert_fits(&mut browser);

    browser.resize(390, 844);
    browser.eval("document.getElementById('theme').click()");
    assert_eq!(
        browser.eval("document.documentElement.dataset.theme"),
        "dark"
    );
    browser.screenshot("view-phone-dark.png");
    browser.eval("document.querySelector('[data-part=latest]').scrollIntoView()");
    browser.screenshot("view-phone-latest.png");
    let question = browser.eval("document.querySelector('[data-part=latest] a').href");
    browser.visit(question.as_str().unwrap());
    assert_eq!(browser.eval("!!document.querySelector('pre.prompt')"), true);
    browser.screenshot("view-phone-question.png");
    assert_fits(&mut browser);
    assert_quiet(&mut browser);
}

#[test]
fn runs_are_chosen_and_compared() {
    let Some(program) = program() else { return };
    let case = Case::new(Script::healthy());
    let run = "run --tasks qa --sample-size 60 --prompt-strategies base --progress none";
    for seed in 1..=3 {
        ends_with(&case.run(&format!("{run} --seed {seed}")), 0);
    }
    let page = serve(&case, "results");
    let mut browser = Browser::start(&program);
    browser.resize(1280, 1600);
    browser.visit(&page.url);
    browser.screenshot("view-list.png");
    let disabled = "document.getElementById('compare').disabled";
    assert_eq!(browser.eval(disabled), true);
    for at in 0..2 {
        browser.eval(&format!(
            "document.querySelectorAll('.list input')[{at}].click()"
        ));
    }
    assert_eq!(browser.eval(disabled), false);
    assert_fits(&mut browser);
    browser.resize(1280, 1600);
    browser.eval("document.getElementById('compare').click()");
    browser.wait_for_page("location.pathname === '/compare' && !!document.querySelector('footer')");
    assert_eq!(
        browser.eval("document.querySelector('h1').textContent.length > 0"),
        true
    );
    assert_ne!(browser.eval("document.querySelector('table')"), Value::Null);
    browser.screenshot("view-compare.png");
    assert_fits(&mut browser);
    assert_quiet(&mut browser);
}
