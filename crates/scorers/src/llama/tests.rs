//! Checks over the whole vocabulary of a real model that logits do not move.

use std::num::NonZeroU32;

use llama_cpp_2::model::LlamaModel;
use sureness_prompts::Prompt;

use super::{
    LlamaOptions,
    file::{self, Extent},
    fixtures::{Gguf, Subject, gguf, mmlu, mmlu_with, options},
    session::Session,
};

const SUBJECTS: [&str; 2] = ["astronomy", "formal_logic"];

fn model() -> Option<(LlamaModel, u32, Gguf)> {
    let path = gguf()?;
    let model = file::open(&path, Extent::Weights { gpu_layers: 0 }).unwrap();
    let length = file::describe(&model, &path).context_length;
    Some((model, length, path))
}

fn session((model, length, _): &(LlamaModel, u32, Gguf)) -> Session<'_> {
    Session::new(model, *length, &options()).unwrap()
}

fn evaluate(session: &mut Session<'_>, prefix: &str, suffix: &str) -> (Vec<f32>, u32) {
    let prompt = Prompt {
        prefix: prefix.into(),
        suffix: suffix.to_owned(),
    };
    let (logits, usage) = session.evaluate(&prompt, <[f32]>::to_vec).unwrap();
    (logits, usage.cached_tokens.unwrap())
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

fn subjects() -> Option<Vec<Subject>> {
    SUBJECTS.iter().map(|subject| mmlu(subject)).collect()
}

#[test]
fn neither_the_prefix_cache_nor_earlier_prompts_leave_a_trace() {
    let (Some(model), Some(subjects)) = (model(), subjects()) else {
        return;
    };
    let mut used = session(&model);
    for (subject, questions) in subjects.iter().zip([2, 1]) {
        for suffix in subject.suffixes[..questions].iter().rev() {
            let (with_cache, reused) = evaluate(&mut used, &subject.prefix, suffix);
            let whole = format!("{}{suffix}", subject.prefix);
            let (fresh, none) = evaluate(&mut session(&model), "", &whole);
            assert!(reused > 50, "only {reused} tokens were reused");
            assert_eq!(none, 0);
            let difference = difference(&with_cache, &fresh);
            assert!(difference == 0.0, "logits differ by up to {difference:e}");
        }
    }
}

#[test]
fn threads_and_context_length_do_not_matter() {
    let (Some(model), Some(subject)) = (model(), mmlu("astronomy")) else {
        return;
    };
    let (expected, _) = evaluate(&mut session(&model), &subject.prefix, &subject.suffixes[0]);
    for (threads, context) in [(1, 8192), (2, 1024)] {
        let options = LlamaOptions {
            threads: NonZeroU32::new(threads),
            context_length: NonZeroU32::new(context),
            ..LlamaOptions::default()
        };
        let mut session = Session::new(&model.0, model.1, &options).unwrap();
        let (logits, _) = evaluate(&mut session, &subject.prefix, &subject.suffixes[0]);
        let difference = difference(&logits, &expected);
        assert!(
            difference == 0.0,
            "{threads} threads, {context}: {difference:e}"
        );
    }
}

/// The context begins with 512 tokens and must grow for a longer prompt.
#[test]
fn a_growing_context_changes_nothing() {
    let (Some(model), Some(subject)) = (model(), mmlu("astronomy")) else {
        return;
    };
    let mut session = Session::beginning_with(512, &model.0, model.1, &options()).unwrap();
    let (before, _) = evaluate(&mut session, &subject.prefix, &subject.suffixes[0]);
    assert_eq!(session.context_length(), 512);
    let long = subject.suffixes[..6].join("\n\n");
    let (_, reused) = evaluate(&mut session, &subject.prefix, &long);
    assert!(reused > 100);
    assert!(session.context_length() > 512);
    let (after, _) = evaluate(&mut session, &subject.prefix, &subject.suffixes[0]);
    assert_eq!(before, after);
}

/// A cut inside a word or a number produces tokens that span prefix and suffix.
#[test]
fn the_seam_between_prefix_and_suffix_does_not_matter() {
    // Nearly as long as the benchmark's prompts: a short text whose last token stands alone moves logits.
    let (Some(model), Some(subject)) = (model(), mmlu_with("astronomy", 3)) else {
        return;
    };
    let text = format!("{}{}", subject.prefix, subject.suffixes[0]);
    let mut session = session(&model);
    let (expected, _) = evaluate(&mut session, "", &text);
    let end = subject.prefix.len();
    for seam in [1, end - 3, end + 2, text.len()] {
        let (logits, _) = evaluate(&mut session, &text[..seam], &text[seam..]);
        let difference = difference(&logits, &expected);
        assert!(difference == 0.0, "seam at {seam}: {difference:e}");
    }
}
