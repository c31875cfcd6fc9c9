//! The embedded backend from outside: a real model, real questions, bad files.

#[path = "../../src/llama/fixtures.rs"]
pub(crate) mod fixtures;

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use fixtures::{gguf, mmlu, options};
use sureness_hint::Hint;
use sureness_prompts::Prompt;
use sureness_scorers::{
    OptionScorer, OptionScores, RequestKey, ScoreError, ScoreRequest,
    llama::{LlamaError, LlamaOptions, LlamaScorer, PromptForm},
};

fn labels(letters: &[&str]) -> Arc<[String]> {
    letters.iter().map(|letter| (*letter).to_owned()).collect()
}

fn request(prefix: &str, suffix: &str) -> ScoreRequest {
    ScoreRequest {
        key: RequestKey([0; 32]),
        prompt: Prompt {
            prefix: prefix.into(),
            suffix: suffix.to_owned(),
        },
        labels: labels(&["A", "B", "C", "D", "E", "F"]),
        draw: None,
    }
}

fn ask(scorer: &LlamaScorer, batch: &[ScoreRequest]) -> Vec<Result<OptionScores, ScoreError>> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(scorer.score(batch))
        .scores
}

fn ask_one(scorer: &LlamaScorer, prefix: &str, suffix: &str) -> OptionScores {
    ask(scorer, &[request(prefix, suffix)]).remove(0).unwrap()
}

fn load(path: &Path) -> LlamaScorer {
    LlamaScorer::load(path, options()).unwrap()
}

/// Options with a chat form that puts `before` in front of the prompt.
fn chat(before: &'static str) -> LlamaOptions {
    LlamaOptions {
        prompt_form: PromptForm::Chat(Arc::new(move |prompt: &Prompt| {
            Ok(Prompt {
                prefix: format!("{before}{}", prompt.prefix).into(),
                suffix: prompt.suffix.clone(),
            })
        })),
        ..options()
    }
}

#[test]
fn real_questions_in_mixed_order_are_answered_as_one_by_one() {
    let (Some(path), Some(astronomy), Some(logic)) =
        (gguf(), mmlu("astronomy"), mmlu("formal_logic"))
    else {
        return;
    };
    let scorer = load(&path);
    let batch = [
        request(&astronomy.prefix, &astronomy.suffixes[0]),
        request(&logic.prefix, &logic.suffixes[0]),
        request(&astronomy.prefix, &astronomy.suffixes[1]),
    ];
    let answers = ask(&scorer, &batch);
    assert_eq!(answers.len(), batch.len());
    for (request, answer) in batch.iter().zip(answers) {
        let answer = answer.unwrap();
        assert_eq!(answer.logprobs.len(), 6);
        assert_eq!(answer.observed, [true; 6]);
        let sum: f64 = answer.logprobs.iter().map(|logprob| logprob.exp()).sum();
        assert!((sum - answer.mass).abs() < 1e-12);
        // Even a small model expects a letter after "Answer:".
        assert!((0.5..=1.0).contains(&answer.mass), "mass {}", answer.mass);

        let whole = ask_one(&scorer, "", &request.prompt.text());
        assert_eq!(whole.logprobs, answer.logprobs);
        assert_eq!(whole.usage.prompt_tokens, answer.usage.prompt_tokens);
        assert_eq!(whole.usage.cached_tokens, Some(0));
        assert!(answer.usage.cached_tokens.unwrap() > 50);
    }
}

#[test]
fn one_failure_leaves_the_neighbours_in_place() {
    let Some(path) = gguf() else { return };
    let options = LlamaOptions {
        context_length: NonZeroU32::new(64),
        ..options()
    };
    let scorer = LlamaScorer::load(&path, options).unwrap();
    let mut unknown_label = request("", "One or two? Answer:");
    unknown_label.labels = labels(&["A", "certainly not a token"]);
    let answers = ask(
        &scorer,
        &[
            request("", "A or B? Answer:"),
            request("", &"far too long ".repeat(100)),
            unknown_label,
            request("", ""),
            request("", "A or B? Answer:"),
        ],
    );
    assert!(matches!(
        answers[1],
        Err(ScoreError::ContextTooLong { tokens: Some(tokens), limit: Some(64) }) if tokens > 64
    ));
    let message = answers[2].as_ref().unwrap_err().to_string();
    assert!(message.contains("certainly not a token"), "{message}");
    assert!(answers[3].is_err());
    assert_eq!(answers[0].as_ref().unwrap(), answers[4].as_ref().unwrap());
}

#[test]
fn the_identity_tells_file_and_form_apart() {
    let Some(path) = gguf() else { return };
    let plain = load(&path);
    let details = &plain.identity().details;
    println!("{:#?}", plain.identity());
    assert_eq!(plain.identity().backend, "llama.cpp");
    assert_eq!(
        plain.identity().name,
        path.file_stem().unwrap().to_str().unwrap()
    );
    let size = std::fs::metadata(&*path).unwrap().len();
    assert_eq!(details["file_bytes"], size.to_string());
    assert_eq!(details["file_blake3"].len(), 64);
    assert_eq!(details["gpu_layers"], "0");
    assert_eq!(details["prompt_form"], "plain");
    assert!(details["instruction_set"].starts_with("CPU:"));
    assert!(!details.contains_key("chat_template_blake3"));

    assert_eq!(plain.identity(), load(&path).identity());
    let chatting = LlamaScorer::load(&path, chat("")).unwrap();
    assert_ne!(plain.identity().digest(), chatting.identity().digest());
    let details = &chatting.identity().details;
    assert!(details.contains_key("chat_template_blake3"));
}

#[test]
fn control_tokens_count_in_chat_form_only() {
    let Some(path) = gguf() else { return };
    let info = LlamaScorer::metadata(&path).unwrap();
    println!("{info:#?}");
    assert!(info.context_length >= 512);
    let bos = info.bos_token.unwrap();
    let text = format!("{bos}user\nA or B?");
    let plain = ask_one(&load(&path), "", &text);
    let chatting = LlamaScorer::load(&path, chat("")).unwrap();
    let chat = ask_one(&chatting, "", &text);
    assert!(plain.usage.prompt_tokens > chat.usage.prompt_tokens);
}

#[test]
fn a_failing_template_is_an_answer_with_a_reason() {
    let Some(path) = gguf() else { return };
    let options = LlamaOptions {
        prompt_form: PromptForm::Chat(Arc::new(|_| Err("no such role".to_owned()))),
        ..options()
    };
    let scorer = LlamaScorer::load(&path, options).unwrap();
    let error = ask(&scorer, &[request("", "A?")]).remove(0).unwrap_err();
    assert!(error.to_string().contains("no such role"), "{error}");
}

#[test]
fn a_dead_thread_is_an_error_for_every_prompt() {
    let Some(path) = gguf() else { return };
    let options = LlamaOptions {
        prompt_form: PromptForm::Chat(Arc::new(|_| panic!("as the test wants it"))),
        ..options()
    };
    let scorer = LlamaScorer::load(&path, options).unwrap();
    for _ in 0..2 {
        let answers = ask(&scorer, &[request("", "A?"), request("", "B?")]);
        assert_eq!(answers.len(), 2);
        for answer in answers {
            assert!(matches!(answer, Err(ScoreError::Backend { .. })));
        }
    }
}

/// The model under test, changed to add BOS itself as Llama and Gemma do.
fn with_bos_added(path: &Path, folder: &Path) -> PathBuf {
    let mut bytes = std::fs::read(path).unwrap();
    let key = b"tokenizer.ggml.add_bos_token";
    let key_start = bytes.windows(key.len()).position(|at| at == key);
    // After the key come the type (u32, 7 is a boolean) and the value.
    let value = key_start.expect("the model says whether to add BOS") + key.len() + 4;
    bytes[value] = 1;
    let changed = folder.join("adds-bos.gguf");
    std::fs::write(&changed, bytes).unwrap();
    changed
}

#[test]
fn bos_comes_once() {
    let Some(path) = gguf() else { return };
    let folder = tempfile::tempdir().unwrap();
    let changed = with_bos_added(&path, folder.path());
    let info = LlamaScorer::metadata(&changed).unwrap();
    assert!(info.adds_bos);
    assert!(!LlamaScorer::metadata(&path).unwrap().adds_bos);
    let bos: &'static str = info.bos_token.unwrap().leak();

    let ask = |path: &Path, options, prefix: &str| {
        let scorer = LlamaScorer::load(path, options).unwrap();
        ask_one(&scorer, prefix, "Is it A or B? Answer:")
    };
    for prefix in ["", "A question follows.\n"] {
        let bare = ask(&path, options(), prefix);
        let added = ask(&changed, options(), prefix);
        assert_eq!(
            added.usage.prompt_tokens.unwrap(),
            bare.usage.prompt_tokens.unwrap() + 1
        );
        // There is one BOS, whether the template adds it or not.
        for options in [chat(bos), chat("")] {
            let chatting = ask(&changed, options, prefix);
            assert_eq!(chatting.usage.prompt_tokens, added.usage.prompt_tokens);
            assert_eq!(chatting.logprobs, added.logprobs);
        }
    }
}

#[test]
fn bad_files_are_named_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |path: &Path| {
        let error = LlamaScorer::load(path, options()).unwrap_err();
        assert!(!error.hint().is_empty());
        assert!(error.to_string().contains(path.to_str().unwrap()));
        assert!(LlamaScorer::metadata(path).is_err());
        error
    };
    let file = folder.path().join("model.gguf");
    assert!(matches!(fails(&file), LlamaError::Missing { .. }));
    assert!(matches!(fails(folder.path()), LlamaError::NotAFile { .. }));
    std::fs::write(&file, "{\"not\": \"a model\"}").unwrap();
    assert!(matches!(fails(&file), LlamaError::NotGguf { .. }));
    std::fs::write(&file, b"GGUF\x03\0\0\0 and then nonsense").unwrap();
    assert!(matches!(fails(&file), LlamaError::Load { .. }));

    let Some(path) = gguf() else { return };
    let whole = std::fs::read(&*path).unwrap();
    for part in [8, 5_000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..part]).unwrap();
        let error = fails(&file);
        println!("cut to {part} bytes: {error}");
        assert!(matches!(error, LlamaError::Load { .. }));
    }
}
