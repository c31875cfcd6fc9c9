//! Answers in words and thoughts of the embedded backend, with a real model.

use std::num::NonZeroU32;
use std::sync::Arc;

use sureness_prompts::Prompt;
use sureness_record::{Answers, Reasoned, Sampled};
use sureness_scorers::llama::{LlamaOptions, LlamaScorer, PromptForm};
use sureness_scorers::{
    Draw, OptionScorer, OptionScores, Reading, RequestKey, ScoreRequest, Words,
};

use crate::llama::fixtures::{gguf, mmlu, options};

const TOKENS: u32 = 5;

fn sampled() -> Answers {
    Answers::Sampled(Sampled {
        max_tokens: NonZeroU32::new(TOKENS).unwrap(),
        ..Sampled::default()
    })
}

fn reasoned(think_tokens: u32) -> Answers {
    Answers::Reasoned(Reasoned {
        think_tokens,
        ..Reasoned::default()
    })
}

/// A scorer of letters by default, in the given form.
fn load(path: &std::path::Path, answers: Answers, prompt_form: PromptForm) -> LlamaScorer {
    let options = LlamaOptions {
        answers,
        prompt_form,
        ..options()
    };
    LlamaScorer::load(path, options).unwrap()
}

/// A chat without control tokens.
fn chat() -> PromptForm {
    PromptForm::Chat(Arc::new(|prompt: &Prompt| {
        Ok(Prompt {
            prefix: format!("User: {}", prompt.prefix).into(),
            suffix: format!("{}\nAssistant:", prompt.suffix),
        })
    }))
}

/// The request for the answer with this number to a question.
fn request(prompt: &Prompt, number: u32) -> ScoreRequest {
    let labels: Arc<[String]> = ["A", "B", "C", "D", "E", "F"].map(str::to_owned).into();
    ScoreRequest {
        key: RequestKey::new(&[0; 32], prompt, &labels).drawn(number),
        prompt: prompt.clone(),
        draw: Some(Draw {
            number,
            options: vec!["x".to_owned(); labels.len()],
            said: None,
        }),
        labels,
    }
}

fn ask(scorer: &LlamaScorer, batch: &[ScoreRequest]) -> Vec<OptionScores> {
    let reply = scorer.score_blocking(batch);
    reply.scores.into_iter().map(Result::unwrap).collect()
}

fn words(scores: &OptionScores) -> &Words {
    scores.words.as_deref().unwrap()
}

/// Two questions of MMLU.
fn questions() -> Option<[Prompt; 2]> {
    let subject = mmlu("astronomy")?;
    let prompt = |index: usize| Prompt {
        prefix: Arc::clone(&subject.prefix),
        suffix: subject.suffixes[index].clone(),
    };
    Some([prompt(0), prompt(1)])
}

#[test]
fn drawn_answers_choose_as_often_as_the_letters_are_probable() {
    let (Some(path), Some([question, _])) = (gguf(), questions()) else {
        return;
    };
    let letters = ask(
        &load(&path, Answers::Letters, PromptForm::Plain),
        &[request(&question, 0)],
    );
    let total: f64 = letters[0]
        .logprobs
        .iter()
        .map(|logprob| logprob.exp())
        .sum();
    let scorer = load(&path, sampled(), PromptForm::Plain);
    let batch: Vec<ScoreRequest> = (0..120).map(|number| request(&question, number)).collect();
    let answers = ask(&scorer, &batch);
    let read: Vec<&OptionScores> = answers
        .iter()
        .filter(|scores| words(scores).reading == Reading::Option)
        .collect();
    // In a few-shot prompt nearly every answer is a letter.
    assert!(read.len() > 100, "{} of {} read", read.len(), answers.len());
    let n = read.len() as f64;
    for (option, logprob) in letters[0].logprobs.iter().enumerate() {
        let chosen = read.iter().filter(|scores| scores.logprobs[option] == 0.0);
        let (share, p) = (chosen.count() as f64 / n, logprob.exp() / total);
        let error = (p * (1.0 - p) / n).sqrt();
        assert!(
            (share - p).abs() < 4.0 * error + 0.01,
            "{option}: {share} of {p}"
        );
    }
    for scores in &answers {
        assert!((1..=TOKENS).contains(&scores.usage.answer_tokens.unwrap()));
        assert!(!words(scores).text.contains("\nQuestion:"));
    }
}

#[test]
fn an_answer_is_the_same_whenever_it_is_drawn() {
    let (Some(path), Some([one, other])) = (gguf(), questions()) else {
        return;
    };
    let mixed: Vec<ScoreRequest> = (0..6)
        .map(|place| request(if place % 2 == 0 { &one } else { &other }, place))
        .collect();
    let scorer = load(&path, sampled(), PromptForm::Plain);
    let together = ask(&scorer, &mixed);
    let mut backwards = mixed.clone();
    backwards.reverse();
    let fresh = load(&path, sampled(), PromptForm::Plain);
    for (request, expected) in backwards.iter().zip(together.iter().rev()) {
        let again = ask(&fresh, std::slice::from_ref(request)).remove(0);
        assert_eq!(words(&again), words(expected));
        assert_eq!(again.logprobs, expected.logprobs);
    }
    let texts: std::collections::HashSet<&str> =
        together.iter().map(|scores| &*words(scores).text).collect();
    assert!(texts.len() > 1, "chance has no part in {texts:?}");
}

/// The letters after a thought are those of a prompt that holds the thought.
#[test]
fn letters_are_scored_after_the_thought() {
    let (Some(path), Some([question, _])) = (gguf(), questions()) else {
        return;
    };
    let request = request(&question, 0);
    let text = question.text();
    let (head, cue) = text.rsplit_once('\n').unwrap();
    for form in [PromptForm::Plain, chat()] {
        let is_chat = matches!(form, PromptForm::Chat(_));
        let after = ask(
            &load(&path, reasoned(12), form),
            std::slice::from_ref(&request),
        )
        .remove(0);
        let said = words(&after);
        assert_eq!(said.reading, Reading::Thought);
        let thought = said.text.trim();
        assert!(!thought.is_empty());
        let whole = if is_chat {
            format!("User: {head}\n\nLet's think step by step.\nAssistant:{thought}\n\n{cue}")
        } else {
            format!("{head}\nLet's think step by step. {thought}\n{cue}")
        };
        let letters = load(&path, Answers::Letters, PromptForm::Plain);
        let whole = Prompt {
            prefix: "".into(),
            suffix: whole,
        };
        let expected = ask(&letters, &[self::request(&whole, 0)]).remove(0);
        for (a, b) in after.logprobs.iter().zip(&expected.logprobs) {
            assert!((a - b).abs() < 1e-4, "{a} and {b} after {thought:?}");
        }
        let usage = after.usage;
        assert!(usage.answer_tokens.unwrap() <= 12, "{usage:?}");
        assert!(
            usage.prompt_tokens > expected.usage.prompt_tokens,
            "{usage:?}"
        );
    }
}

#[test]
fn without_a_thought_the_letters_are_the_same() {
    let (Some(path), Some(questions)) = (gguf(), questions()) else {
        return;
    };
    let batch = questions.map(|question| request(&question, 0));
    let letters = ask(&load(&path, Answers::Letters, PromptForm::Plain), &batch);
    let empty = ask(&load(&path, reasoned(0), PromptForm::Plain), &batch);
    for (letters, empty) in letters.iter().zip(&empty) {
        assert_eq!(letters.logprobs, empty.logprobs);
        assert_eq!(words(empty).text, "");
    }
}

#[test]
fn each_way_has_an_identity_of_its_own() {
    let Some(path) = gguf() else {
        return;
    };
    let digest = |answers| load(&path, answers, PromptForm::Plain).identity().digest();
    let digests = [Answers::Letters, sampled(), reasoned(0), reasoned(9)].map(digest);
    for (place, digest) in digests.iter().enumerate() {
        assert!(!digests[..place].contains(digest));
    }
}
