//! Answers in words, from any backend, and the options that they choose.

use crate::{Draw, OptionScores, Reading, ScoreRequest, Usage, Words};

/// How answers are drawn and read, part of the model's identity: a change makes answers another
/// model's.
pub(crate) const READER: &str = "1";
/// Where base models begin the next question by themselves, and where their answer ends.
pub(crate) const STOP: &str = "\nQuestion:";

/// One answer of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// What it wrote, without a thought that the server reports apart.
    pub(crate) text: String,
    /// That thought.
    pub(crate) thought: Option<String>,
    /// Why it ended.
    pub(crate) end: End,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// The model ended it, or the server does not say.
    #[default]
    Whole,
    /// At the limit of tokens.
    Cut,
    /// The model refused, or a filter of the server's withheld the answer.
    Refused,
}

impl Said {
    /// The option that the answer chooses, as scores.
    pub(crate) fn scores(self, request: &ScoreRequest, draw: &Draw, usage: Usage) -> OptionScores {
        let (choice, reading) = self.read(&request.labels, &draw.options);
        let options = request.labels.len();
        OptionScores::chosen(choice, options, usage, self.words(reading))
    }

    /// The scores of the letters after this thought.
    pub(crate) fn before(self, letters: OptionScores) -> OptionScores {
        OptionScores {
            words: Some(Box::new(self.words(Reading::Thought))),
            ..letters
        }
    }

    fn words(self, reading: Reading) -> Words {
        Words {
            text: self.text,
            thought: self.thought,
            reading,
        }
    }

    fn read(&self, labels: &[String], options: &[String]) -> (Option<usize>, Reading) {
        let text = match self.end {
            End::Refused => return (None, Reading::Refused),
            // What would have followed may have been the answer: only an answer that comes first and
            // stands alone counts.
            End::Cut => first_line(&self.text),
            End::Whole => self.text.as_str(),
        };
        match (sureness_answers::read(text, labels, options), self.end) {
            (sureness_answers::Reading::Option(option), _) => (Some(option), Reading::Option),
            (_, End::Cut) => (None, Reading::Cut),
            (sureness_answers::Reading::Refused, _) => (None, Reading::Refused),
            (sureness_answers::Reading::Unreadable(_), _) => (None, Reading::Unreadable),
        }
    }
}

/// The first line of a text that goes on after it; nothing of a text that is one line.
fn first_line(text: &str) -> &str {
    let text = text.trim_start();
    text.split_once('\n').map_or("", |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_answer_counts_if_it_came_first() {
        let labels = ["A", "B"].map(str::to_owned);
        let options = ["Rome", "Paris"].map(str::to_owned);
        let read = |text: &str, end| {
            let said = Said {
                text: text.to_owned(),
                thought: None,
                end,
            };
            said.read(&labels, &options)
        };
        assert_eq!(read("B", End::Whole), (Some(1), Reading::Option));
        assert_eq!(
            read(" B\n\nThe capital of France is", End::Cut),
            (Some(1), Reading::Option)
        );
        assert_eq!(
            read("Option B is tempting, but", End::Cut),
            (None, Reading::Cut)
        );
        assert_eq!(read("", End::Cut), (None, Reading::Cut));
        assert_eq!(read("B", End::Refused), (None, Reading::Refused));
    }
}
