//! Files of further harnesses; tests/data/harnesses/README.md says how they were written.

use std::path::{Path, PathBuf};

use serde_json::json;
use sureness_importers::{Format, Imported, Normalise, Options, Values};

use super::common::{Folder, data, imported, named, noted, refused, with};

fn harness(name: &str) -> PathBuf {
    data("harnesses").join(name)
}

fn divided(normalise: Normalise) -> Options {
    Options {
        normalise,
        ..Options::default()
    }
}

/// The only import of a path, which agrees with its file.
#[track_caller]
fn one(path: &Path, normalise: Normalise) -> Imported {
    let mut imports = with(path, &divided(normalise));
    assert_eq!(imports.len(), 1);
    let import = imports.remove(0);
    assert!(import.warnings.is_empty(), "{:?}", import.warnings);
    if let Some(check) = &import.check {
        assert!(check.agrees(), "{check:?}");
    }
    import
}

fn tops(import: &Imported) -> Vec<usize> {
    let scores = import.rows.iter().map(|row| row.scores.as_ref().unwrap());
    scores.map(sureness_importers::RowScores::top).collect()
}

fn metric(import: &Imported) -> Option<&str> {
    import.check.as_ref().map(|check| &*check.metric)
}

#[test]
fn olmes_is_compared_by_every_rule() {
    let folder = harness("olmes");
    for (normalise, name, strategy, expected) in [
        (Normalise::None, "acc_raw", "5-shot-rc", [0, 0, 1]),
        (
            Normalise::Tokens,
            "acc_per_token",
            "5-shot-rc-per-token",
            [1, 1, 1],
        ),
        (
            Normalise::Chars,
            "acc_per_char",
            "5-shot-rc-per-char",
            [1, 1, 0],
        ),
        (
            Normalise::Bytes,
            "acc_per_byte",
            "5-shot-rc-per-byte",
            [1, 1, 1],
        ),
    ] {
        let import = one(&folder, normalise);
        assert_eq!(import.format, Format::Olmes);
        assert_eq!(import.to_string(), format!("toy/small, toy, {strategy}"));
        assert_eq!(metric(&import), Some(name));
        assert_eq!(tops(&import), expected, "{name}");
        let own = import.accuracy().unwrap();
        let check = import.check.as_ref().unwrap();
        assert!((own - check.theirs).abs() < 1e-12);
        let recorded = import.settings.get("normalise").map(String::as_str);
        let divided = normalise != Normalise::None;
        assert_eq!(recorded, divided.then_some(normalise.name()));
        let identity = import.model.details.get("normalise").map(String::as_str);
        assert_eq!(identity, recorded);
    }
}

#[test]
fn olmes_without_an_answer_is_refused() {
    let text = std::fs::read_to_string(harness("olmes/task-000-toy-predictions.jsonl")).unwrap();
    let folder = Folder::new();
    for (from, to, expected) in [
        (
            "\"label\": 0,",
            "\"label\": \"dog\",",
            "line 1, field \"label\": expected the index",
        ),
        (
            "\"label\": 0,",
            "\"label\": [0, 1],",
            "more than one option is right",
        ),
        (
            "\"label\": 0,",
            "\"label\": 7,",
            "the answer 7 is not one of the 2 options",
        ),
        (
            "\"sum_logits\": -3.0,",
            "\"sum_logits\": NaN,",
            "option A has no finite log-likelihood",
        ),
    ] {
        let path = folder.write("x-predictions.jsonl", text.replacen(from, to, 1));
        let said = refused(&path, &named("m"));
        assert!(said.contains(expected), "{said}");
    }
    // A letter that the server did not list is a bound, and not the answer.
    let one = text.lines().next().unwrap();
    let one = one.replace("\"sum_logits\": -3.0", "\"sum_logits\": -999");
    let path = folder.write("y-predictions.jsonl", one);
    let import = &with(&path, &named("m"))[0];
    let scores = import.rows[0].scores.as_ref().unwrap();
    assert_eq!((&*scores.observed, scores.top()), (&[false, true][..], 1));
    assert!(scores.logprobs[0] < scores.logprobs[1]);
}

#[test]
fn helm_is_compared_by_its_own_rule() {
    for (name, strategy) in [("original", "2-shot"), ("calibrated", "2-shot-calibrated")] {
        let import = one(&harness("helm").join(name), Normalise::None);
        assert_eq!(import.format, Format::Helm);
        let told = format!("toy/small, toy:dataset=woods, {strategy}");
        assert_eq!(import.to_string(), told);
        assert_eq!(import.values, Values::Continuations);
        let first = import.rows[0].scores.as_ref().unwrap();
        assert_eq!(first.logprobs, [-3.0, -4.5]);
        assert_eq!(metric(&import), Some("exact_match"), "{name}");
        assert_eq!(tops(&import), [0, 0, 1]);
    }
    let import = one(&harness("helm/original"), Normalise::Tokens);
    assert_eq!(import.strategy, "2-shot-per-token");
    assert_eq!(metric(&import), Some("exact_match"));
    assert_eq!(tops(&import), [1, 1, 1]);
    assert_eq!(import.accuracy(), Some(import.check.unwrap().theirs));
    let import = one(&harness("helm/original"), Normalise::Chars);
    assert!(import.check.is_none());
    let note = "the file states no accuracy per character to compare with";
    assert!(
        import.notes.iter().any(|it| it == note),
        "{:?}",
        import.notes
    );
}

#[test]
fn helm_says_why_it_cannot_be_read() {
    let text = std::fs::read_to_string(harness("helm/original/scenario_state.json")).unwrap();
    let folder = Folder::new();
    let options = Options {
        task: Some("t".to_owned()),
        ..named("m")
    };
    for (from, to, expected) in [
        (
            "multiple_choice_separate_original",
            "multiple_choice_joint",
            "asks for all options together",
        ),
        (
            "multiple_choice_separate_original",
            "generation",
            "the answer is text",
        ),
        (
            "\"text\": \" dog\"",
            "\"text\": \" cat\"",
            "do not spell the option \"a dog\"",
        ),
        (
            "\"success\": true",
            "\"success\": false, \"error\": \"no\"",
            "the request failed: no",
        ),
        // Its first request then looks like a repetition of the other question's.
        (
            "\"id\": \"id1\"",
            "\"id\": \"id0\"",
            "row 3, field \"instance.id\": duplicate id id0, first seen in",
        ),
    ] {
        let path = folder.write("scenario_state.json", text.replacen(from, to, 1));
        let said = refused(&path, &options);
        assert!(said.contains(expected), "{said}");
    }
}

/// HELM repeats them where `num_trials` is above 1.
#[test]
fn of_repeated_requests_of_helm_the_first_ones_count() {
    let path = harness("helm/original/scenario_state.json");
    let mut state: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let requests = state["request_states"].as_array_mut().unwrap();
    let mut again = requests[0].clone();
    again["result"]["completions"][0]["tokens"] = serde_json::json!([]);
    requests.push(again);
    let folder = Folder::new();
    let path = folder.write("scenario_state.json", state.to_string());
    let options = Options {
        task: Some("t".to_owned()),
        ..named("m")
    };
    let import = &with(&path, &options)[0];
    assert_eq!(tops(import), [0, 0, 1]);
    let note = "skipped 1 requests of later trials";
    assert!(
        import.notes.iter().any(|it| it == note),
        "{:?}",
        import.notes
    );
}

#[test]
fn opencompass_gets_its_sums_back() {
    let path = harness("opencompass/predictions/toy/toy_ppl.json");
    let import = one(&path, Normalise::None);
    assert_eq!(import.format, Format::OpenCompass);
    assert_eq!((&*import.model.name, &*import.task), ("toy", "toy_ppl"));
    assert_eq!(import.values, Values::Logits);
    // 1.5857… per token of 7, and 1.6 of 10.
    let first = import.rows[0].scores.as_ref().unwrap();
    assert!((first.logprobs[0] + 11.1).abs() < 1e-9, "{first:?}");
    assert!((first.logprobs[1] + 16.0).abs() < 1e-9, "{first:?}");
    assert_eq!(metric(&import), Some("accuracy by PPL"));
    let import = one(&path, Normalise::Tokens);
    assert_eq!(metric(&import), Some("accuracy by PPL"));
    assert_eq!(import.accuracy(), Some(import.check.unwrap().theirs));
    let said = refused(&path, &divided(Normalise::Bytes));
    assert!(said.contains("does not hold how many bytes"), "{said}");

    let text = std::fs::read_to_string(&path).unwrap();
    let folder = Folder::new();
    let cut = text.replacen("\"PPL\": 1.6,", "\"PPL\": 1.5857142857142856,", 1);
    let cut = folder.write("c.json", cut.replace("\"BPB\"", "\"other\""));
    let warnings = &with(
        &cut,
        &Options {
            normalise: Normalise::Tokens,
            ..named("m")
        },
    )[0]
    .warnings;
    assert!(
        warnings
            .iter()
            .any(|it| it.contains("1 of 3 questions have the same PPL")),
        "{warnings:?}"
    );
    let without = folder.write("a.json", text.replace("\"BPB\"", "\"other\""));
    let said = refused(&without, &named("m"));
    assert!(
        said.contains("but not the number of tokens (BPB)"),
        "{said}"
    );
    let means = Options {
        normalise: Normalise::Tokens,
        ..named("m")
    };
    assert_eq!(with(&without, &means)[0].rows.len(), 3);
    for (from, to, expected) in [
        (
            "\"PPL\": 1.6,",
            "\"PPL\": -0.5,",
            "differences of two means",
        ),
        ("\"PPL\"", "\"Loglikelihood\"", "disagree on this field"),
        (
            "\"gold\": \"0\"",
            "\"gold\": \"x\"",
            "the answer x is not one of the 2 options",
        ),
    ] {
        let path = folder.write("b.json", text.replace(from, to));
        let said = refused(&path, &named("m"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn opencompass_prompts_with_other_examples_do_not_compare() {
    let option = |examples: &str, input: &str, mean: f64, tokens: f64| {
        json!({"testing input": input, "prompt": format!("{examples}{input}"), "PPL": mean,
            "BPB": mean * tokens / input.len() as f64})
    };
    let file = |of_b: &str| {
        json!({"0": {"label: A": option("Q: 1+1? A: 2\n", "Q: 2+2? A: 4", 1.25, 24.0),
            "label: B": option(of_b, "Q: 2+2? A: twenty-two", 1.5, 20.0),
            "prediction": "A", "gold": "A"}})
    };
    let folder = Folder::new();
    let all = folder.write("all.json", file("Q: 1+1? A: 2\n").to_string());
    assert_eq!(with(&all, &named("m"))[0].rows.len(), 1);
    let shortened = folder.write("shortened.json", file("").to_string());
    let said = refused(&shortened, &named("m"));
    assert!(
        said.contains("the prompts of 1 questions have more few-shot examples"),
        "{said}"
    );
    let means = Options {
        normalise: Normalise::Tokens,
        ..named("m")
    };
    let import = &with(&shortened, &means)[0];
    assert_eq!(tops(import), [0]);
    assert!(
        import
            .warnings
            .iter()
            .any(|it| it.contains("1 of 1 questions have more"))
    );
}

#[test]
fn opencompass_shares_are_read() {
    let import = one(
        &harness("opencompass/predictions/toy/toy_clp.json"),
        Normalise::None,
    );
    assert_eq!((tops(&import), import.accuracy()), (vec![1, 1], Some(0.5)));
    assert_eq!(import.rows[1].question.right, 0.into());
}

#[test]
fn evalscope_has_its_own_accuracy() {
    let path = harness("evalscope/predictions/toy/general_mcq_toy.jsonl");
    let import = one(&path, Normalise::None);
    assert_eq!(import.format, Format::Evalscope);
    assert_eq!(import.to_string(), "toy, general_mcq_toy, evalscope");
    assert_eq!(
        (import.values, import.accuracy()),
        (Values::Labels, Some(0.75))
    );
    assert_eq!(metric(&import), Some("accuracy"));
    assert_eq!(tops(&import), [1, 0, 3, 3]);
    let last = import.rows[3].scores.as_ref().unwrap();
    assert_eq!(last.observed, [true, false, true, true]);
    // The folder has the reviews too, which are not an evaluation of their own.
    assert_eq!(imported(&harness("evalscope")).len(), 1);
    let said = refused(&path, &divided(Normalise::Chars));
    assert!(said.contains("the options are letters"), "{said}");
    let folder = Folder::new();
    let alone = folder.write("predictions/m/x.jsonl", std::fs::read(&path).unwrap());
    let said = refused(&alone, &Options::default());
    assert!(
        said.contains("right answers are in reviews/MODEL/"),
        "{said}"
    );
}

#[test]
fn bigbench_has_a_group_per_query() {
    let imports = imported(&harness("bigbench/scores_toy.json"));
    let names: Vec<String> = imports.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["toy-small, toy, 0-shot", "toy-small, toy, 1-shot"]);
    let import = &imports[0];
    assert_eq!(
        (import.format, import.values),
        (Format::BigBench, Values::Continuations)
    );
    assert_eq!(tops(import), [0, 0, 1]);
    let check = import.check.as_ref().unwrap();
    assert!(
        check.agrees() && check.metric == "multiple_choice_grade",
        "{check:?}"
    );
    assert_eq!(import.accuracy(), Some(check.theirs));
    let by_chars = with(
        &harness("bigbench/scores_toy.json"),
        &divided(Normalise::Chars),
    );
    assert_eq!(tops(&by_chars[0]), [1, 1, 1]);

    let task = &with(&harness("bigbench/task.json"), &named("m"))[0];
    assert_eq!((&*task.task, tops(task)), ("toy", vec![0, 0, 1]));
    assert!(
        task.notes
            .iter()
            .any(|note| note.contains("states no accuracy"))
    );
    let text = std::fs::read_to_string(harness("bigbench/task.json")).unwrap();
    let folder = Folder::new();
    for (from, to, expected) in [
        (
            "\"log_prob\"",
            "\"other\"",
            "the example has no log-probabilities",
        ),
        (
            "\"a dog\": 1.0",
            "\"a dog\": 0.5",
            "row 1, field \"target_scores\": an option is partly right (a dog: 0.5)",
        ),
    ] {
        let path = folder.write("task.json", text.replacen(from, to, 1));
        let said = refused(&path, &named("m"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn everything_in_one_folder_is_told_apart() {
    let found = noted(
        &data("harnesses"),
        &Options {
            model: Some("m".to_owned()),
            ..Options::default()
        },
    );
    let mut formats: Vec<&str> = found.groups.iter().map(|it| it.format.name()).collect();
    formats.sort_unstable();
    formats.dedup();
    assert_eq!(
        formats,
        ["bigbench", "evalscope", "helm", "olmes", "opencompass"]
    );
}

#[test]
fn tables_cannot_be_divided() {
    let folder = Folder::new();
    let path = folder.write("t.csv", "id,answer,A,B\n1,B,0.5,2.5\n");
    let options = Options {
        task: Some("t".to_owned()),
        normalise: Normalise::Chars,
        ..named("m")
    };
    let said = refused(&path, &options);
    assert!(said.contains("does not hold how many chars"), "{said}");
}

#[test]
fn samples_of_the_harness_are_divided() {
    let folder = data("lm_eval");
    let path = folder.join("samples_cosmos_texts_2026-11-25T19-52-09.217947.jsonl");
    let plain = &with(&path, &Options::default())[0];
    let chars = &with(&path, &divided(Normalise::Chars))[0];
    assert_eq!(chars.strategy, format!("{}-per-char", plain.strategy));
    for import in [plain, chars] {
        assert!(import.warnings.is_empty(), "{:?}", import.warnings);
    }
    let check = chars.check.as_ref();
    assert!(
        check.is_none_or(|check| check.metric == "acc_norm" && check.agrees()),
        "{check:?}"
    );
    let said = refused(&path, &divided(Normalise::Tokens));
    assert!(said.contains("does not hold how many tokens"), "{said}");
}

#[test]
fn every_figure_of_the_harness_is_computed_again() {
    // The second option, which is right, wins only by byte.
    let line = |acc: u8, norm: u8, bytes: u8| {
        serde_json::json!({
            "doc_id": 0, "doc": {"question": "Q?", "choices": ["ja", "éééé"]}, "target": "1",
            "arguments": [["Q", " ja"], ["Q", " éééé"]],
            "filtered_resps": [["-3.0", "False"], ["-8.0", "False"]],
            "acc": acc, "acc_norm": norm, "acc_bytes": bytes,
        })
        .to_string()
    };
    let folder = Folder::new();
    let name = "samples_t_x.jsonl";
    let right = [
        (Normalise::None, "acc", -8.0),
        (Normalise::Chars, "acc_norm", -2.0),
        (Normalise::Bytes, "acc_bytes", -1.0),
    ];
    let path = folder.write(name, line(0, 0, 1));
    for (normalise, metric, second) in right {
        let import = &with(
            &path,
            &Options {
                normalise,
                ..named("m")
            },
        )[0];
        let check = import.check.as_ref().unwrap();
        assert_eq!((check.metric.as_str(), check.agrees()), (metric, true));
        let scores = import.rows[0].scores.as_ref().unwrap();
        assert!((scores.logprobs[1] - second).abs() < 1e-12, "{scores:?}");
    }
    let path = folder.write(name, line(0, 1, 0));
    let import = &with(&path, &named("m"))[0];
    let expected = [
        "acc_norm is 0.00 % here and 100.00 % in the file",
        "acc_bytes is 100.00 % here and 0.00 % in the file",
    ];
    assert_eq!(import.warnings, expected);
}

#[test]
fn details_of_lighteval_are_divided() {
    let path = data("lighteval_texts.parquet");
    for (normalise, metric) in [
        (Normalise::Chars, "acc_norm"),
        (Normalise::Tokens, "acc_norm_token"),
    ] {
        let import = &with(
            &path,
            &Options {
                normalise,
                ..named("m")
            },
        )[0];
        let check = import.check.as_ref().unwrap();
        assert_eq!(check.metric, metric);
        assert_eq!(import.accuracy(), Some(check.ours));
    }
    let by_bytes = Options {
        normalise: Normalise::Bytes,
        ..named("m")
    };
    let import = &with(&path, &by_bytes)[0];
    assert!(import.check.is_none());
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("no accuracy per byte"))
    );
}

#[test]
fn evalscope_without_probabilities_is_refused() {
    let folder = Folder::new();
    let read = |part: &str| {
        let path = harness("evalscope")
            .join(part)
            .join("toy/general_mcq_toy.jsonl");
        std::fs::read_to_string(path).unwrap()
    };
    folder.write("reviews/m/x.jsonl", read("reviews"));
    let text = read("predictions");
    for (from, to, expected) in [
        (
            "\"logprobs\": {",
            "\"others\": {",
            "no sample has log-probabilities",
        ),
        ("A) ", "A ", "the prompt lists no options"),
        (
            "\"index\": 3",
            "\"index\": 9",
            "the reviews have no index 9",
        ),
    ] {
        let path = folder.write("predictions/m/x.jsonl", text.replace(from, to));
        let said = refused(&path, &Options::default());
        assert!(said.contains(expected), "{said}");
    }
}
