//! Files as the harnesses wrote them; tests/data/README.md says how.

use sureness_importers::{Format, Options, Values, import};

use super::common::{data, imported, noted, refused};

#[test]
fn samples_of_lm_evaluation_harness() {
    let folder = data("lm_eval");
    // One of its tasks generates: alone it is refused, in the folder it is left out with a note.
    let generates = "samples_cosmos_text_2026-11-25T19-52-09.217947.jsonl";
    let said = refused(&folder.join(generates), &Options::default());
    let place = format!("{generates}, line 1, field \"filtered_resps\": the answer is text");
    assert!(said.contains(&place), "{said}");
    let notes = noted(&folder, &Options::default()).notes;
    let note = format!("skipped {generates}: the answer is text");
    assert!(notes.iter().any(|it| it.starts_with(&note)), "{notes:?}");
    let paths: Vec<_> = ["mini_abstract_algebra", "mini_anatomy", "cosmos_texts"]
        .iter()
        .map(|task| folder.join(format!("samples_{task}_2026-11-25T19-52-09.217947.jsonl")))
        .collect();
    let imports = import(&paths, &Options::default()).unwrap().groups;
    let [texts, letters] = imports.as_slice() else {
        panic!("{} imports", imports.len());
    };
    for import in [texts, letters] {
        assert_eq!(import.format, Format::LmEval);
        assert_eq!(
            (&*import.model.name, &*import.strategy),
            ("org/dummy", "2-shot")
        );
        assert_eq!(import.model.details["dtype"], "float32");
        assert!(
            import.check.as_ref().unwrap().agrees(),
            "{:?}",
            import.check
        );
    }
    assert_eq!(
        (&*letters.task, letters.rows.len(), letters.values),
        ("mini", 24, Values::Labels)
    );
    assert!((letters.accuracy().unwrap() - 0.208_333_333_333_333_34).abs() < 1e-15);
    assert_eq!(letters.rows[12].question.id, "anatomy/0");
    assert_eq!(
        letters.rows[12].question.category.as_deref(),
        Some("anatomy")
    );
    let scores = letters.rows[0].scores.as_ref().unwrap();
    let written = [
        -0.045_234_067_866_561_235,
        -0.573_866_036_789_166_9,
        -0.910_016_014_699_039_7,
        -0.534_197_968_260_724,
    ];
    assert!(
        scores
            .logprobs
            .iter()
            .zip(written)
            .skip(1)
            .all(|(a, b)| (a - b).abs() < 1e-15)
    );

    // With acc_mutual_info each option is asked for twice; the first of the two counts.
    assert_eq!(
        (&*texts.task, texts.rows.len(), texts.values),
        ("cosmos_texts", 12, Values::Continuations)
    );
    assert_eq!(texts.rows[0].scores.as_ref().unwrap().logprobs.len(), 4);
    assert_eq!(texts.accuracy(), Some(0.25));
}

#[test]
fn logs_of_inspect() {
    let mut digests = Vec::new();
    for name in ["anatomy.eval", "anatomy.json"] {
        let import = imported(&data("inspect").join(name)).remove(0);
        assert_eq!(import.format, Format::Inspect);
        assert_eq!(
            (&*import.model.name, &*import.task),
            ("mockllm/model", "anatomy")
        );
        assert_eq!(import.strategy, "multiple_choice");
        assert_eq!(import.settings["inspect_ai version"], "0.3.285");
        assert_eq!((import.rows.len(), import.answered()), (6, 6));
        let check = import.check.as_ref().unwrap();
        assert!(
            check.agrees() && (check.theirs - 2.0 / 3.0).abs() < 1e-12,
            "{check:?}"
        );
        let first = import.rows[0].scores.as_ref().unwrap();
        let written = [
            -0.296_012_245_304_847_7,
            -1.473_490_534_216_231_2,
            -4.239_710_133_739_249_5,
            -5.901_469_053_559_037,
        ];
        assert_eq!(first.logprobs, written);
        // Its third sample lists three letters: the fourth is bounded by the last of them.
        let third = import.rows[2].scores.as_ref().unwrap();
        assert_eq!(third.observed, [true, true, true, false]);
        assert!(third.logprobs[3] <= third.logprobs[1]);
        digests.push(
            import
                .rows
                .iter()
                .map(|row| row.question.content)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(digests[0], digests[1]);
}
