//! A truthful answer in many dishonest shapes.
//!
//! A distribution is told in one of the layouts that servers use, changed by one or two lies about
//! its form. Whatever the shape, an option's figure is that of the distribution, or it is marked as
//! a bound, or the answer is an error.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::super::exchange::{Exchange, Route, Spellings, Tier};
use super::super::wire::{KeptHeaders, Response};
use super::{Asked, check};
use crate::{RequestKey, ScoreRequest};

/// Texts of the vocabulary. Two tokens may have one text.
const TEXTS: [&str; 13] = [
    "A", " A", "A", "B", "▁B", " B", "C", " C", "The", " x", "\n", "é\"", "B",
];
/// An option that the model cannot choose.
const IMPOSSIBLE: &str = "D";
const LABELS: [&str; 4] = ["A", "B", "C", IMPOSSIBLE];

/// One token as an answer writes it.
#[derive(Clone)]
struct Entry {
    probability: f64,
    token: String,
    value: String,
    /// Further fields, each with a comma at its end.
    id: String,
    bytes: String,
}

/// An answer before it is written.
struct Told {
    listed: Vec<Entry>,
    sampled: Option<Entry>,
    /// A listed token once more, where its number tells that it is the same.
    again: Option<Entry>,
    index: String,
    in_choice: String,
    beside: String,
    /// Changes the body itself.
    last: fn(String, u8) -> String,
}

type Layout = fn(&Told) -> String;
type Lie = fn(&mut Told, u8);

const LAYOUTS: [Layout; 4] = [
    |told| {
        let pairs: Vec<_> = told
            .listed
            .iter()
            .map(|e| format!("{}:{}", e.token, e.value))
            .collect();
        told.legacy(&format!("{{{}}}", pairs.join(",")))
    },
    |told| told.legacy(&told.list()),
    |told| {
        told.choice(&format!(
            "\"logprobs\":{{\"content\":[{}]}}",
            told.position()
        ))
    },
    |told| {
        let Told {
            in_choice, beside, ..
        } = told;
        format!(
            "{{\"content\":\"A\",\"completion_probabilities\":[{}]{in_choice}{beside}}}",
            told.position()
        )
    },
];

/// Ways to write the same, or to write what is an error.
const LIES: [Lie; 44] = [
    |_, _| {},
    // Numbers.
    |told, _| told.each(|e| e.value = format!("\"{}\"", e.value)),
    |told, at| told.one(at, |e| e.value = format!("\" {} \"", e.value)),
    |told, at| told.one(at, |e| e.value = format!("[{}]", e.value)),
    |told, at| told.write(at, "true"),
    |told, at| told.write(at, "Infinity"),
    |told, at| told.write(at, "\"x\""),
    |told, _| told.each(|e| e.value = e.probability.to_string()),
    |told, _| told.each(|e| e.value = (100.0 * e.probability).to_string()),
    |told, _| told.each(|e| e.value = (-e.probability.ln()).to_string()),
    // What is impossible.
    |told, _| told.impossible("null"),
    |told, _| told.impossible("NaN"),
    |told, _| told.impossible("-inf"),
    |told, _| told.impossible("-1e999"),
    |told, _| told.impossible("-9999.0"),
    |told, _| told.impossible("\"-INF\""),
    |told, _| told.impossible("\"-infinity\""),
    // The list.
    |told, _| told.listed.reverse(),
    |told, by| {
        let by = usize::from(by) % told.listed.len().max(1);
        told.listed.rotate_left(by);
    },
    |told, _| (told.listed, told.again) = (Vec::new(), None),
    |told, at| told.twice(at, |_| {}),
    |told, at| told.twice(at, |e| e.set("-0.7")),
    // Tokens.
    |told, _| told.each(|e| e.token = escaped(&e.token)),
    |told, _| told.each(|e| e.id.clear()),
    |told, _| told.each(|e| "\"bytes\":null,".clone_into(&mut e.bytes)),
    |told, at| told.one(at, |e| "\"bytes\":[300],".clone_into(&mut e.bytes)),
    |told, at| told.one(at, |e| e.id.push_str("\"logprob\":-0.2,")),
    // The sampled token.
    |told, _| told.sampled = None,
    |told, _| {
        if let Some(sampled) = &mut told.sampled {
            sampled.value = format!("{:.6}", sampled.probability.ln());
        }
    },
    // The answer around it.
    |told, _| told.index.clear(),
    |told, _| "\"index\":7,".clone_into(&mut told.index),
    |told, _| told.within(",\"logprobs\":{\"content\":[]}"),
    |told, _| told.within(",\"meta_info\":null,\"x\":[NaN,{\"y\":1e999}]"),
    |told, _| told.within(",\"meta_info\":{\"output_token_ids_logprobs\":[[[-0.1,1,\"B\"]]]}"),
    |told, _| told.around(",\"timings\":{\"per_second\":Infinity}"),
    |told, _| told.around(",\"usage\":{\"prompt_tokens\":NaN}"),
    |told, _| told.around(",\"choices\":[{\"logprobs\":null}]"),
    |told, _| told.around(",\"usage\":{\"prompt_tokens\":-1},\"usage\":[]"),
    // The body.
    |told, _| told.last = |body, at| body.chars().take(usize::from(at)).collect(),
    |told, _| told.last = |body, _| format!("{body}{body}"),
    |told, _| told.last = |body, _| format!("[{body}]"),
    |told, _| told.last = |body, _| format!("\u{feff}{body}"),
    |told, _| told.last = |body, _| body.replace(':', " :\r\n\t"),
    |told, _| told.repeat_logprobs(),
];

/// Shapes of one lie.
const SHAPES: usize = LAYOUTS.len() * LIES.len();

impl Told {
    /// The most probable tokens of a distribution, and the impossible one; `byte` gives the numbers.
    fn truth(byte: &mut impl FnMut() -> u8) -> Self {
        let weights = TEXTS.map(|text| (text, f64::from(byte()) + 0.5));
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut listed: Vec<Entry> = (100..)
            .zip(weights)
            .map(|(id, (text, weight))| Entry::new(id, text, weight / total))
            .collect();
        listed.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        listed.truncate(5 + usize::from(byte()) % TEXTS.len());
        let sampled = listed.get(usize::from(byte()) % listed.len()).cloned();
        listed.push(Entry::new(99, IMPOSSIBLE, 0.0));
        Self {
            listed,
            sampled,
            again: None,
            index: "\"index\":0,".to_owned(),
            in_choice: String::new(),
            beside: String::new(),
            last: |body, _| body,
        }
    }

    fn each(&mut self, lie: impl Fn(&mut Entry)) {
        let beside = self.sampled.iter_mut().chain(&mut self.again);
        self.listed.iter_mut().chain(beside).for_each(lie);
    }

    fn write(&mut self, at: u8, value: &str) {
        self.one(at, |entry| entry.set(value));
    }

    /// Adds fields to the choice.
    fn within(&mut self, fields: &str) {
        self.in_choice.push_str(fields);
    }

    /// Adds fields to the response.
    fn around(&mut self, fields: &str) {
        self.beside.push_str(fields);
    }

    fn repeat_logprobs(&mut self) {
        self.last = |body, _| body.replace("\"logprobs\":{", "\"logprobs\":null,\"logprobs\":{");
    }

    fn one(&mut self, at: u8, lie: impl Fn(&mut Entry)) {
        let at = usize::from(at) % self.listed.len().max(1);
        self.listed.get_mut(at).into_iter().for_each(lie);
    }

    fn impossible(&mut self, value: &str) {
        self.each(|entry| {
            if entry.probability == 0.0 {
                entry.set(value);
            }
        });
    }

    /// Lists an entry again, changed.
    fn twice(&mut self, at: u8, lie: impl Fn(&mut Entry)) {
        let at = usize::from(at) % self.listed.len().max(1);
        let possible = self.listed.get(at).filter(|entry| entry.probability > 0.0);
        self.again = possible.cloned();
        self.again.iter_mut().for_each(lie);
    }

    /// `[{"token": …}, …]`
    fn list(&self) -> String {
        let again = self.again.iter().filter(|entry| !entry.id.is_empty());
        let entries = self.listed.iter().chain(again);
        let entries: Vec<String> = entries.map(|e| format!("{{{}}}", e.fields())).collect();
        format!("[{}]", entries.join(","))
    }

    /// An entry for the sampled token, with the list.
    fn position(&self) -> String {
        let sampled = self
            .sampled
            .as_ref()
            .map_or(String::new(), |e| e.fields() + ",");
        format!("{{{sampled}\"top_logprobs\":{}}}", self.list())
    }

    fn legacy(&self, top: &str) -> String {
        let sampled = self.sampled.as_ref().map_or(String::new(), |e| {
            format!("\"tokens\":[{}],\"token_logprobs\":[{}],", e.token, e.value)
        });
        self.choice(&format!(
            "\"logprobs\":{{{sampled}\"top_logprobs\":[{top}]}}"
        ))
    }

    fn choice(&self, logprobs: &str) -> String {
        let Self {
            index,
            in_choice,
            beside,
            ..
        } = self;
        format!("{{\"choices\":[{{{index}\"text\":\"A\",{logprobs}{in_choice}}}]{beside}}}")
    }
}

impl Entry {
    fn new(id: u32, text: &str, probability: f64) -> Self {
        let value = match probability {
            0.0 => "-Infinity".to_owned(),
            _ => probability.ln().to_string(),
        };
        Self {
            probability,
            token: serde_json::Value::from(text).to_string(),
            value,
            id: format!("\"id\":{id},"),
            bytes: format!("\"bytes\":{:?},", text.as_bytes()),
        }
    }

    fn set(&mut self, value: &str) {
        value.clone_into(&mut self.value);
    }

    fn fields(&self) -> String {
        let Self {
            token,
            value,
            id,
            bytes,
            ..
        } = self;
        format!("{id}{bytes}\"token\":{token},\"logprob\":{value}")
    }
}

/// A JSON string with every character as an escape.
fn escaped(token: &str) -> String {
    let text: String = serde_json::from_str(token).unwrap_or_default();
    let mut escaped = String::from("\"");
    for unit in text.encode_utf16() {
        let _ = write!(escaped, "\\u{unit:04x}");
    }
    escaped + "\""
}

/// The way of asking, and the question.
static ASKED: LazyLock<Option<(Exchange, ScoreRequest)>> = LazyLock::new(|| {
    let Asked {
        batch: [question, ..],
        ..
    } = Asked::new(Route::Completions, Tier::TopTokens)?;
    let labels: Arc<[String]> = LABELS.map(str::to_owned).into();
    let exchange = Asked::exchange(Route::Completions, Tier::TopTokens, Spellings::default())?;
    let key = RequestKey::new(&[0; 32], &question.prompt, &labels);
    Some((
        exchange,
        ScoreRequest {
            key,
            labels,
            ..question
        },
    ))
});

/// Tells a distribution in a dishonest shape and reads it. The input chooses both.
///
/// # Panics
/// If an option that is not marked has another figure than in the distribution.
pub fn dishonest(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let mut byte = || bytes.next().unwrap_or(0);
    let (shape, second, at) = (usize::from(byte()), usize::from(byte()), byte());
    shaped(shape % SHAPES, LIES[second % LIES.len()], at, byte);
}

/// Holds the property for one shape, with a second lie.
fn shaped(shape: usize, second: Lie, at: u8, mut byte: impl FnMut() -> u8) {
    let Some((exchange, question)) = ASKED.as_ref() else {
        return;
    };
    let mut told = Told::truth(&mut byte);
    let truth = LABELS.map(|label| {
        let spells = |e: &&Entry| {
            let text: String = serde_json::from_str(&e.token).unwrap_or_default();
            text.trim_start_matches([' ', '▁']) == label
        };
        told.listed
            .iter()
            .filter(spells)
            .map(|e| e.probability)
            .sum::<f64>()
    });
    LIES[shape / LAYOUTS.len()](&mut told, at);
    second(&mut told, at);
    let body = (told.last)(LAYOUTS[shape % LAYOUTS.len()](&told), at);
    let response = Response {
        status: 200,
        headers: KeptHeaders::default(),
        body: body.clone().into_bytes(),
        keep_alive: true,
    };
    let outcome = exchange.decode_one(&response, question);
    check(&outcome);
    let Ok(scores) = outcome else { return };
    for (option, truth) in truth.into_iter().enumerate() {
        let figure = scores.logprobs[option].exp();
        let right = if scores.observed[option] {
            (figure - truth).abs() < 1e-5
        } else {
            // A bound.
            figure > truth - 1e-5
        };
        assert!(right, "option {option} has {truth}, not {figure}: {body}");
    }
    let seen = truth
        .iter()
        .zip(&scores.observed)
        .filter(|(_, seen)| **seen);
    let mass: f64 = seen.map(|(truth, _)| truth).sum();
    assert!((scores.mass - mass).abs() < 1e-4, "mass {mass}: {body}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn no_shape_of_a_hundred_gives_a_wrong_figure(bytes in prop::collection::vec(any::<u8>(), 20), second: usize, at: u8) {
            prop_assert!(SHAPES >= 100);
            for shape in 0..SHAPES {
                for lie in [LIES[0], LIES[second % LIES.len()]] {
                    let mut bytes = bytes.iter().copied();
                    shaped(shape, lie, at, || bytes.next().unwrap_or(0));
                }
            }
        }
    }

    #[test]
    fn an_honest_answer_is_read_in_every_layout() {
        let (exchange, question) = ASKED.as_ref().unwrap();
        for layout in LAYOUTS {
            let body = layout(&Told::truth(&mut || 7)).into_bytes();
            let response = Response {
                status: 200,
                headers: KeptHeaders::default(),
                body,
                keep_alive: true,
            };
            let scores = exchange.decode_one(&response, question).unwrap();
            assert_eq!(scores.observed, [true, true, true, false]);
        }
    }
}
