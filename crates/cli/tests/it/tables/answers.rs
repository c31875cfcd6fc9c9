//! Whether the right answers belong to the scores.

use super::*;

#[test]
fn an_import_checks_the_key_as_score_does() {
    let folder = folder(&[
        ("m_mmlu_base_icl1.csv", &plain()),
        ("emotion_10k_4.json", &key(letter)),
        ("key.json", &key(|id| letter(id / 4))),
    ]);
    let line = "import m_mmlu_base_icl1.csv --drop-ids none --questions";
    says(
        &refused(folder.path(), &format!("{line} emotion_10k_4.json")),
        &[
            "m_mmlu_base_icl1.csv: these are logits of mmlu by the file's name",
            "emotion_10k_4.json has the answers of emotion_10k_4",
            "--any-questions",
        ],
    );
    assert!(!folder.path().join("results").exists());
    let insisted = format!("{line} emotion_10k_4.json --any-questions");
    let (_, stderr) = done(folder.path(), &insisted);
    assert!(!stderr.contains("warning"), "{stderr}");
    let guess = format!("{line} key.json --output-dir guess");
    says(
        &done(folder.path(), &guess).1,
        &[
            "warning: m, qa, base: ",
            "no more than by guessing",
            "check that key.json belongs to these logits",
        ],
    );
}

#[test]
fn own_answers_that_contradict_the_questions_are_refused() {
    let lines = (0..40).fold(String::new(), |mut text, id| {
        let (scores, answer) = (scores(id), id % 4);
        writeln!(
            text,
            r#"{{"id": {id}, "logits": {scores:?}, "answer": {answer}}}"#
        )
        .unwrap();
        text
    });
    let other = |id| if id == 9 || id == 11 { "A" } else { letter(id) };
    let folder = folder(&[
        ("m_t_base.csv", &table("answer", |id| letter(id).to_owned())),
        ("m_t_base.jsonl", &lines),
        ("same.json", &key(letter)),
        ("key.json", &key(other)),
    ]);
    for (file, written) in [("m_t_base.csv", "B"), ("m_t_base.jsonl", "1")] {
        let told = format!("id 9 has the answer {written}, but A in key.json; so has 1 other");
        for command in ["score --logits", "analyze", "import --output-dir"] {
            let command = command.replace("--output-dir", &format!("--output-dir {file}.out"));
            let line = format!("{command} {file} --drop-ids none --questions");
            let stderr = refused(folder.path(), &format!("{line} key.json"));
            says(&stderr, &[file, &told, "--any-questions"]);
            done(folder.path(), &format!("{line} same.json"));
            done(folder.path(), &format!("{line} key.json --any-questions"));
        }
    }
}

#[test]
fn answers_counted_from_one_are_told() {
    let folder = folder(&[
        (
            "one_t_base.csv",
            &table("E,answer", |id| format!("-9,{}", 1 + id % 4)),
        ),
        (
            "zero_t_base.csv",
            &table("E,answer", |id| format!("-9,{}.0", id % 4)),
        ),
        (
            "out_t_base.csv",
            &table("answer", |id| (1 + id % 4).to_string()),
        ),
    ]);
    for line in ["score --logits", "import"] {
        let (_, stderr) = done(folder.path(), &format!("{line} one_t_base.csv"));
        says(
            &stderr,
            &[
                "warning: ",
                "none of the 40 answers is 0 (p = 1e-4",
                "counted from 0",
            ],
        );
        let (_, stderr) = done(folder.path(), &format!("{line} zero_t_base.csv"));
        assert!(!stderr.contains("warning"), "{stderr}");
        says(
            &refused(folder.path(), &format!("{line} out_t_base.csv")),
            &[
                "line 5",
                "the answer 4 is not one of the 4 options",
                "count options from 0",
            ],
        );
    }
}
