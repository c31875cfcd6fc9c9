//! What a table may look like, and which rows it may have.

use std::path::Path;

use serde_json::Value;

use super::*;

/// A table of log-probabilities with answers.
fn logprobs(row: impl Fn(usize) -> String, bounded: &str) -> String {
    let head = "id,logprob_A,logprob_B,logprob_C,logprob_D,answer,bounded\n";
    (0..40).fold(head.to_owned(), |mut text, id| {
        writeln!(text, "{id},{},{},{bounded}", row(id), letter(id)).unwrap();
        text
    })
}

#[test]
fn probabilities_above_one_together_are_refused() {
    let row = |id| match id {
        3 => "-0.2,-1.5,-1.5,-1.5",
        _ => "-1,-2,-2,-3",
    };
    let folder = folder(&[
        ("m_t_base.csv", &logprobs(|id| row(id).to_owned(), "false")),
        (
            "bounded_t_base.csv",
            &logprobs(|id| row(id).to_owned(), "true"),
        ),
        ("key.json", &key(letter)),
    ]);
    let with_key = "--questions key.json --drop-ids none";
    for line in [
        "score --logits m_t_base.csv",
        "import m_t_base.csv",
        "analyze m_t_base.csv",
    ] {
        let lines = [line.to_owned(), format!("{line} {with_key}")];
        for line in lines.iter().filter(|line| *line != "analyze m_t_base.csv") {
            says(
                &refused(folder.path(), line),
                &[
                    "m_t_base.csv, line 5: the probabilities of the options add up to 1.49, more than 1",
                ],
            );
        }
    }
    done(folder.path(), "import bounded_t_base.csv");
    done(folder.path(), "score --logits bounded_t_base.csv");
    done(
        folder.path(),
        &format!("score --logits bounded_t_base.csv {with_key}"),
    );
}

#[test]
fn improbable_letters_are_told_and_marked() {
    let row = |id| scores(id).map(|score| (score - 12.0).to_string()).join(",");
    let folder = folder(&[
        ("m_t_base.csv", &logprobs(row, "")),
        ("key.json", &key(letter)),
    ]);
    let with_key = "--questions key.json --drop-ids none";
    let found = "the option letters have 0.0006 % of the probability on average";
    for flags in ["", with_key] {
        let line = format!("score --logits m_t_base.csv {flags}");
        let (stdout, stderr) = done(folder.path(), &line);
        let words: Vec<&str> = stdout.split_whitespace().collect();
        says(&words.join(" "), &["[letters", "improbable]"]);
        says(&stderr, &[&format!("warning: m_t_base.csv: {found}")]);
    }
    let (_, stderr) = done(folder.path(), "import m_t_base.csv");
    says(&stderr, &[&format!("warning: m, t, base: {found}")]);
    let (stdout, _) = done(folder.path(), &format!("analyze m_t_base.csv {with_key}"));
    says(&stdout, &["Warning: m, t (base): the option letters have"]);
}

#[test]
fn a_key_that_a_row_has_twice_is_refused() {
    let row = |id: usize| format!(r#"{{"id": {id}, "logits": [1, 0], "answer": "A"}}"#);
    let twice = r#"{"id": 2, "logits": [1, 0], "answer": "A", "answer": "B"}"#;
    let lines = [row(0), row(1), twice.to_owned(), row(3)].join("\n");
    let list = format!("[{}]", lines.replace('\n', ","));
    let folder = folder(&[
        ("m_t_base.jsonl", &lines),
        ("list_t_base.json", &list),
        ("key.json", &key(|_| "A")),
    ]);
    for (line, place) in [
        ("import m_t_base.jsonl", "m_t_base.jsonl, line 3"),
        ("import list_t_base.json", "list_t_base.json, row 3"),
        ("score --logits m_t_base.jsonl", "m_t_base.jsonl, line 3"),
        (
            "score --logits m_t_base.jsonl --questions key.json",
            "m_t_base.jsonl, line 3",
        ),
    ] {
        let told = format!("{place}: the key `answer` occurs twice in this row");
        says(
            &refused(folder.path(), line),
            &[&told, "keep one value for each key"],
        );
    }
}

#[test]
fn tables_with_tabs_and_semicolons_are_read() {
    let comma = table("answer", |id| letter(id).to_owned());
    let folder = folder(&[
        ("comma_t_base.csv", &comma),
        ("tabs_t_base.csv", &comma.replace(',', "\t")),
        ("semi_t_base.csv", &comma.replace(',', ";")),
    ]);
    let files = "comma_t_base.csv tabs_t_base.csv semi_t_base.csv";
    let (stdout, _) = done(
        folder.path(),
        &format!("score --output json --logits {files}"),
    );
    let scored: Value = serde_json::from_str(&stdout).unwrap();
    let figure = |at: usize| (&scored["files"][at]["acc"], &scored["files"][at]["uacc"]);
    assert_eq!(figure(0), figure(1));
    assert_eq!(figure(0), figure(2));
    done(folder.path(), &format!("import {files}"));
}

#[test]
fn rows_with_text_ids_can_be_left_out_and_need_not_be_whole() {
    let csv = table("answer", |id| letter(id).to_owned());
    let lines = csv.lines().skip(1);
    let rows = lines.fold("id,A,B,C,D,answer\n".to_owned(), |text, line| {
        text + "q/" + line + "\n"
    });
    let folder = folder(&[("m_t_base.csv", &(rows + "q/bad,,1\n"))]);
    for line in ["score --logits m_t_base.csv", "import m_t_base.csv"] {
        says(
            &refused(folder.path(), line),
            &[
                "m_t_base.csv, line 42: expected as many fields as the header has, found 3 instead of 6",
                "hint: leave cells without a value empty",
            ],
        );
        says(
            &refused(folder.path(), &format!("{line} --drop-ids q/bad,q/no")),
            &["--drop-ids: no question is called q/no"],
        );
        done(folder.path(), &format!("{line} --drop-ids q/bad"));
    }
}

#[test]
fn an_export_keeps_its_clusters_and_its_split() {
    let questions = (0..40).map(|id| {
        format!(
            r#"{{"id": {id}, "question": "Q{id}?", "context": "Passage {}.", "source": "t",
                "choices": {{"A": "a{id}", "B": "b", "C": "c", "D": "d"}}, "answer": "{}"}}"#,
            id / 4,
            letter(id)
        )
    });
    let questions = format!("[{}]", questions.collect::<Vec<_>>().join(","));
    let folder = folder(&[("m_t_base.csv", &plain()), ("key.json", &questions)]);
    let path = folder.path();
    let figures = |line: &str| {
        let line = format!("{line} --modes basic --output-dir out --formats json parquet");
        done(path, &line);
        let file = path.join("out/report.json");
        let analysis: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        analysis["sections"][0]["tables"].clone()
    };
    let first = figures("analyze m_t_base.csv --questions key.json --drop-ids none");
    assert!(first.to_string().contains("clusters"), "{first}");
    let exported = exported(path);
    done(path, &format!("import {exported} --output-dir again"));
    assert_eq!(first, figures("analyze again"));
    let stderr = refused(path, &format!("analyze {exported}"));
    says(
        &stderr,
        &[
            "saved logits are analysed with --questions",
            &format!("sureness import {exported}"),
        ],
    );
}

#[test]
fn hints_lead_out() {
    let folder = folder(&[
        (
            "comma_t_base.csv",
            "id;A;B;answer\n1;0,5;1,5;A\n2;0,5;1,5;B\n",
        ),
        (
            "text_t_base.jsonl",
            "{\"id\": \"q/1\", \"logits\": [1, 2]}\n",
        ),
        ("notes.txt", "hello"),
        ("key.json", &key(letter)),
    ]);
    for (line, parts) in [
        (
            "score --logits comma_t_base.csv",
            ["`0,5`", "a decimal point"],
        ),
        (
            "score --logits text_t_base.jsonl --questions key.json",
            [
                "not a whole number",
                "a column `answer` and leave --questions out",
            ],
        ),
        (
            "analyze notes.txt",
            ["notes.txt is neither a run nor", "name an output folder"],
        ),
    ] {
        says(&refused(folder.path(), line), &parts);
    }
}

/// The file with all questions in the folder `out`.
fn exported(folder: &Path) -> String {
    let files = std::fs::read_dir(folder.join("out")).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let name = names.find(|name| name.ends_with(".parquet"));
    format!("out/{}", name.unwrap())
}
