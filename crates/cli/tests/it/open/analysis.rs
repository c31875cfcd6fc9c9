//! Open questions in analyses, reports and on the page.

use serde_json::Value;
use sureness_faultserver::Words;
use sureness_testkit::{Case, ends_with, results_in, says, text};

use super::{TASK, case, open};

/// A run of so many questions, with so many answers each.
fn run(count: usize, samples: usize) -> Case {
    let words = Words {
        thoughts: 0.3,
        refusals: 0.05,
        ..Words::default()
    };
    let case = case(count, 0.0, words);
    let line = format!("run --chat --answers sampled --samples {samples} {TASK}");
    ends_with(&case.run(&line), 0);
    case
}

fn document(case: &Case, line: &str) -> Value {
    let output = case.sureness(line).output().unwrap();
    ends_with(&output, 0);
    let json = std::fs::read(case.path("out/report.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// A table of the section on open questions.
fn table<'a>(document: &'a Value, id: &str) -> &'a Value {
    let sections = document["sections"].as_array().unwrap();
    let section = sections.iter().find(|it| it["id"] == "open").unwrap();
    let tables = section["tables"].as_array().unwrap();
    tables
        .iter()
        .find(|table| table["id"] == id)
        .unwrap_or_else(|| panic!("{id}: {section}"))
}

/// A figure of a table's row.
fn figure<'a>(table: &'a Value, row: usize, key: &str) -> &'a Value {
    let columns = table["columns"].as_array().unwrap();
    let place = columns.iter().position(|column| column["key"] == key);
    &table["rows"][row][place.unwrap()]["figure"]
}

#[test]
fn an_analysis_has_the_figures_of_the_run() {
    let case = run(120, 12);
    let results = results_in(&case.results());
    let figures = open(&results);
    let whole = document(
        &case,
        "analyze results --output-dir out --formats json csv markdown html",
    );
    let of_models = table(&whole, "open");
    for (key, name) in [
        ("acc", "acc"),
        ("generated", "generated"),
        ("semantic_entropy", "semantic_entropy"),
    ] {
        let found = figure(of_models, 0, key);
        assert_eq!(found["value"], figures[name], "{key}");
        assert_eq!(found["low"], figures["intervals"][name][0], "{key}");
    }
    assert_eq!(
        figure(of_models, 0, "coverage")["value"],
        figures["sets"]["coverage"]
    );
    assert_eq!(figure(of_models, 0, "draws")["value"], 12.0);
    // Semantic entropy is the second sign; sixty test questions are enough for intervals.
    let sign = &figures["signs"][1];
    let signs = table(&whole, "open-signs");
    for key in ["auroc", "aurc", "prr"] {
        let found = figure(signs, 1, key);
        assert_eq!(found["value"], sign[key], "{key}");
        let (low, high) = (&sign["intervals"][key][0], &sign["intervals"][key][1]);
        assert_eq!((&found["low"], &found["high"]), (low, high), "{key}");
        assert!(low.as_f64() <= sign[key].as_f64() && sign[key].as_f64() <= high.as_f64());
    }
    let markdown = std::fs::read_to_string(case.path("out/report.md")).unwrap();
    says(
        &markdown,
        &[
            "## Open questions",
            "never drawn",
            "risk over the share answered",
        ],
    );
    assert!(case.path("out/tables/open.csv").is_file());
    // Another error rate sets another threshold.
    let again = document(
        &case,
        "analyze results --error-rate 0.5 --output-dir out --formats json",
    );
    let sets = |document: &Value| {
        figure(table(document, "open"), 0, "set_size")["value"]
            .as_f64()
            .unwrap()
    };
    assert!(sets(&again) < sets(&whole));
}

#[test]
fn models_stand_beside_each_other_only_where_they_were_asked_alike() {
    let case = run(60, 8);
    let line = |samples: usize, folder: &str| {
        let line = format!("run --chat --answers sampled --samples {samples} {TASK}");
        ends_with(&case.asking(&line, folder).output().unwrap(), 0);
    };
    line(8, "alike");
    line(5, "fewer");
    let alike = document(
        &case,
        "analyze results alike --output-dir out --formats json",
    );
    let differences = table(&alike, "open-differences");
    // The same server draws other answers for the second folder, of the same law.
    assert!(figure(differences, 0, "difference")["low"].is_number());
    assert!(figure(differences, 0, "holm")["value"].as_f64().unwrap() > 1e-4);
    let fewer = document(
        &case,
        "analyze results fewer --output-dir out --formats json",
    );
    let section = fewer["sections"]
        .as_array()
        .unwrap()
        .iter()
        .find(|section| section["id"] == "open")
        .unwrap();
    assert_eq!(section["tables"].as_array().unwrap().len(), 2, "{section}");
    says(
        &section["notes"].to_string(),
        &["number of answers per question"],
    );
    let markdown = "analyze results fewer --insist --output-dir out --formats json";
    table(&document(&case, markdown), "open-differences");
}

#[test]
fn the_page_shows_prompts_answers_and_how_they_were_read() {
    let case = run(70, 6);
    let output = case
        .sureness("report results --output page.html")
        .output()
        .unwrap();
    ends_with(&output, 0);
    let page = std::fs::read_to_string(case.path("page.html")).unwrap();
    let data = page
        .split("id=\"question-task-0\">")
        .nth(1)
        .and_then(|rest| rest.split("</script>").next())
        .unwrap();
    let task: Value = serde_json::from_str(data).unwrap();
    assert_eq!(task["open"], true);
    let questions = task["questions"].as_array().unwrap();
    assert!((60..=70).contains(&questions.len()), "{}", questions.len());
    let words = task["words"][0]["q"].as_array().unwrap();
    assert_eq!(words.len(), questions.len());
    for (question, words) in questions.iter().zip(words) {
        let stem = question["s"].as_str().unwrap();
        let number = question["i"].as_str().unwrap();
        assert_eq!(question["k"][0], format!("Keeper {number}"));
        let texts = &task["texts"];
        let prompt = &texts[words["p"][1].as_u64().unwrap() as usize];
        assert_eq!(prompt, &format!("Question: {stem}\nAnswer:"));
        let answers: u64 = words["a"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it[1].as_u64().unwrap())
            .sum();
        assert_eq!(answers + words["b"].as_u64().unwrap_or(0), 6);
        let counts: u64 = words["g"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it[1].as_u64().unwrap())
            .sum();
        assert!(counts <= 6);
    }
    let all = task["words"].to_string();
    says(
        &all,
        &["refused", "\\\"warden ", "The first option looks plausible"],
    );
    says(
        &page,
        &[
            "up to 40 of each kind and task",
            "up to 8 different ones per question",
        ],
    );
}

#[test]
fn a_question_is_shown_with_its_set() {
    let case = run(60, 10);
    let shown = |question: usize| {
        let output = case
            .sureness(&format!("show results {question}"))
            .output()
            .unwrap();
        ends_with(&output, 0);
        text(&output.stdout)
    };
    let all: Vec<String> = (0..12).map(shown).collect();
    for shown in &all {
        says(shown, &["The set at 90.0 % holds", "half"]);
    }
    assert!(all.iter().any(|it| it.contains("in the test half")));
    assert!(all.iter().any(|it| it.contains("in the calibration half")));
}

#[test]
fn modes_about_options_say_that_there_are_none() {
    let case = run(40, 4);
    let line = "analyze results --modes basic,paper --output-dir out --formats text parquet";
    let output = case.sureness(line).output().unwrap();
    ends_with(&output, 0);
    let report = std::fs::read_to_string(case.path("out/report.txt")).unwrap();
    assert_eq!(
        report.matches("only open questions were asked").count(),
        2,
        "{report}"
    );
    says(&text(&output.stderr), &["questions.parquet is not written"]);
    assert!(!case.path("out/questions.parquet").exists());
}

#[test]
fn a_gate_says_that_it_compares_no_open_questions() {
    let case = run(20, 2);
    std::fs::create_dir(case.path("other")).unwrap();
    let store = "sureness.sqlite";
    std::fs::copy(case.results().join(store), case.path("other").join(store)).unwrap();
    let output = case.sureness("gate results other").output().unwrap();
    ends_with(&output, 2);
    says(
        &text(&output.stderr),
        &[
            "has open questions alone",
            "hint: give runs of questions with options",
        ],
    );
}
