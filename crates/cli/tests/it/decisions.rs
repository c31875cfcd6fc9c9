//! `sureness compare --until` and `sureness gate` from outside.

mod gate;
mod gate_live;
mod live;
mod settled;
mod width;

use std::path::Path;

use serde_json::Value;

/// Random numbers (`SplitMix64`) for made-up answers.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The letters that an answer key goes through.
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// Writes `key.json` for so many questions.
pub(super) fn write_key(folder: &Path, questions: usize) {
    let item = |id: usize| format!(r#"{{"id": {id}, "answer": "{}"}}"#, LETTERS[id % 4]);
    let items: Vec<String> = (0..questions).map(item).collect();
    std::fs::write(folder.join("key.json"), format!("[{}]", items.join(","))).unwrap();
}

/// Writes the logits of a model that is right in the questions for which `right` holds, and as
/// sure as the numbers of `seed` say.
pub(super) fn write_model(
    folder: &Path,
    name: &str,
    questions: usize,
    seed: u64,
    right: impl Fn(usize) -> bool,
) {
    let mut rng = Rng(seed);
    let mut text = String::new();
    for id in 0..questions {
        let mut logits: Vec<f64> = (0..6).map(|_| 2.0 * rng.unit()).collect();
        let top = if right(id) { id % 4 } else { (id + 1) % 4 };
        logits[top] = 2.0 + 2.0 * rng.unit();
        text.push_str(&format!(
            "{{\"id\": {id}, \"logits_options\": {logits:?}}}\n"
        ));
    }
    std::fs::write(
        folder.join(format!("{name}_mmlu_10k_base_icl1.jsonl")),
        text,
    )
    .unwrap();
}

/// The file of a model.
pub(super) fn file(name: &str) -> String {
    format!("{name}_mmlu_10k_base_icl1.jsonl")
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
