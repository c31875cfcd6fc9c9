//! Answers in words in the browser of questions.

use serde_json::json;
use sureness_report::html::{
    AnswerEntry, HtmlOptions, MeaningEntry, ModelWords, QuestionBrowser, QuestionEntry,
    QuestionWords, TaskQuestions, html,
};

use super::{HOSTILE, SIZE, assert_quiet, opened, to_questions};
use crate::sample;
use sureness_testkit::browser::Browser;

/// The number of open questions.
const OPEN: usize = 30;

fn entry(reading: &str, text: &str, count: usize) -> AnswerEntry {
    AnswerEntry {
        text: text.to_owned(),
        thought: (count > 1).then(|| format!("Let me see: {text}?")),
        reading: reading.to_owned(),
        count,
    }
}

fn meaning(text: &str, count: u32, accepted: bool) -> MeaningEntry {
    MeaningEntry {
        text: text.to_owned(),
        count,
        share: f64::from(count) / 9.0,
        accepted,
    }
}

/// Answers to an open question; every third time the truth comes second.
fn said(number: usize) -> QuestionWords {
    let river = format!("River {number}");
    let meanings = match number % 3 {
        0 => [meaning("The Rhine", 6, false), meaning(&river, 3, true)],
        _ => [meaning(&river, 8, true), meaning("The Rhine", 1, false)],
    };
    QuestionWords {
        prefix: "Question: Which river flows through Cairo?\nAnswer: Nile\n\n".repeat(5),
        prompt: Some(format!(
            "Question: Which river is number {number}?\nAnswer:"
        )),
        meanings: meanings.into(),
        more_meanings: 0,
        entropy: Some(0.637),
        held: (!number.is_multiple_of(2)).then_some(1),
        answers: vec![
            entry(&format!("{:?}", river.to_lowercase()), &river, 4),
            entry("\"rhine\"", HOSTILE, 1),
            entry("refused", "I'm sorry, but I can't help with that.", 1),
            entry("cut", "", 1),
        ],
        more_answers: 3,
    }
}

/// An open task, and answers in words to the first task of the sample.
fn questions() -> QuestionBrowser {
    let mut browser = sample::questions(SIZE);
    let question = |number: usize| QuestionEntry {
        id: format!("river-{number:02}"),
        stem: Some(format!("Which river is number {number}?")),
        accepted: vec![format!("River {number}"), HOSTILE.to_owned()],
        tags: vec!["divided".to_owned()],
        ..QuestionEntry::default()
    };
    let words = |model| ModelWords {
        model,
        strategy: 0,
        questions: (0..OPEN)
            .map(|it| (it != 7 || model > 0).then(|| said(it)))
            .collect(),
    };
    browser.tasks.push(TaskQuestions {
        title: "Rivers".to_owned(),
        questions: (0..OPEN).map(question).collect(),
        is_open: true,
        words: (0..3).map(words).collect(),
        ..TaskQuestions::default()
    });
    let drawn = |_| {
        Some(QuestionWords {
            prompt: Some("Question: How many?\nChoices:\nA. 1\nAnswer:".to_owned()),
            answers: vec![
                entry("B", "**B**", 19),
                entry("unreadable", "It depends.", 1),
            ],
            ..QuestionWords::default()
        })
    };
    browser.tasks[0].words = vec![ModelWords {
        model: 1,
        strategy: 0,
        questions: (0..SIZE.questions).map(drawn).collect(),
    }];
    browser
}

fn page() -> String {
    let options = HtmlOptions {
        draw: &sample::draw::draw,
        highlights: &[],
    };
    html(&sample::document(SIZE), Some(&questions()), &options)
}

/// The text of what is found, in a line.
fn text(browser: &mut Browser, selector: &str) -> String {
    let found = browser.eval(&format!(
        "[...document.querySelectorAll('{selector}')].map((it) => it.innerText).join(' · ')"
    ));
    let found = found.as_str().unwrap_or_default();
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn choose_task(browser: &mut Browser, task: usize) {
    browser.eval(&format!(
        "(() => {{
           const select = document.querySelector('#questions select');
           select.value = '{task}';
           select.dispatchEvent(new Event('input', {{ bubbles: true }}));
         }})()"
    ));
}

#[test]
fn answers_are_shown_with_their_readings() {
    let Some((mut browser, _folder)) = opened(&page()) else {
        return;
    };
    to_questions(&mut browser);
    // Beside the probabilities of a question with options.
    let drawn = text(&mut browser, ".words");
    for part in [
        "read as B 19 times",
        "**B**",
        "read as unreadable",
        "It depends.",
    ] {
        assert!(drawn.contains(part), "{part}: {drawn}");
    }
    assert_eq!(
        browser.eval("document.querySelectorAll('.words').length"),
        1
    );

    choose_task(&mut browser, sample::TASKS.len());
    browser.screenshot("open-question.png");
    assert_eq!(
        text(&mut browser, ".accepted").split(',').next(),
        Some("Accepted: River 0")
    );
    let rows = text(&mut browser, ".words:nth-of-type(1) .meanings tbody tr");
    assert_eq!(
        text(&mut browser, ".meanings tbody")
            .matches("✓ accepted")
            .count(),
        3,
        "{rows}"
    );
    assert!(rows.contains("The Rhine 6 66.7"), "{rows}");
    let list = text(&mut browser, ".picker button");
    assert!(list.starts_with("river-00 0 of 3 right"), "{list}");
    assert!(list.contains("river-01 3 of 3 right"), "{list}");
    // A question that one model did not answer.
    assert!(list.contains("river-07 2 of 2 right"), "{list}");
    // Strangers' words are words.
    let answer = "document.querySelectorAll('.answers .said')[1].textContent";
    assert_eq!(browser.eval(answer), HOSTILE);
    assert_eq!(browser.eval("document.images.length"), 0);
    assert_eq!(browser.eval("typeof pwned"), "undefined");
    // Which prompt was sent.
    browser.eval(
        "for (const details of document.querySelectorAll('.words details')) details.open = true",
    );
    let prompt = text(&mut browser, ".words:nth-of-type(1) .prompt");
    assert!(
        prompt.ends_with("Which river is number 0? Answer:"),
        "{prompt}"
    );
    browser.screenshot("open-question-all.png");
    browser.resize(390, 844);
    let wide = browser.eval("document.documentElement.scrollWidth");
    assert!(wide.as_u64() <= Some(390), "{wide}");
    browser.eval("document.querySelector('.question').scrollIntoView()");
    browser.screenshot("phone-open-question.png");
    browser.eval("document.querySelector('.answers').scrollIntoView()");
    browser.screenshot("phone-answers.png");
    assert_quiet(&mut browser);
}

#[test]
fn open_questions_are_filtered_by_accepted_answers() {
    let Some((mut browser, _folder)) = opened(&page()) else {
        return;
    };
    to_questions(&mut browser);
    choose_task(&mut browser, sample::TASKS.len());
    browser.eval("document.querySelector('#questions input').focus()");
    browser.type_text("River 12");
    assert_eq!(
        browser.eval("document.querySelectorAll('.picker button').length"),
        json!(1)
    );
    assert_quiet(&mut browser);
}
