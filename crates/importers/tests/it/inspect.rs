//! Logs of `inspect_ai`, as an archive and as one JSON file.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sureness_importers::{Format, Options, Values};
use sureness_scorers::ScoreError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::common::{Folder, imported, noted, refused};

fn header() -> Value {
    json!({
        "version": 2, "status": "success",
        "eval": {"task": "colours", "model": "openai/small", "created": "2026-11-25T19:30:00+00:00",
                 "dataset": {"name": "colours", "samples": 2}, "packages": {"inspect_ai": "0.3.200"}},
        "plan": {"steps": [{"solver": "multiple_choice", "params": {"shuffle": false}}],
                 "config": {"temperature": 0.0, "top_logprobs": 5}},
        "results": {"scores": [{"name": "choice", "metrics": {
            "accuracy": {"name": "accuracy", "value": 0.5}, "stderr": {"value": 0.25}}}]},
    })
}

/// A sample whose answer is `ANSWER: ` and the first of `top`.
fn sample(id: usize, target: &str, top: &[(&str, f64)]) -> Value {
    let listed: Vec<Value> = top
        .iter()
        .map(|(token, logprob)| json!({"token": token, "logprob": logprob, "bytes": null}))
        .collect();
    let plain = |text: &str| json!({"token": text, "logprob": -0.01, "top_logprobs": [{"token": text, "logprob": -0.01}]});
    let right = top[0].0.trim() == target;
    json!({
        "id": id, "epoch": 1, "input": format!("Which colour has {id}?"),
        "choices": ["red", "green", "blue", "None of the above"], "target": target,
        "metadata": {"subject": "painting"},
        "output": {"model": "small", "choices": [{
            "message": {"role": "assistant", "content": format!("ANSWER:{}", top[0].0)},
            "stop_reason": "stop",
            "logprobs": {"content": [
                plain("ANSWER"), plain(":"),
                {"token": top[0].0, "logprob": top[0].1, "top_logprobs": listed}]}}]},
        "scores": {"choice": {"value": if right { "C" } else { "I" }, "answer": top[0].0.trim()}},
        "events": [], "store": {},
    })
}

fn two() -> Vec<Value> {
    vec![
        sample(1, "B", &[(" B", -0.25), (" A", -2.0), ("B", -4.0)]),
        sample(
            2,
            "C",
            &[(" A", -0.5), (" C", -1.5), (" D", -3.0), (" B", -4.0)],
        ),
    ]
}

fn json_log(header: &Value, samples: &[Value]) -> String {
    let mut log = header.clone();
    log["samples"] = json!(samples);
    serde_json::to_string_pretty(&log).unwrap()
}

fn archive(header: &Value, samples: &[Value], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    let mut add = |name: &str, value: &Value| {
        zip.start_file(name, options).unwrap();
        zip.write_all(value.to_string().as_bytes()).unwrap();
    };
    add("_journal/start.json", header);
    for sample in samples {
        let name = format!("samples/{}_epoch_{}.json", sample["id"], sample["epoch"]);
        add(&name, sample);
    }
    add("summaries.json", &json!([]));
    add("header.json", header);
    zip.finish().unwrap().into_inner()
}

#[test]
fn archives_and_json_say_the_same() {
    let folder = Folder::new();
    let paths = [
        folder.write("a.json", json_log(&header(), &two())),
        folder.write(
            "b.eval",
            archive(&header(), &two(), CompressionMethod::Deflated),
        ),
        folder.write(
            "c.eval",
            archive(&header(), &two(), CompressionMethod::Zstd),
        ),
        // One line, and a figure for which JSON has no word.
        folder.write(
            "d.json",
            serde_json::from_str::<Value>(&json_log(&header(), &two()))
                .unwrap()
                .to_string()
                .replace("0.25}}", "NaN}}"),
        ),
    ];
    let mut digests = Vec::new();
    for path in &paths {
        let imports = imported(path);
        let [import] = imports.as_slice() else {
            panic!("{} imports", imports.len());
        };
        assert_eq!(import.format, Format::Inspect);
        assert_eq!(import.model.name, "openai/small");
        assert_eq!(
            (&*import.task, &*import.strategy),
            ("colours", "multiple_choice")
        );
        assert_eq!(import.values, Values::Labels);
        assert_eq!(import.settings["inspect_ai version"], "0.3.200");
        assert_eq!(import.answered(), 2);
        let check = import.check.as_ref().unwrap();
        assert_eq!((check.ours, check.theirs), (0.5, 0.5));
        assert!(check.agrees());
        assert!(import.notes[0].contains("in 2 of 2 samples the letter follows other text"));

        let row = &import.rows[0];
        assert_eq!(
            (
                &*row.question.id,
                row.question.right.only().unwrap(),
                row.question.options
            ),
            ("1", 1, 4)
        );
        assert_eq!(
            (row.question.dont_know, row.question.none_of_the_above),
            (None, Some(3))
        );
        assert_eq!(row.question.category.as_deref(), Some("painting"));
        let scores = row.scores.as_ref().unwrap();
        assert_eq!(scores.observed, [true, true, false, false]);
        let b = ((-0.25_f64).exp() + (-4.0_f64).exp()).ln();
        assert!((scores.logprobs[1] - b).abs() < 1e-12);
        assert!(
            (scores.logprobs[2] - -4.0).abs() < 1e-12,
            "no more than the last of the list"
        );
        assert_eq!(import.rows[1].scores.as_ref().unwrap().observed, [true; 4]);
        digests.push(
            import
                .rows
                .iter()
                .map(|row| (row.question.content, row.question.cluster.unwrap()))
                .collect::<Vec<_>>(),
        );
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
    // All four are copies of one log.
    let all = noted(folder.path(), &Options::default());
    assert_eq!((all.groups.len(), all.notes.len()), (1, 3));
}

#[test]
fn answers_without_a_letter_are_rows_with_a_reason() {
    let folder = Folder::new();
    let mut samples = two();
    samples.push(sample(3, "A", &[(" none", -0.1), (" A", -3.0)]));
    let mut failed = sample(4, "A", &[(" A", -0.1)]);
    failed["error"] = json!({"message": "timed out", "traceback": ""});
    samples.push(failed);
    let mut without = sample(5, "A", &[(" A", -0.1)]);
    without["output"]["choices"][0]["logprobs"] = Value::Null;
    samples.push(without);
    let import = &imported(&folder.write("a.json", json_log(&header(), &samples)))[0];
    assert_eq!((import.rows.len(), import.answered()), (5, 2));
    assert!(matches!(
        import.rows[2].scores,
        Err(ScoreError::NoOptionSeen { .. })
    ));
    assert!(matches!(
        import.rows[3].scores,
        Err(ScoreError::Backend { .. })
    ));
    assert!(matches!(import.rows[4].scores, Err(ScoreError::NoLogprobs)));
    assert!((import.check.as_ref().unwrap().theirs - 0.5).abs() < 1e-12);
}

#[test]
fn a_first_token_will_do_and_the_first_epoch_counts() {
    let folder = Folder::new();
    let mut samples = two();
    for sample in &mut samples {
        let content = &mut sample["output"]["choices"][0]["logprobs"]["content"];
        let tokens = content.as_array_mut().unwrap();
        tokens.drain(..2);
    }
    let mut later = sample(1, "B", &[(" D", -0.1), (" B", -3.0)]);
    later["epoch"] = json!(2);
    samples.insert(0, later);
    let import = &imported(&folder.write("a.json", json_log(&header(), &samples)))[0];
    assert_eq!(import.rows.len(), 2);
    assert_eq!(import.rows[0].scores.as_ref().unwrap().top(), 1);
    assert!(import.notes[0].contains("1 sample of later epochs"));
}

#[test]
fn errors_name_their_sample() {
    let folder = Folder::new();
    let change = |change: fn(&mut Value)| {
        let mut samples = two();
        change(&mut samples[1]);
        json_log(&header(), &samples)
    };
    let mut shuffled = header();
    shuffled["plan"]["steps"][0]["params"]["shuffle"] = json!(true);
    let mut newer = header();
    newer["version"] = json!(9);
    let mut nameless = header();
    nameless["eval"]
        .as_object_mut()
        .unwrap()
        .remove("model")
        .unwrap();
    let mut without = two();
    for sample in &mut without {
        sample["output"]["choices"][0]["logprobs"] = Value::Null;
    }
    let cases = [
        (
            change(|it| it["target"] = json!(["A", "B"])),
            "sample 2, field \"target\": more than one",
        ),
        (
            change(|it| it["target"] = json!("G")),
            "the answer G is not one of the 4 options",
        ),
        (
            change(|it| it["target"] = json!("")),
            "the right answer is missing",
        ),
        (
            change(|it| it["choices"] = Value::Null),
            "sample 2, field \"choices\": missing",
        ),
        (
            change(|it| it["choices"] = json!(["one"])),
            "there are 1 options",
        ),
        (
            change(|it| it["id"] = json!(1)),
            "sample 1, field \"id\": duplicate id 1, first seen in",
        ),
        (
            json_log(&shuffled, &two()),
            "the solver shuffled the choices",
        ),
        (json_log(&newer, &two()), "the log has version 9"),
        (json_log(&nameless, &two()), "field \"eval.model\": missing"),
        (json_log(&header(), &[]), "contains no questions"),
        (
            json_log(&header(), &without),
            "no sample has log-probabilities",
        ),
        (
            json_log(&header(), &two())[..900].to_owned(),
            "not valid JSON: EOF",
        ),
    ];
    for (text, expected) in cases {
        let said = refused(&folder.write("a.json", text), &Options::default());
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
}

#[test]
fn archives_are_bounded() {
    let folder = Folder::new();
    let whole = archive(&header(), &two(), CompressionMethod::Deflated);
    let said = refused(
        &folder.write("cut.eval", &whole[..whole.len() / 2]),
        &Options::default(),
    );
    assert!(said.contains("the archive is damaged"), "{said}");

    // A sample of 65 MiB that takes a few kilobytes.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("header.json", options).unwrap();
    zip.write_all(header().to_string().as_bytes()).unwrap();
    zip.start_file("samples/1_epoch_1.json", options).unwrap();
    for _ in 0..65 {
        zip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    let said = refused(&folder.write("bomb.eval", bomb), &Options::default());
    assert!(said.contains("is larger than 64 MiB"), "{said}");

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("other.txt", options).unwrap();
    let other = zip.finish().unwrap().into_inner();
    let said = refused(&folder.write("other.zip", other), &Options::default());
    assert!(said.contains("unknown format"), "{said}");
}

#[test]
fn the_fullest_of_copies_and_retries_counts() {
    let folder = Folder::new();
    let log = |task: &str, status: &str, samples: &[Value]| {
        let mut header = header();
        header["eval"]["task_id"] = json!(task);
        header["status"] = json!(status);
        json_log(&header, samples)
    };
    folder.write("a.json", log("one", "error", &two()[..1]));
    folder.write("b.json", log("one", "success", &two()));
    folder.write("c.json", log("one", "cancelled", &two()));
    let found = noted(folder.path(), &Options::default());
    let [import] = &*found.groups else {
        panic!("{}", found.groups.len());
    };
    assert_eq!((&*import.files[0].name, import.rows.len()), ("b.json", 2));
    assert_eq!(found.notes.len(), 2);
    // Another evaluation is not a copy.
    folder.write("d.json", log("two", "success", &two()));
    let said = refused(folder.path(), &Options::default());
    assert!(
        said.contains("has task colours with strategy multiple_choice of openai/small"),
        "{said}"
    );
}

#[test]
fn shuffled_options_are_mapped_back_or_refused() {
    let folder = Folder::new();
    let told = |explanation: &str, answer: &str| {
        let mut samples = two();
        // The model saw green, red, blue and the last, and wrote B.
        samples[0]["scores"]["choice"] =
            json!({"value": "I", "answer": answer, "explanation": explanation});
        samples[0]["output"]["choices"][0]["message"]["content"] =
            json!(format!("ANSWER: {answer}"));
        samples[1]["scores"]["choice"]["explanation"] = json!("ANSWER: A");
        let mut header = header();
        header["plan"]["steps"] = json!([{"solver": "mine", "params": {}}]);
        folder.write("a.json", json_log(&header, &samples))
    };
    let explanation = "Choices were shuffled before generating a response, the following was sent to \
                       the model:\n\nA) green\nB) red\nC) blue\nD) None of the above\n\
                       Shuffled answer:\nANSWER: B";
    let import = &imported(&told(explanation, "A"))[0];
    let scores = import.rows[0].scores.as_ref().unwrap();
    let b = ((-0.25_f64).exp() + (-4.0_f64).exp()).ln();
    assert!((scores.logprobs[0] - b).abs() < 1e-12 && (scores.logprobs[1] - -2.0).abs() < 1e-12);
    assert!(import.rows[1].scores.is_ok());

    // The text was rewritten, and nothing tells the order.
    let import = sureness_importers::import(&[told("", "A")], &Options::default());
    let import = &import.unwrap().groups[0];
    assert!(import.rows[0].scores.is_err() && import.rows[1].scores.is_ok());
}

/// The only import of a log, as an archive.
fn read(header: &Value, samples: &[Value]) -> sureness_importers::Imported {
    let folder = Folder::new();
    let path = folder.write(
        "log.eval",
        archive(header, samples, CompressionMethod::Deflated),
    );
    imported(&path).remove(0)
}

#[test]
fn ids_may_have_slashes() {
    let mut samples = two();
    samples[0]["id"] = json!("a/b");
    let import = read(&header(), &samples);
    assert_eq!(import.rows.len(), 2);
}

#[test]
fn an_edited_explanation_tells_no_order() {
    let list = "Choices were shuffled before generating a response, the following was sent to the model:\n\n\
                A) green\nB) red\nC) blue\nD) None of the above\nShuffled answer:\nANSWER: B";
    // The model saw red as B, and the solver wrote the log's letter into the text.
    let mut samples = vec![sample(1, "A", &[(" B", -0.25), (" A", -2.0), (" C", -4.0)])];
    samples[0]["output"]["choices"][0]["message"]["content"] = json!("ANSWER: A");
    samples[0]["scores"]["choice"] = json!({"value": "C", "answer": "A", "explanation": list});
    let plain = read(&header(), &samples);
    samples[0]["scores"]["choice"] = json!({"value": "C", "answer": "A", "explanation": "by hand",
        "history": [{"value": "C", "answer": "A", "explanation": list}, {"explanation": "by hand"}]});
    let edited = read(&header(), &samples);
    for import in [plain, edited] {
        let logprobs = &import.rows[0].scores.as_ref().unwrap().logprobs;
        assert_eq!(logprobs[..3], [-0.25, -2.0, -4.0]);
    }
}

#[test]
fn the_first_scorer_is_that_of_the_log() {
    let mut samples = two();
    for sample in &mut samples {
        let letter = sample["scores"]["choice"].take();
        sample["scores"] = json!({"letter": letter, "grade": {"value": "I", "answer": "C"}});
    }
    let mut header = header();
    header["results"] = json!({"scores": [
        {"name": "letter", "metrics": {"accuracy": {"value": 0.5}}},
        {"name": "grade", "metrics": {"accuracy": {"value": 0.0}}}]});
    let import = read(&header, &samples);
    assert_eq!(import.answered(), 2);
    assert!((import.check.unwrap().theirs - 0.5).abs() < 1e-12);
}

#[test]
fn earlier_messages_tell_questions_apart() {
    let with = |system: [&str; 2]| {
        let mut samples = two();
        for (sample, system) in samples.iter_mut().zip(system) {
            sample["input"] = json!([{"id": "x7", "role": "system", "content": system},
                {"id": "y8", "role": "user", "content": [{"type": "text", "text": "Which colour?"}]}]);
        }
        let import = read(&header(), &samples);
        let digests = import.rows.iter().map(|row| row.question.cluster.unwrap());
        digests.collect::<Vec<_>>()
    };
    // One text, two passages: two questions. What all share is an instruction.
    let passages = with(["The sky is blue.", "Grass is green."]);
    assert_ne!(passages[0], passages[1]);
    let shared = with(["Answer at once.", "Answer at once."]);
    assert_eq!(shared[0], shared[1]);
    assert!(!passages.contains(&shared[0]));
}

#[test]
fn tokens_that_are_not_the_answer_give_no_letter() {
    let answered = |change: &dyn Fn(&mut Value)| {
        let mut samples = two();
        for sample in &mut samples {
            sample["scores"] = json!({});
            change(sample);
        }
        read(&header(), &samples)
    };
    // As the provider of Hugging Face pads the answers of a batch.
    let padded = answered(&|sample| {
        let choice = &mut sample["output"]["choices"][0];
        let tokens = choice["logprobs"]["content"].as_array_mut().unwrap();
        for text in ["<|im_end|>", "ANSWER", ":", " D"] {
            let top = json!([{"token": text, "logprob": -0.01}]);
            tokens.push(json!({"token": text, "logprob": -0.01, "top_logprobs": top}));
        }
    });
    assert_eq!(padded.answered(), 2);
    assert_eq!(padded.rows[0].scores.as_ref().unwrap().top(), 1);
    for part in [
        json!([]),
        json!([{"type": "reasoning", "reasoning": "ANSWER: B"}]),
        json!(""),
    ] {
        let thoughts = answered(&|sample| {
            sample["output"]["choices"][0]["message"]["content"] = part.clone();
        });
        assert_eq!(thoughts.answered(), 0, "{part}");
    }
    let invalid = answered(&|sample| sample["invalidation"] = json!({"author": "me"}));
    assert_eq!(invalid.answered(), 0);
}
