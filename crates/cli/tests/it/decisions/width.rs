//! Models that are asked until their figures are known well enough.
#![cfg(unix)]

use std::process::Stdio;

use sureness_testkit::{Process, results_in, says, text, wait_for};

use super::live::{any_model, asked, case};
use super::{file, json, write_key, write_model};
use crate::command::{done, refused};

const LINE: &str = "single --any-model --model one --data own=own.jsonl --prompt-strategies base --shots 0 \
                    --progress json --until width acc=25pp,size=2 --seed 3";

#[test]
fn one_model_is_asked_until_its_intervals_are_narrow() {
    let case = case(any_model());
    let forecast = case.run(&format!("{LINE} --dry-run"));
    says(&text(&forecast.stdout), &["upper bound", "595"]);
    assert_eq!(asked(&case), 0);

    let output = case.run(LINE);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stdout),
        &[
            "WARNING: the run stops as soon as intervals are narrow enough",
            "every interval is narrow enough",
            "Intervals of accuracy at most 25 pp wide",
            "Intervals of set size at most 2 options wide",
        ],
    );
    // What there is to ask is the most that may be asked, and nobody knows for how long.
    let lines = text(&output.stderr);
    let finished = lines.lines().find(|line| line.contains("\"finished\""));
    let finished = json(finished.unwrap());
    assert_eq!(finished["at_most"], true);
    // Five of 600 are kept as few-shot examples.
    assert_eq!(finished["planned"], 595);
    assert_eq!(
        (&finished["settled"], &finished["to_settle"]),
        (&2.into(), &2.into())
    );
    assert!(finished["seconds_left"].is_null(), "{finished}");
    says(
        &lines,
        &["narrow enough after", "accuracy of one lies between"],
    );

    let results = results_in(&case.results());
    let settled = &results["settled"];
    assert_eq!(
        (&settled["goal"], &settled["stopped"]),
        (&"width".into(), &"settled".into())
    );
    assert_eq!(results["settings"]["until"]["goal"], "width");
    assert_eq!(settled["pairs"].as_array().unwrap().len(), 0);
    let took = settled["asked"]["one"].as_u64().unwrap() as usize;
    assert!(took < 400, "{settled}");
    let figures = settled["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 2);
    for figure in figures {
        let [low, high] = [0, 1].map(|end| figure["interval"][end].as_f64().unwrap());
        assert!(high - low <= figure["width"].as_f64().unwrap(), "{figure}");
        let value = figure["value"].as_f64().unwrap();
        assert!(low <= value && value <= high, "{figure}");
        assert_eq!(figure["reached"], true);
    }
    assert!(
        (took..=took + 10).contains(&asked(&case)),
        "{} for {took}",
        asked(&case)
    );

    // An analysis says what was shown, before anything else.
    let analysed = case.sureness("analyze results").output().unwrap();
    assert!(analysed.status.success(), "{}", text(&analysed.stderr));
    let analysed = text(&analysed.stdout);
    says(
        &analysed,
        &["Stopped early", "every interval is narrow enough"],
    );
    let formats = case
        .sureness("analyze results --output-dir out --formats markdown json html csv")
        .output()
        .unwrap();
    assert!(formats.status.success(), "{}", text(&formats.stderr));
    for name in ["report.md", "report.json", "report.html"] {
        let written = std::fs::read_to_string(case.path("out").join(name)).unwrap();
        says(&written, &["every interval is narrow enough"]);
    }
    let csv = std::fs::read_dir(case.path("out/tables")).unwrap();
    let names: Vec<String> = csv
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        names.iter().any(|name| name.contains("settled-acc")),
        "{names:?}"
    );

    // Narrower: only what is missing is asked.
    let before = asked(&case);
    let again = case.run(&format!(
        "{} --recheck 0",
        LINE.replace("acc=25pp", "acc=14pp")
    ));
    assert!(again.status.success(), "{}", text(&again.stderr));
    let settled = results_in(&case.results())["settled"].clone();
    let more = settled["asked"]["one"].as_u64().unwrap() as usize - took;
    assert!(more > 0, "{settled}");
    assert!(
        (before + more..=before + more + 10).contains(&asked(&case)),
        "{} after {before} and {more}",
        asked(&case)
    );
}

#[test]
fn a_kill_on_the_way_asks_nothing_twice() {
    let mut script = any_model();
    script.capacity.base_ms = 10;
    let case = case(script);
    let line = format!("{LINE} --max-workers 4 --recheck 0");
    let whole = case.asking(&line, "whole").output().unwrap();
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let whole = results_in(&case.path("whole"))["settled"].clone();
    let before = asked(&case);
    let mut command = case.asking(&line, "killed");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let run = Process::spawn(&mut command);
    wait_for(|| "answers".to_owned(), || asked(&case) > before + 60);
    run.kill();
    let resumed = case.asking(&line, "killed").output().unwrap();
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(results_in(&case.path("killed"))["settled"], whole);
    let took = whole["asked"]["one"].as_u64().unwrap() as usize;
    // Those in flight or not yet written at the kill, and the probes.
    let requests = asked(&case) - before;
    assert!(
        (took..=took + 40).contains(&requests),
        "{requests} for {took}"
    );
}

#[test]
fn saved_answers_of_one_model_or_of_several_are_played() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 2000);
    write_model(folder, "good", 2000, 1, |id| id % 100 < 97);
    write_model(folder, "poor", 2000, 2, |id| id % 10 < 5);
    let end = "--questions key.json --drop-ids none --until width acc=5pp,size=0.5";
    let one = format!("compare --logits {} {end} --output json", file("good"));
    let (out, _) = done(folder, &one);
    let found = json(&out);
    assert_eq!(found["stopped"], "settled");
    let figures = found["figures"].as_array().unwrap();
    let truths = [("acc", 0.97)];
    for (metric, truth) in truths {
        let figure = figures.iter().find(|it| it["metric"] == metric).unwrap();
        let [low, high] = [0, 1].map(|end| figure["interval"][end].as_f64().unwrap());
        assert!(low <= truth && truth <= high, "{figure}");
    }
    // Of two, the one whose accuracy varies more takes longer.
    let both = format!(
        "compare --logits {} {} {end} --output json",
        file("good"),
        file("poor")
    );
    let (out, _) = done(folder, &both.replace(",size=0.5", ""));
    let found = json(&out);
    let asked = |model: &str| found["asked"][model].as_u64().unwrap();
    assert!(asked("good") * 2 < asked("poor"), "{}", found["asked"]);
    assert!(asked("poor") < 2000, "{}", found["asked"]);

    let (text, _) = done(folder, &both.replace(" --output json", ""));
    says(
        &text,
        &["Stopped after", "Intervals of accuracy at most 5 pp wide"],
    );
    let (text, _) = done(folder, &both.replace("output json", "output markdown"));
    says(&text, &["| Model", "Intervals of accuracy"]);
}

/// The thresholds of one run, on questions that come later.
#[test]
fn coverage_of_deployed_thresholds_is_monitored() {
    let case = case(any_model());
    let rows = std::fs::read_to_string(case.path("own.jsonl")).unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    std::fs::write(case.path("first.jsonl"), rows[..200].join("\n")).unwrap();
    std::fs::write(case.path("later.jsonl"), rows[200..].join("\n")).unwrap();
    let start = "--any-model --model one --prompt-strategies base --shots 0 --progress none";
    let calibrate = format!("single {start} --data own=first.jsonl");
    let first = case.asking(&calibrate, "first").output().unwrap();
    assert!(first.status.success(), "{}", text(&first.stderr));
    let before = asked(&case);
    let line = format!(
        "single {start} --data own=later.jsonl --until width coverage=15pp --thresholds first"
    );
    let output = case.run(&line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(
        &text(&output.stdout),
        &[
            "Intervals of coverage at most 15 pp wide",
            "first/results.json",
        ],
    );
    let results = results_in(&case.results());
    let settled = &results["settled"];
    let figure = &settled["figures"][0];
    assert_eq!(figure["reached"], true);
    let took = figure["asked"].as_u64().unwrap() as usize;
    assert!(took < 390, "{settled}");
    assert!(asked(&case) - before <= took + 10);
    // All questions, asked afterwards, are covered as often as the interval says.
    let all = case
        .asking(&format!("single {start} --data own=later.jsonl"), "all")
        .output()
        .unwrap();
    assert!(all.status.success(), "{}", text(&all.stderr));
    let played = case
        .sureness(
            "compare --logits all --until width coverage=0.01pp --thresholds first --output json",
        )
        .output()
        .unwrap();
    assert!(played.status.success(), "{}", text(&played.stderr));
    let truth = json(&text(&played.stdout))["figures"][0]["value"].clone();
    let [low, high] = [0, 1].map(|end| figure["interval"][end].as_f64().unwrap());
    assert!(
        (low..=high).contains(&truth.as_f64().unwrap()),
        "{figure} {truth}"
    );

    let before = asked(&case);
    for (line, parts) in [
        (
            format!(
                "single {start} --data own=first.jsonl --until width coverage=15pp --thresholds first"
            ),
            &["set on these very questions of own", "hint: "][..],
        ),
        (
            line.replace("--model one", "--model two"),
            &[
                "no threshold of two/own/base; it has those of one/own/base",
                "hint: ",
            ],
        ),
        (
            format!("{line} --protocol paper"),
            &["another --protocol", "hint: "],
        ),
        (
            line.replace("coverage=15pp", "acc=15pp"),
            &["--thresholds is for coverage", "hint: "],
        ),
        (
            line.replace("--thresholds first", "--thresholds own.jsonl"),
            &["is not a run's results", "hint: "],
        ),
        (
            line.replace("--thresholds first", "--thresholds nowhere"),
            &["cannot read nowhere", "hint: "],
        ),
    ] {
        let output = case.run(&line);
        assert_eq!(output.status.code(), Some(2), "{line}: {output:?}");
        says(&text(&output.stderr), parts);
    }
    assert_eq!(asked(&case), before);
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 100);
    write_model(folder, "a", 100, 1, |id| id % 2 == 0);
    let start = format!("compare --questions key.json --logits {}", file("a"));
    for (end, parts) in [
        (
            "--until width",
            &["takes figures and their widths", "hint: "][..],
        ),
        ("--until width acc=2", &["acc=1pp", "hint: "]),
        (
            "--until width coverage=2pp",
            &["cannot narrow coverage", "calibration set", "hint: "],
        ),
        ("--until width ece=2pp", &["cannot narrow ece", "bins"]),
        ("--until width acc=2pp,acc=1pp", &["names acc twice"]),
        (
            "--until width acc=2pp --margin acc=1pp",
            &["--margin does not go with"],
        ),
        (
            "--until width acc=2pp --metric acc",
            &["--metric does not go with"],
        ),
        ("--until width acc=2pp --output junit", &["junit", "hint: "]),
        (
            "--until never",
            &["\"never\" is unknown", "--until settled"],
        ),
        ("--until settled", &["one model", "--until width acc=2pp"]),
    ] {
        says(&refused(folder, &format!("{start} {end}")), parts);
    }
}
