//! Answers in words on the page, within bounds.

use std::collections::{HashMap, HashSet};

use sureness_analysis::Figures;
use sureness_analysis::number::count;
use sureness_bench::words::{AnsweredRun, Exchange};
use sureness_bench::{Failure, TaskData};
use sureness_report::html::{AnswerEntry, QuestionWords};

use sureness_bench::reading;

/// Different answers to one question.
const MAX_ANSWERS: usize = 8;
/// Characters of an answer, and of the thought before it.
const MAX_ANSWER_CHARS: usize = 500;
/// Characters of what prompts have in common, and of the rest of a prompt.
const MAX_PROMPT_CHARS: usize = 4_000;
/// Bytes of all answers and prompts of a page.
const MAX_PAGE_BYTES: usize = 2 << 20;

/// Digest of a question's content.
type Key = [u8; 32];

/// Reads the answers of all models, as far as the page has room.
pub(super) struct WordsOf<'a> {
    /// By number of the model on the page; none of saved logits.
    runs: Vec<Option<AnsweredRun>>,
    data: &'a [TaskData],
    bytes: usize,
    /// Texts that were counted: prompts, which models share.
    counted: HashSet<String>,
    any: bool,
    full: bool,
}

impl<'a> WordsOf<'a> {
    pub(super) fn new(figures: &Figures<'_>, data: &'a [TaskData]) -> Result<Self, Failure> {
        let sources = figures.evidence.names().into_iter();
        let runs = sources.map(|(_, source)| AnsweredRun::of(source));
        Ok(Self {
            runs: runs.collect::<Result<_, _>>()?,
            data,
            bytes: 0,
            counted: HashSet::new(),
            any: false,
            full: false,
        })
    }

    /// The answers of one model to these questions, in their order; `None` where letters were scored.
    pub(super) fn answers_to(
        &mut self,
        model: usize,
        (task, strategy): (&str, &str),
        keys: &[Key],
    ) -> Result<Option<Vec<Option<QuestionWords>>>, Failure> {
        let Some(Some(run)) = self.runs.get(model) else {
            return Ok(None);
        };
        let wanted: HashSet<Key> = keys.iter().copied().collect();
        let mut found: HashMap<Key, Exchange> =
            run.exchanges((task, strategy), &wanted, self.data)?;
        if found.is_empty() {
            return Ok(None);
        }
        self.any = true;
        let words = keys
            .iter()
            .map(|key| self.fit(&found.remove(key)?))
            .collect();
        Ok(Some(words))
    }

    /// What the page shows of an exchange; `None` once the page is full.
    fn fit(&mut self, exchange: &Exchange) -> Option<QuestionWords> {
        let words = words_of(exchange);
        let answers = words.answers.iter();
        let mut bytes: usize = answers
            .map(|it| it.text.len() + it.thought.as_ref().map_or(0, String::len))
            .sum();
        let prompts = [Some(&words.prefix), words.prompt.as_ref()];
        for prompt in prompts.into_iter().flatten() {
            if self.counted.insert(prompt.clone()) {
                bytes += prompt.len();
            }
        }
        self.has_room(bytes).then_some(words)
    }

    /// Takes so many bytes of the page, if there are as many left.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let has_room = self.bytes + bytes <= MAX_PAGE_BYTES;
        if has_room {
            self.bytes += bytes;
        } else {
            self.full = true;
        }
        has_room
    }

    /// What a reader should know of the answers.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.any {
            notes.push(format!(
                "Answers in words: up to {MAX_ANSWERS} different ones per question, with {MAX_ANSWER_CHARS} \
                 characters each; of prompts, the last {} of the examples and of the question. \
                 `sureness show` has them whole.",
                count(MAX_PROMPT_CHARS)
            ));
        }
        if self.full {
            notes.push(format!(
                "The page is limited to {} MB of answers and prompts; further questions have none.",
                MAX_PAGE_BYTES >> 20
            ));
        }
        notes
    }
}

fn words_of(exchange: &Exchange) -> QuestionWords {
    let mut different: Vec<AnswerEntry> = Vec::new();
    let mut more = 0;
    for stored in &exchange.answers {
        let Some((words, scores)) = &stored.answer else {
            continue;
        };
        let text = if stored.has_text {
            words.text.trim()
        } else {
            reading::NOT_KEPT
        };
        let entry = AnswerEntry {
            text: beginning(text),
            thought: words.thought.as_deref().map(beginning),
            reading: reading::named(words, scores),
            count: 1,
        };
        let same = |known: &AnswerEntry| {
            (&known.text, &known.thought, &known.reading)
                == (&entry.text, &entry.thought, &entry.reading)
        };
        match different.iter().position(same) {
            Some(place) => different[place].count += 1,
            None if different.len() == MAX_ANSWERS => more += 1,
            None => different.push(entry),
        }
    }
    let prompt = exchange.prompt.as_ref();
    QuestionWords {
        prefix: prompt.map_or_else(String::new, |prompt| end(&prompt.prefix)),
        prompt: prompt.map(|prompt| end(&prompt.suffix)),
        answers: different,
        more_answers: more,
        ..QuestionWords::default()
    }
}

/// The first characters of an answer.
pub(super) fn beginning(text: &str) -> String {
    match text.char_indices().nth(MAX_ANSWER_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last characters of a prompt: what comes before the answer matters most.
fn end(text: &str) -> String {
    match text.char_indices().rev().nth(MAX_PROMPT_CHARS) {
        Some((at, cut)) => format!("…{}", &text[at + cut.len_utf8()..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(MAX_PROMPT_CHARS + 1);
        assert_eq!(end(&long).chars().count(), MAX_PROMPT_CHARS + 1);
        assert!(end(&long).starts_with("…é"));
        assert_eq!(end(&long[2..]), long[2..]);
        assert_eq!(beginning(&long).chars().count(), MAX_ANSWER_CHARS + 1);
        assert!(beginning(&long).ends_with("é…"));
    }
}
