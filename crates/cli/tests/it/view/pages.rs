//! What the pages say.

use sureness_faultserver::{Fault, Rule, Script};
use sureness_testkit::{Case, ends_with, says, text, wait_for};

use super::serve;

const RUN: &str = "run --tasks qa --sample-size 60 --prompt-strategies base --progress none";

/// The text of a page's tags and entities, as far as these tests need it.
fn plain(html: &str) -> String {
    html.replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&amp;", "&")
}

#[test]
fn runs_are_listed_compared_and_shown_question_by_question() {
    let case = Case::new(Script::healthy());
    ends_with(&case.run(RUN), 0);
    ends_with(&case.run(&format!("{RUN} --seed 7")), 0);
    let page = serve(&case, "results");

    let list = page.get("/").body;
    says(
        &list,
        &[
            "/run/0/1\"",
            "/run/0/2\"",
            "fault-model",
            "From run to run",
            "Settings side by side",
            "evaluation.seed",
            "the settings of the evaluation changed between run 1",
        ],
    );
    let compared = page.get("/compare?run=0/1&run=0/2");
    assert_eq!(compared.status, 200);
    says(&compared.body, &["fault-model", "results#1", "results#2"]);
    assert_eq!(page.get("/compare?run=0/1").status, 404);

    // The prompt is that of `sureness show`, to the last character.
    let run = page.get("/run/0/1").body;
    let id = run
        .split("question?id=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let shown = text(
        &case
            .sureness(&format!("show results#1 {id}"))
            .output()
            .unwrap()
            .stdout,
    );
    let prompt = shown
        .split("──────\n")
        .nth(1)
        .unwrap()
        .split("\n\nOptions")
        .next()
        .unwrap();
    let question = plain(&page.get(&format!("/run/0/1/question?id={id}")).body);
    says(
        &question,
        &[prompt.trim_end(), "test half", "Log-probability"][..1],
    );
    says(&question, &["Log-probability", " half"]);
}

#[test]
fn failures_come_with_their_reason_and_money_with_its_price() {
    let refused = Rule::matching(
        |asked| {
            let prompt = asked.prompts.first().map(ToString::to_string);
            prompt.is_some_and(|prompt| prompt.contains("Answer:") && prompt.len() % 5 == 0)
        },
        Fault::Status {
            status: 400,
            message: "<b>not this one</b>".to_owned(),
        },
    );
    let case = Case::new(Script::with(refused));
    ends_with(&case.run(&format!("{RUN} --allowed-failures 0.9")), 0);
    let page = serve(&case, "results --price-in 2 --price-out 4");
    let run = page.get("/run/0/1").body;
    says(
        &run,
        &[
            "Questions without an answer",
            "&lt;b&gt;not this one&lt;/b&gt;",
            "hint: ",
            "Tokens and cost",
        ],
    );
    assert!(!run.contains("<b>not this one"));
}

#[test]
fn one_folder_that_cannot_be_read_leaves_the_others() {
    let case = Case::new(Script::healthy());
    ends_with(&case.asking(RUN, "nights/monday").output().unwrap(), 0);
    std::fs::create_dir(case.path("nights/tuesday")).unwrap();
    std::fs::write(case.path("nights/tuesday/sureness.sqlite"), "no store").unwrap();
    std::fs::create_dir(case.path("nights/empty")).unwrap();
    let page = serve(&case, "nights");
    let list = page.get("/");
    assert_eq!(list.status, 200);
    says(
        &list.body,
        &["/run/0/1\"", "nights/tuesday", "class=\"trouble\""],
    );

    // A night that is added appears.
    ends_with(&case.asking(RUN, "nights/wednesday").output().unwrap(), 0);
    wait_for(
        || page.get("/list").body,
        || page.get("/list").body.contains("/run/2/1\""),
    );
}

#[test]
fn folders_that_are_not_there_are_refused() {
    let case = Case::new(Script::healthy());
    let output = case.sureness("view nowhere").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &["nowhere does not exist", "hint: name the --output-dir"],
    );
}
