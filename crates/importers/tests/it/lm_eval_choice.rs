//! Samples of lm-evaluation-harness: which files count, which become one task, and what is left out.

use std::io::Write;

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sureness_importers::{Imported, Options, Values};

use super::common::{Folder, imported, named, noted, refused, with};
use super::lm_eval::{DATE, four, letters, lines, results};

/// Options with ids to drop.
fn dropping(ids: &[&str]) -> Options {
    Options {
        drop_ids: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
        ..named("m")
    }
}

/// Four questions with texts as options, which only `acc_norm` judges: the longest of three.
fn norms(rules: bool) -> Vec<Value> {
    let line = |id: usize, target: &str, scores: [f64; 3], correct: f64| {
        let mut line = json!({"doc_id": id, "doc": {"n": id}, "target": target, "filter": "none",
            "arguments": [["Q", " 1"], ["Q", " 0"], ["Q", " 2"]],
            "filtered_resps": scores.map(|score| json!([score, false]))});
        if rules {
            line["acc_norm"] = json!(correct);
        }
        line
    };
    vec![
        line(0, "1", [-0.1, -2.0, -3.0], 1.0),
        line(1, "0", [-3.0, -0.1, -2.0], 1.0),
        line(2, "2", [-3.0, -2.0, -0.1], 1.0),
        line(3, "2", [-0.1, -2.0, -3.0], 0.0),
    ]
}

fn answers(import: &Imported) -> Vec<usize> {
    import
        .rows
        .iter()
        .map(|row| row.question.right.only().unwrap())
        .collect()
}

#[test]
fn lists_and_compressed_lines_are_read() {
    let folder = Folder::new();
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(lines(&four()).as_bytes()).unwrap();
    let paths = [
        folder.write("a/samples_t_x.jsonl.gz", gzip.finish().unwrap()),
        folder.write(
            "b/samples_t_x.json",
            serde_json::to_string_pretty(&four()).unwrap(),
        ),
        folder.write("c/samples_t_x.jsonl", json!(four()).to_string()),
        folder.write(
            "d/samples_t_x.jsonl",
            lines(&four()).replace("-1.5", " -1.5"),
        ),
    ];
    for path in paths {
        let import = &with(&path, &named("m"))[0];
        assert_eq!((&*import.task, import.rows.len()), ("t", 4));
        // A folder is its files.
        assert_eq!(with(path.parent().unwrap(), &named("m"))[0].rows.len(), 4);
    }
    let mut broken = four();
    broken[2]["target"] = json!(null);
    let path = folder.write("e/samples_t_x.json", json!(broken).to_string());
    assert!(refused(&path, &named("m")).contains("samples_t_x.json, row 3, field \"target\""));
    let path = folder.write("e/samples_t_x.json", &json!(four()).to_string()[..900]);
    assert!(refused(&path, &named("m")).contains("not valid JSON: EOF"));
}

#[test]
fn a_file_of_an_early_version_is_named_by_its_results() {
    let folder = Folder::new();
    let path = folder.write(
        "pretrained__org_m_new_colours.jsonl",
        json!(four()).to_string(),
    );
    let early = json!({"results": {"colours": {"acc,none": 0.75}, "new_colours": {"acc,none": 0.75}},
        "config": {"model": "hf", "model_args": "pretrained=org/m,dtype=float"}});
    folder.write("results.json", early.to_string());
    let import = &imported(&path)[0];
    assert_eq!(
        (&*import.model.name, &*import.task),
        ("org/m", "new_colours")
    );
    assert!(import.check.as_ref().unwrap().agrees());
}

#[test]
fn acc_norm_decides_where_there_is_no_acc() {
    let folder = Folder::new();
    let path = folder.write("samples_n_x.jsonl", lines(&norms(true)));
    let import = &with(&path, &named("m"))[0];
    assert_eq!(answers(import), [0, 1, 2, 2]);
    assert!(import.check.as_ref().unwrap().agrees());
    // Without a verdict, the digits could be either.
    let path = folder.write("samples_n_x.jsonl", lines(&norms(false)));
    let said = refused(&path, &named("m"));
    assert!(
        said.contains("numbers of options or as their texts"),
        "{said}"
    );

    // The rule divides by the characters of each option.
    let long = json!({"doc_id": 0, "doc": {}, "target": "1", "acc_norm": 1.0,
        "arguments": [["Q", " no"], ["Q", " yes, it is"]],
        "filtered_resps": [[-4.0, false], [-10.0, false]]});
    let path = folder.write("samples_n_x.jsonl", lines(&[long]));
    let import = &with(&path, &named("m"))[0];
    let check = import.check.as_ref().unwrap();
    assert_eq!(
        (import.accuracy(), check.ours, check.theirs),
        (Some(0.0), 1.0, 1.0)
    );
    assert!(check.agrees() && check.metric == "acc_norm");
    assert!(import.notes[0].contains("acc_norm"), "{:?}", import.notes);
}

#[test]
fn letters_in_brackets_are_letters() {
    let folder = Folder::new();
    let mut rows = four();
    for (row, target) in rows.iter_mut().zip(["(A)", "(B)", "(C)", "(D)"]) {
        row["target"] = json!(target);
    }
    let path = folder.write("samples_g_x.jsonl", lines(&rows));
    assert_eq!(answers(&with(&path, &named("m"))[0]), [0, 1, 2, 3]);
    for row in &mut rows {
        for (at, letter) in ["A", "B", "C", "D"].iter().enumerate() {
            row["arguments"][format!("gen_args_{at}")]["arg_1"] = json!(format!(" ({letter})"));
        }
    }
    let path = folder.write("samples_g_x.jsonl", lines(&rows));
    let import = &with(&path, &named("m"))[0];
    assert_eq!(answers(import), [0, 1, 2, 3]);
    assert_eq!(import.values, Values::Labels);
}

#[test]
fn a_limited_run_never_displaces_a_fuller_one() {
    let folder = Folder::new();
    let mut limited = results("colours", 0.5, 2);
    limited["n-samples"]["colours"]["original"] = json!(4);
    limited["config"]["limit"] = json!(2.0);
    let later = "2026-12-25T19-30-00.0";
    folder.write(
        &format!("samples_colours_{later}.jsonl"),
        lines(&four()[..2]),
    );
    folder.write(&format!("results_{later}.json"), limited.to_string());
    let alone = &imported(folder.path())[0];
    assert_eq!(alone.planned, Some(4));
    assert_eq!(
        alone.notes,
        ["a limited run (--limit 2.0): 2 of 4 questions"]
    );

    folder.write(&format!("samples_colours_{DATE}.jsonl"), lines(&four()));
    folder.write(
        &format!("results_{DATE}.json"),
        results("colours", 0.75, 4).to_string(),
    );
    let both = noted(folder.path(), &Options::default());
    assert_eq!((both.groups.len(), both.groups[0].rows.len()), (1, 4));
    assert_eq!((both.groups[0].planned, both.notes.len()), (None, 1));
    assert!(both.notes[0].contains("has more questions"));
}

#[test]
fn groups_pool_only_what_was_asked_alike() {
    let folder = Folder::new();
    let write = |task: &str, rows: &[Value]| {
        folder.write(&format!("samples_suite_{task}_{DATE}.jsonl"), lines(rows));
    };
    let mut all = results("suite_a", 0.75, 4);
    all["results"] = json!({});
    all["n-shot"] = json!({"suite_a": 5, "suite_b": 5, "suite_sub_c": 5, "suite_sub_d": 5});
    all["groups"] = json!({"suite": {"acc,none": 0.75}, "suite_sub": {"acc,none": 0.75}});
    all["group_subtasks"] = json!({"suite": ["suite_a", "suite_b", "suite_sub"],
        "suite_sub": ["suite_sub_c", "suite_sub_d"]});
    let results = |all: &Value| folder.write(&format!("results_{DATE}.json"), all.to_string());
    results(&all);
    for task in ["a", "b", "sub_c", "sub_d"] {
        write(task, &four());
    }
    let tasks = || {
        let found = noted(folder.path(), &Options::default());
        let tasks = found.groups.iter().map(|it| it.task.clone());
        (tasks.collect::<Vec<_>>(), found.notes)
    };
    assert_eq!(tasks(), (vec!["suite".to_owned()], vec![]));
    // Another metric, kind of options or number of shots: the group is no task, one within it is.
    let apart = ["suite_a", "suite_b", "suite_sub"].map(str::to_owned);
    write("a", &norms(true));
    let (found, notes) = tasks();
    assert_eq!(found, apart);
    assert!(notes[0].contains("suite: its tasks stay apart") && notes[0].contains("the metric"));
    write("a", &four());
    all["n-shot"]["suite_a"] = json!(0);
    results(&all);
    // Shots are part of the strategy as well.
    let (found, _) = tasks();
    assert_eq!(found, ["suite", "suite"]);
}

#[test]
fn chat_templates_are_part_of_the_strategy() {
    let folder = Folder::new();
    for (folder_name, template) in [
        ("a", Value::Null),
        ("b", json!("aaaaaaaaaa")),
        ("c", json!("bbbbbbbbbb")),
    ] {
        let mut with = results("colours", 0.75, 4);
        with["chat_template"] = template.clone();
        with["chat_template_sha"] = template;
        folder.write(
            &format!("{folder_name}/results_{DATE}.json"),
            with.to_string(),
        );
        folder.write(
            &format!("{folder_name}/samples_colours_{DATE}.jsonl"),
            lines(&four()),
        );
    }
    let strategies = |path: &std::path::Path| -> Vec<(String, String)> {
        let found = imported(path).into_iter();
        found
            .map(|it| (format!("{:?}", it.model), it.strategy))
            .collect()
    };
    let all = strategies(folder.path());
    assert!(all.iter().all(|(model, _)| *model == all[0].0));
    let names: Vec<&str> = all.iter().map(|(_, strategy)| &**strategy).collect();
    assert_eq!(
        names,
        ["5-shot", "5-shot-chat-aaaaaaaa", "5-shot-chat-bbbbbbbb"]
    );
    assert_eq!(strategies(&folder.path().join("b"))[0].1, "5-shot-chat");
}

#[test]
fn ids_to_drop_name_rows_before_they_are_judged() {
    let folder = Folder::new();
    for subject in ["anatomy", "law"] {
        let mut rows = four();
        rows.push(letters(4, [-1.0, -2.0, -3.0, -4.0], 0));
        for row in &mut rows {
            row["doc"]["subject"] = json!(subject);
        }
        rows[4]["filtered_resps"] = json!(["text"]);
        rows[4]["target"] = json!(null);
        folder.write(&format!("samples_mmlu_{subject}_x.jsonl"), lines(&rows));
    }
    let import = &with(folder.path(), &dropping(&["4"]))[0];
    assert_eq!(
        (import.rows.len(), &*import.notes[0]),
        (8, "left out 2 questions (--drop-ids)")
    );
    let import = &with(folder.path(), &dropping(&["4", "law/0"]))[0];
    assert_eq!(import.rows.len(), 7);
    assert!(import.check.as_ref().unwrap().agrees());
    let said = refused(folder.path(), &dropping(&["4", "8", "art/4"]));
    assert!(
        said.contains("--drop-ids: no question is called 8, art/4"),
        "{said}"
    );
}

#[test]
fn tasks_are_chosen_by_name_and_group() {
    let folder = Folder::new();
    for subject in ["anatomy", "law"] {
        let mut rows = four();
        for row in &mut rows {
            row["doc"]["subject"] = json!(subject);
        }
        folder.write(&format!("samples_mmlu_{subject}_x.jsonl"), lines(&rows));
    }
    folder.write("samples_arc_easy_x.jsonl", lines(&four()));
    folder.write(
        "samples_arc_broken_x.jsonl",
        lines(&four()).replace("\"0\"", "\"9\""),
    );
    let choose = |tasks: &[&str], skip: &[&str]| {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let options = Options {
            tasks: names(tasks),
            skip: names(skip),
            ..named("m")
        };
        let imports = sureness_importers::import(&[folder.path().to_owned()], &options);
        let found = imports.map_err(|errors| errors[0].to_string())?.groups;
        let names = found
            .iter()
            .map(|it| format!("{} {}", it.task, it.rows.len()));
        Ok::<_, String>(names.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(choose(&["mmlu"], &[]), Ok("mmlu 8".into()));
    assert_eq!(choose(&["mmlu_law"], &[]), Ok("mmlu 4".into()));
    assert_eq!(
        choose(&[], &["arc_broken"]),
        Ok("arc_easy 4, mmlu 8".into())
    );
    assert_eq!(
        choose(&["mm*", "ARC_easy"], &["mmlu_law"]),
        Ok("arc_easy 4, mmlu 4".into())
    );
    assert!(choose(&[], &[]).unwrap_err().contains("the answer 9"));
    assert_eq!(
        choose(&["mmlu", "wino"], &[]),
        Err("--tasks: no task is called wino".into())
    );
    assert_eq!(
        choose(&["mmlu"], &["mmlu"]),
        Err("nothing is left to import".into())
    );
}
