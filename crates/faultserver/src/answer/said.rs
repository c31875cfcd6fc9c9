//! Answers in words, drawn from the model's probabilities of the letters.

use serde_json::Value;

use super::shape::shaped;
use super::unsaid::unsaid;
use super::{Wanted, Work};
use crate::chance::unit;
use crate::model::{letters, words};
use crate::script::{Healthy, Unsaid, Words};

/// How an answer may put a letter.
const DRESSES: [(&str, &str); 8] = [
    ("", ""),
    ("(", ")"),
    ("**", "**"),
    ("The answer is ", "."),
    ("Answer: ", ""),
    ("\\boxed{", "}"),
    ("Option ", " is right."),
    ("The correct answer is (", ")."),
];
/// How an answer to an open question may be put.
const OPEN_DRESSES: [(&str, &str); 5] = [
    ("", ""),
    ("", "."),
    ("**", "**"),
    ("Answer: ", ""),
    ("", "\n\nThis is what I remember."),
];
const THOUGHT: &str =
    "The first option looks plausible, but let me compare all of them before I settle.";
pub(super) const REFUSAL: &str = "I'm sorry, but I can't help with that.";
const UNREADABLE: &str = "That depends on how one looks at it.";

/// How a request ends that asks for a thought before a letter.
const THINKING: &str = "step by step.";

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) thought: Option<String>,
    pub(super) tokens: usize,
    /// Log-probability of each token, the same for all.
    pub(super) logprob: f64,
    pub(super) end: End,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The model ends it.
    Whole,
    /// At the limit of tokens.
    Cut,
    /// The model refuses, in the protocol's own field.
    Refused,
    /// A filter withholds it.
    Filtered,
    /// The server fails.
    Broken,
}

/// Draws of one answer, by purpose.
struct Draws<'a> {
    prompt: &'a str,
    number: u64,
    index: u64,
}

impl Draws<'_> {
    fn at(&self, purpose: &[u8]) -> f64 {
        let (number, index) = (self.number.to_le_bytes(), self.index.to_le_bytes());
        unit(&[self.prompt.as_bytes(), &number, &index, purpose])
    }

    fn dressed(&self, dresses: &[(&str, &str)], what: &str) -> String {
        let place = (self.at(b"dress") * dresses.len() as f64) as usize;
        let (before, after) = dresses[place];
        format!("{before}{what}{after}")
    }
}

fn say(server: &Healthy, said: &Words, draws: &Draws<'_>) -> Said {
    let of_law =
        (server.thoughts.as_ref()).and_then(|law| law.at(draws.prompt, draws.at(b"thought")));
    let outcome = draws.at(b"outcome");
    let asks_for_thought = draws.prompt.trim_end().ends_with(THINKING);
    let (thought, text) = match of_law {
        Some(thought) if asks_for_thought => (None, thought.to_owned()),
        Some(thought) => {
            let after = format!("{}\n{thought}", draws.prompt);
            let text = text(server, said, draws, &after, outcome);
            (Some(thought.to_owned()), text)
        }
        None => {
            let thinks = draws.at(b"thought") < said.thoughts;
            let text = text(server, said, draws, draws.prompt, outcome);
            (thinks.then(|| THOUGHT.to_owned()), text)
        }
    };
    Said {
        logprob: -(draws.at(b"logprob") + text.len() as f64 / 40.0),
        tokens: words(&text) + thought.as_deref().map_or(0, words),
        text,
        thought,
        end: End::Whole,
    }
}

/// The answer without its thought; `after` is the prompt with the thought.
fn text(server: &Healthy, said: &Words, draws: &Draws<'_>, after: &str, outcome: f64) -> String {
    if outcome < said.refusals {
        return REFUSAL.to_owned();
    }
    if outcome < said.refusals + said.unreadable {
        return UNREADABLE.to_owned();
    }
    let open = server.open.as_ref();
    let saying =
        open.and_then(|open| open.at(draws.prompt, draws.at(b"saying"), draws.at(b"spelling")));
    if let Some(saying) = saying {
        return draws.dressed(&OPEN_DRESSES, saying);
    }
    let letter = letter(server, after, draws.at(b"letter"));
    draws.dressed(&DRESSES, &letter.to_string())
}

/// The letter at this place of the distribution over those that a question offers.
fn letter(server: &Healthy, prompt: &str, place: f64) -> char {
    let all = letters(server, prompt);
    let offered = server.offered(prompt);
    let total: f64 = all[..offered].iter().map(|logprob| logprob.exp()).sum();
    let mut below = 0.0;
    for (letter, logprob) in ('A'..).zip(&all[..offered]) {
        below += logprob.exp() / total;
        if place < below {
            return letter;
        }
    }
    'A'
}

/// The answer to a request for words; `fault` is what becomes of each answer instead.
pub(super) fn said(
    server: &Healthy,
    said: &Words,
    wanted: &Wanted,
    work: &[Work],
    number: u64,
    fault: Option<Unsaid>,
) -> Value {
    let each = |(place, work): (usize, &Work)| {
        let first = place as u64 * wanted.n;
        let prompt = &*work.prompt;
        let answers = (first..first + wanted.n).map(|index| {
            let draws = Draws {
                prompt,
                number,
                index,
            };
            unsaid(say(server, said, &draws), fault, wanted)
        });
        answers.collect::<Vec<_>>()
    };
    let all: Vec<Said> = work.iter().enumerate().flat_map(each).collect();
    shaped(server, wanted, work, &all, fault == Some(Unsaid::Withheld))
}
