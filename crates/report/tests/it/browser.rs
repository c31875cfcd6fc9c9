//! The HTML report in a real browser. Pictures go to the folder that `SURENESS_SCREENSHOTS` names.

mod words;

use std::fmt::Write as _;

use crate::sample::{self, Size};
use serde_json::{Value, json};
use sureness_report::html::{HtmlOptions, html};
use sureness_testkit::browser::{Browser, program};

const SIZE: Size = Size {
    models: 12,
    questions: 120,
};

/// What a stranger may call a model or write in a question.
const HOSTILE: &str =
    "</script><img src=x onerror=\"pwned=1\"><script>pwned=1</script>'\"\u{202e}\u{0}🦀";

/// Opens a page in a browser of its own; `None` where there is no browser.
fn opened(page: &str) -> Option<(Browser, tempfile::TempDir)> {
    let program = program()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, page).unwrap();
    let mut browser = Browser::start(&program);
    browser.resize(1280, 900);
    browser.open(&file);
    Some((browser, folder))
}

/// The sort keys of a column of the first table, as far as its rows are seen.
fn column(browser: &mut Browser, column: usize) -> Vec<f64> {
    let values = browser.eval(&format!(
        "[...document.querySelector('main table').tBodies[0].rows].filter((row) => !row.hidden)
           .map((row) => Number(row.cells[{column}].dataset.v))"
    ));
    serde_json::from_value(values).unwrap()
}

fn assert_quiet(browser: &mut Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Opens the browser of questions.
fn to_questions(browser: &mut Browser) {
    browser.eval("document.getElementById('questions').scrollIntoView()");
    browser.wait_for("document.querySelector('.picker button')");
}

const COUNT: &str = "document.querySelector('#questions .filters output').textContent";

#[test]
fn tables_sort_and_filter() {
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    browser.screenshot("desktop-light.png");
    let heading =
        |at: usize| format!("document.querySelector('main table').tHead.rows[0].cells[{at}]");
    let first = column(&mut browser, 3);

    // Figures come with the most on top at the first click.
    browser.eval(&format!("{}.querySelector('button').click()", heading(3)));
    let values = column(&mut browser, 3);
    assert_eq!(values.len(), SIZE.models);
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    assert_ne!(
        values, first,
        "the order was this before, and shows nothing"
    );
    let sorted = format!("{}.getAttribute('aria-sort')", heading(3));
    assert_eq!(browser.eval(&sorted), "descending");

    // By keyboard the other way round, then as it was.
    browser.eval(&format!("{}.querySelector('button').focus()", heading(3)));
    browser.press("Enter", 13);
    let values = column(&mut browser, 3);
    assert!(values.is_sorted(), "{values:?}");
    browser.eval("document.activeElement.click()");
    assert_eq!(column(&mut browser, 3), first);
    assert_eq!(browser.eval(&sorted), Value::Null);

    // Part of a name leaves the models that have it.
    browser.eval("document.querySelector('#s-leaderboard input[type=search]').focus()");
    browser.type_text("heron");
    let herons = sample::names(SIZE.models)
        .iter()
        .filter(|name| name.contains("Heron"))
        .count();
    assert!(herons > 0 && herons < SIZE.models);
    assert_eq!(column(&mut browser, 1).len(), herons);
    assert_eq!(
        browser.eval("document.querySelector('#s-leaderboard output').textContent"),
        format!("{herons} of {} rows", SIZE.models)
    );

    // Columns of few different words have a list to choose from.
    let rows = browser.eval(
        "(() => {
           const label = [...document.querySelectorAll('#s-tasks label')]
             .find((label) => label.firstChild.textContent === 'Strategy');
           const select = label.querySelector('select');
           select.value = '=shared';
           select.dispatchEvent(new Event('input', { bubbles: true }));
           return [...document.querySelectorAll('#s-tasks .scroll tbody tr')]
             .filter((row) => !row.hidden && row.closest('.scroll').classList.contains('tall'))
             .map((row) => row.cells[2].textContent);
         })()",
    );
    let rows: Vec<String> = serde_json::from_value(rows).unwrap();
    assert_eq!(rows.len(), SIZE.models * sample::TASKS.len());
    assert!(rows.iter().all(|strategy| strategy == "shared"));
    assert_quiet(&mut browser);
}

#[test]
fn rows_stay_above_their_rule() {
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    let last = browser.eval(
        "(() => {
           const table = document.querySelector('#s-subjects table');
           const button = table.tHead.rows[0].cells[2].querySelector('button');
           button.click();
           return table.rows[table.rows.length - 1].cells[0].textContent;
         })()",
    );
    assert_eq!(last, "All subjects");
}

#[test]
fn questions_show_what_was_answered() {
    let questions = sample::questions(SIZE);
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    assert_eq!(
        browser.eval("document.querySelector('.picker')"),
        Value::Null,
        "nothing is made before it is looked for"
    );
    to_questions(&mut browser);
    browser.screenshot("questions.png");
    assert_eq!(browser.eval(COUNT), format!("{} questions", SIZE.questions));

    // The cells are what was handed over: top option, probabilities, sets.
    let shown = browser.eval(
        "[...document.querySelectorAll('.probabilities tbody tr')].map((row) =>
           [...row.cells].map((cell) => cell.textContent.trim()).join('|')).join('\\n')",
    );
    let task = &questions.tasks[0];
    let mut expected = String::new();
    for of_model in task.answers.iter().filter(|a| a.strategy == 0) {
        if !expected.is_empty() {
            expected.push('\n');
        }
        expected.push_str(&questions.models[of_model.model]);
        let Some(answer) = &of_model.answers[0] else {
            expected.push_str(&"|–".repeat(task.letters.len() + 3));
            continue;
        };
        let right = task.questions[0]
            .right
            .is_some_and(|it| it.contains(answer.top));
        let sign = if right { "✓ right" } else { "✗ wrong" };
        write!(expected, "|{} {sign}", task.letters[answer.top]).unwrap();
        for p in &answer.probabilities {
            write!(expected, "|{:.1}", (p * 1000.0).round() / 10.0).unwrap();
        }
        for set in [answer.lac, answer.aps] {
            let members: Vec<&str> = (0..task.letters.len())
                .filter(|k| set.unwrap() >> k & 1 == 1)
                .map(|k| task.letters[k].as_str())
                .collect();
            write!(expected, "|{}", members.join(" ")).unwrap();
        }
    }
    assert_eq!(shown, expected);

    // By keyboard to the next one.
    browser.eval("document.querySelector('.picker button').focus()");
    browser.press("ArrowDown", 40);
    assert_eq!(
        browser.eval("document.querySelector('.question h3').textContent"),
        task.questions[1].id
    );

    // By what is noted about them.
    let divided = task
        .questions
        .iter()
        .filter(|q| q.tags.iter().any(|t| t == "divided"));
    let divided = divided.count();
    assert!(divided > 0);
    browser.eval(
        "(() => {
           const select = [...document.querySelectorAll('#questions label')]
             .find((label) => label.firstChild.textContent === 'Noted as').querySelector('select');
           select.selectedIndex = [...select.options].findIndex((o) => o.text === 'divided');
           select.dispatchEvent(new Event('input', { bubbles: true }));
         })()",
    );
    assert_eq!(
        browser.eval(COUNT),
        format!("{divided} of {} questions", SIZE.questions)
    );

    // In another task; what was chosen in the first does not bind there.
    browser.eval(
        "(() => {
           const select = document.querySelector('#questions select');
           select.value = '4';
           select.dispatchEvent(new Event('input', { bubbles: true }));
           document.querySelector('#questions input').focus();
         })()",
    );
    browser.type_text(&questions.tasks[4].questions[7].id);
    assert_eq!(
        browser.eval("document.querySelector('.question h3').textContent"),
        questions.tasks[4].questions[7].id
    );
    assert_quiet(&mut browser);
}

#[test]
fn strangers_texts_do_nothing() {
    let small = Size {
        models: 3,
        questions: 6,
    };
    let mut document = sample::document(small);
    let mut questions = sample::questions(small);
    document.title = HOSTILE.to_owned();
    document.summary[0] = HOSTILE.to_owned();
    document.settings = json!({ HOSTILE: [HOSTILE, { "name": HOSTILE }] });
    document.sections[0].title = HOSTILE.to_owned();
    document.sections[0].id = HOSTILE.to_owned();
    document.sections[0].tables[0].rows[0][0] = sureness_analysis::Cell::text(HOSTILE);
    document.sections[0].charts[0].caption = HOSTILE.to_owned();
    questions.models[0] = HOSTILE.to_owned();
    questions.tasks[0].questions[0].stem = Some(HOSTILE.to_owned());
    questions.tasks[0].questions[0].id = HOSTILE.to_owned();
    questions.tasks[0].questions[0].options[1] = HOSTILE.to_owned();
    questions.tasks[0].questions[0].category = HOSTILE.to_owned();
    let options = HtmlOptions {
        draw: &sample::draw::draw,
        highlights: &[],
    };
    let page = html(&document, Some(&questions), &options);
    let Some((mut browser, _folder)) = opened(&page) else {
        return;
    };
    to_questions(&mut browser);
    let shown = browser.eval("document.querySelector('.stem').textContent");
    assert_eq!(shown, HOSTILE, "it is text, to the last character");
    assert_eq!(browser.eval("document.images.length"), 0);
    assert_eq!(browser.eval("typeof pwned"), "undefined");
    assert_quiet(&mut browser);

    // Were a script to get in after all, the page's policy would not let it run.
    browser.eval(
        "(() => {
           const script = document.createElement('script');
           script.textContent = 'window.pwned = 1';
           document.body.append(script);
           document.body.insertAdjacentHTML('beforeend', '<p onclick=\"pwned = 1\" id=\"trap\">');
           document.getElementById('trap').click();
         })()",
    );
    assert_eq!(browser.eval("typeof pwned"), "undefined");
}

#[test]
fn themes_and_narrow_screens() {
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    let ground = "getComputedStyle(document.body).backgroundColor";
    let drawing = "getComputedStyle(document.querySelector('.drawing svg rect')).fill";
    let [light, drawn] = [ground, drawing].map(|what| browser.eval(what));
    assert_eq!(light, drawn);
    assert_contrast(&mut browser);
    browser.eval("document.getElementById('theme').click()");
    assert_eq!(
        browser.eval("document.documentElement.dataset.theme"),
        "dark"
    );
    let [dark, drawn] = [ground, drawing].map(|what| browser.eval(what));
    assert_ne!(light, dark);
    assert_eq!(dark, drawn, "charts follow");
    assert_contrast(&mut browser);
    browser.screenshot("desktop-dark.png");
    assert_eq!(
        browser.eval(
            "[...document.querySelectorAll('main > section > .tabular tbody tr')]
               .filter((row) => row.getBoundingClientRect().height % 1).length"
        ),
        0,
        "rows are whole pixels high"
    );

    to_questions(&mut browser);
    browser.eval("for (const details of document.querySelectorAll('details')) details.open = true");
    for width in [390, 320, 768, 1920] {
        browser.resize(width, 844);
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(u64::from(width)), "{width}: {wide}");
    }
    browser.resize(390, 844);
    // A tapped question comes into view, and wide tables say that they go on.
    let top = "Math.round(document.querySelector('.question').getBoundingClientRect().top)";
    browser.eval("document.querySelector('.picker').scrollIntoView()");
    assert!(browser.eval(top).as_i64() > Some(300));
    browser.eval("document.querySelectorAll('.picker button')[1].click()");
    assert!(browser.eval(top).as_i64() < Some(20));
    browser.screenshot("phone-questions.png");
    let sign = "[...document.querySelectorAll('.sideways')].filter((s) => !s.hidden).length";
    assert!(browser.eval(sign).as_u64() > Some(0));
    browser.eval("document.querySelector('#s-leaderboard table').scrollIntoView()");
    browser.screenshot("phone-table.png");
    browser.eval("scrollTo(0, 0)");
    browser.screenshot("phone.png");
    assert_quiet(&mut browser);
}

/// Words have a contrast of 4.5 at least to what is behind them (WCAG 2.1, criterion 1.4.3).
fn assert_contrast(browser: &mut Browser) {
    let poor = browser.eval(
        "(() => {
           const canvas = document.createElement('canvas').getContext('2d');
           const rgb = (name) => {
             const probe = document.createElement('i');
             probe.style.color = `var(${name})`;
             document.body.append(probe);
             canvas.fillStyle = getComputedStyle(probe).color;
             probe.remove();
             return [1, 3, 5].map((at) => parseInt(canvas.fillStyle.slice(at, at + 2), 16) / 255);
           };
           const light = (name) => {
             const [r, g, b] = rgb(name).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
             return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
           };
           const poor = [];
           for (const ground of ['--ground', '--raised', '--tint'])
             for (const text of ['--text', '--quiet', '--accent', '--good', '--bad']) {
               const [a, b] = [light(ground), light(text)];
               const contrast = Math.max(a, b) / Math.min(a, b);
               if (!(contrast >= 4.5)) poor.push(`${text} on ${ground}: ${contrast}`);
             }
           return poor;
         })()",
    );
    assert_eq!(poor, json!([]));
}

#[test]
fn it_can_be_used_without_a_mouse_and_without_eyes() {
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    browser.press("Tab", 9);
    assert_eq!(
        browser.eval("document.activeElement.className"),
        "skip",
        "the first stop leads past the contents"
    );
    to_questions(&mut browser);
    let flaws = browser.eval(
        "(() => {
           const flaws = [];
           const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
           if (new Set(ids).size !== ids.length) flaws.push('ids are not unique');
           let level = 0;
           for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
             const next = Number(heading.tagName[1]);
             if (next > level + 1) flaws.push(`h${next} below h${level}: ${heading.textContent}`);
             level = next;
           }
           for (const field of document.querySelectorAll('input, select'))
             if (!field.labels.length) flaws.push('a field without a name');
           for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
             for (const name of ['aria-labelledby', 'aria-describedby'])
               for (const id of (element.getAttribute(name) ?? '').split(' ').filter(Boolean))
                 if (!document.getElementById(id)?.textContent) flaws.push(`${name} names nothing: ${id}`);
           for (const link of document.querySelectorAll('a[href^=\"#\"]'))
             if (!document.getElementById(link.hash.slice(1))) flaws.push(`${link.hash} leads nowhere`);
           for (const button of document.querySelectorAll('button'))
             if (!button.textContent.trim()) flaws.push('a button without words');
           for (const drawing of document.querySelectorAll('.drawing'))
             if (!drawing.closest('figure').querySelector('figcaption + details table'))
               flaws.push('a chart without its values');
           return flaws;
         })()",
    );
    assert_eq!(flaws, json!([]));
}

#[test]
fn it_prints_without_what_only_a_screen_can_do() {
    let Some((mut browser, _folder)) = opened(&sample::page(SIZE)) else {
        return;
    };
    browser.eval("document.getElementById('theme').click()");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let ground = browser.eval("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(255, 255, 255)", "dark pages are printed light");
    let shown = browser.eval(
        "['.bar', '.contents', '.filters', '#questions', '.values'].filter((part) =>
           getComputedStyle(document.querySelector(part)).display !== 'none')",
    );
    assert_eq!(shown, json!([]));
    let cut = browser.eval(
        "[...document.querySelectorAll('.scroll')].filter((frame) =>
           getComputedStyle(frame).overflow !== 'visible').length",
    );
    assert_eq!(cut, 0);
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    let pdf = browser.pdf();
    assert!(pdf.starts_with(b"%PDF-"));
    if let Some(folder) = std::env::var_os("SURENESS_SCREENSHOTS") {
        std::fs::write(std::path::Path::new(&folder).join("print.pdf"), pdf).unwrap();
    }
    assert_quiet(&mut browser);
}

#[test]
fn forty_models_open_quietly() {
    let size = Size {
        models: 40,
        questions: 300,
    };
    let page = sample::page(size);
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    let Some((mut browser, _folder)) = opened(&page) else {
        return;
    };
    let rows = browser.eval("document.querySelectorAll('#s-tasks .scroll.tall tbody tr').length");
    assert!(rows.as_u64() >= Some(600), "{rows}");
    let ready = "performance.getEntriesByType('navigation')[0].loadEventEnd";
    println!("ready after {} ms", browser.eval(ready));
    to_questions(&mut browser);
    assert_eq!(
        browser.eval("document.querySelectorAll('.probabilities tbody tr').length"),
        40
    );
    assert_quiet(&mut browser);
}
