//! Gates that are decided while questions are asked.
#![cfg(unix)]

use sureness_testkit::{results_in, says, text};

use super::live::{QUESTIONS, any_model, asked, case};
use super::{file, json, write_key, write_model};
use crate::command::{refused, sureness};

const LINE: &str = "compare --any-model --models one two --data own=own.jsonl --prompt-strategies base --shots 0 \
                    --progress none --until gate --margin acc=20pp,size=1 --seed 3";

#[test]
fn a_candidate_that_is_the_base_passes_before_all_is_asked() {
    let case = case(any_model());
    let output = case.run(LINE);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    says(
        &text(&output.stdout),
        &[
            "the gate is decided",
            "Pass: two is no worse than one",
            "asked in random order",
        ],
    );
    let settled = results_in(&case.results())["settled"].clone();
    assert_eq!(
        (&settled["goal"], &settled["stopped"]),
        (&"gate".into(), &"settled".into())
    );
    let took = settled["asked"]["two"].as_u64().unwrap() as usize;
    assert!(took < QUESTIONS / 2, "{settled}");

    // Machines read the outcome alone; nothing is asked again.
    let before = asked(&case);
    let again = case.run(&format!("{LINE} --recheck 0 --output json"));
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let gate = json(&text(&again.stdout));
    assert_eq!(
        (&gate["base"], &gate["candidate"]),
        (&"one".into(), &"two".into())
    );
    assert_eq!(gate["verdict"], "pass");
    assert_eq!(gate["questions"], took);
    assert!(asked(&case) <= before + 10);
    let junit = case.run(&format!("{LINE} --recheck 0 --output junit"));
    assert!(text(&junit.stdout).starts_with("<?xml"), "{junit:?}");
    // A few questions decide nothing.
    let few = case.run(&format!("{LINE} --recheck 0 --max-questions 20"));
    assert_eq!(few.status.code(), Some(4), "{}", text(&few.stderr));
    let few = case.run(&format!(
        "{LINE} --recheck 0 --max-questions 20 --undecided fail"
    ));
    assert_eq!(few.status.code(), Some(3), "{}", text(&few.stderr));

    // The page has the verdicts.
    let analysed = case.sureness("analyze results").output().unwrap();
    says(
        &text(&analysed.stdout),
        &["Stopped early", "no worse in accuracy"],
    );
}

#[test]
fn saved_answers_pass_fail_and_stay_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 2000);
    write_model(folder, "base", 2000, 1, |id| id % 100 < 70);
    write_model(folder, "same", 2000, 1, |id| id % 100 < 70);
    write_model(folder, "worse", 2000, 1, |id| id % 100 < 50);
    // Named first, although its name is the later one.
    let line = |base: &str, candidate: &str, end: &str| {
        format!(
            "compare --logits {} {} --questions key.json --drop-ids none --until gate {end}",
            file(base),
            file(candidate)
        )
    };
    let run = |line: &str, code: i32| {
        let output = sureness(folder, line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        text(&output.stdout)
    };
    let margins = "--margin acc=2pp,size=0.2,uacc=5pp --output json";
    let pass = json(&run(&line("base", "same", margins), 0));
    assert!(pass["questions"].as_u64().unwrap() < 2000, "{pass}");
    assert_eq!(pass["checks"].as_array().unwrap().len(), 3);
    let worse = json(&run(&line("base", "worse", "--output json"), 3));
    assert!(worse["questions"].as_u64().unwrap() < 500, "{worse}");
    let check = &worse["checks"][0];
    let [low, high] = [0, 1].map(|end| check["interval"][end].as_f64().unwrap());
    assert!(low <= -0.2 && (-0.2..0.0).contains(&high), "{check}");
    // The other way round the candidate is better.
    let better = json(&run(&line("worse", "base", "--output json"), 0));
    assert_eq!(better["base"], "worse");
    assert_eq!(better["verdict"], "pass");
    let text = run(&line("base", "worse", "--max-questions 15"), 4);
    says(&text, &["Undecided", "15 of 2,000 questions"]);
    run(
        &line("base", "worse", "--max-questions 15 --undecided pass"),
        0,
    );
    let xml = run(&line("base", "worse", "--output junit"), 3);
    says(&xml, &["<testsuites", "<failure message="]);

    // Folders are loaded before files, and the base is the first all the same.
    for name in ["same", "worse"] {
        let line = format!(
            "import {} --questions key.json --drop-ids none --output-dir {name}",
            file(name)
        );
        crate::command::done(folder, &line);
    }
    let mixed = format!(
        "compare --logits {} worse --questions key.json --drop-ids none --until gate --output json",
        file("base")
    );
    let mixed = json(&run(&mixed, 3));
    assert_eq!(
        (&mixed["base"], &mixed["candidate"]),
        (&"base".into(), &"worse".into())
    );
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_key(folder, 100);
    for (name, seed) in [("a", 1), ("b", 2), ("c", 3)] {
        write_model(folder, name, 100, seed, |id| id % 2 == 0);
    }
    let start = "compare --questions key.json --drop-ids none --until gate --logits";
    let (a, b, c) = (file("a"), file("b"), file("c"));
    for (end, parts) in [
        (
            format!("{a} {b} {c}"),
            &["a base and a candidate", "3 models"][..],
        ),
        (a.clone(), &["one model", "hint: "]),
        (
            format!("{a} {b} --margin ece=1pp"),
            &["cannot decide a gate on ece", "bins", "hint: "],
        ),
        (
            format!("{a} {b} --margin coverage=1pp"),
            &["cannot decide a gate on coverage", "hint: "],
        ),
        (
            format!("{a} {b} --metric acc"),
            &["--metric does not go with --until gate"],
        ),
        (
            format!("{a} {b} --margin acc=1pp,acc=2pp"),
            &["names acc twice"],
        ),
    ] {
        says(&refused(folder, &format!("{start} {end}")), parts);
    }
}
