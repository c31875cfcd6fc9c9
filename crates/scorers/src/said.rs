//! Answers in words, from any backend, and the options that they choose.

use crate::{Draw, OptionScores, Reading, ScoreRequest, Usage, Words};

/// How answers are drawn and read, part of the model's identity: a change makes answers another
/// model's.
pub(crate) const READER: &str = "1";
/// Where base models begin the next question by themselves, and where their answer ends.
pub(crate) const STOP: &str = "\nQuestion:";

/// One answer of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    /// What it wrote, without a thought that the server reports apart.
    pub(crate) text: String,
    /// That thought.
    pub(crate) thought: Option<String>,
    /// Why it ended.
    pub(crate) end: End,
    /// The mean log-probability of its tokens, where the server gives them.
    pub(crate) logprob: Option<f64>,
    /// Its tokens, where the server lists them.
    pub(crate) tokens: Option<u32>,
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

/// What servers call the end at a limit of tokens.
const CUT: [&str; 5] = [
    "length",
    "max_tokens",
    "max_output_tokens",
    "model_length",
    "model_context_window_exceeded",
];
/// What servers call a refusal: `OpenAI`'s filter, Anthropic's, Google's, z.AI's.
const REFUSED: [&str; 8] = [
    "content_filter",
    "refusal",
    "safety",
    "prohibited_content",
    "blocklist",
    "spii",
    "recitation",
    "sensitive",
];

impl End {
    /// The end that a server gives as its reason. Some add the kind of filter after a colon.
    pub(crate) fn of(reason: Option<&str>) -> Self {
        let reason = reason.unwrap_or_default().to_lowercase();
        let name = reason.split(':').next().unwrap_or_default().trim();
        if CUT.contains(&name) {
            return Self::Cut;
        }
        if REFUSED.contains(&name) {
            return Self::Refused;
        }
        Self::Whole
    }
}

impl Said {
    /// An answer that was withheld, with the words of whoever withheld it.
    pub(crate) fn withheld(words: String) -> Self {
        Self {
            text: words,
            end: End::Refused,
            ..Self::default()
        }
    }

    /// The scores in place of those after a thought that was refused: none.
    pub(crate) fn in_place_of_letters(self, options: usize, usage: Usage) -> OptionScores {
        OptionScores::chosen(None, options, usage, self.words(Reading::Refused))
    }

    /// The option that the answer chooses, as scores; what it says, where there are no options.
    pub(crate) fn scores(self, request: &ScoreRequest, draw: &Draw, usage: Usage) -> OptionScores {
        if draw.options.is_empty() {
            let (reading, logprob) = (self.read_open(), self.logprob);
            let words = Words {
                logprob,
                ..self.words(reading)
            };
            return OptionScores::said(usage, words);
        }
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
            logprob: None,
            reading,
        }
    }

    /// Whether an answer to an open question says something. What is cut counts if a whole line
    /// stands before the end.
    fn read_open(&self) -> Reading {
        let (_, answer) = sureness_answers::split_thought(&self.text);
        let none: [&str; 0] = [];
        match self.end {
            End::Refused => Reading::Refused,
            End::Cut if first_line(answer).trim().is_empty() => Reading::Cut,
            _ if sureness_answers::short(&self.text).is_empty() => Reading::Unreadable,
            _ => match sureness_answers::read(answer, &none, &none) {
                sureness_answers::Reading::Refused => Reading::Refused,
                _ => Reading::Said,
            },
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

    fn said(text: &str, end: End) -> Said {
        Said {
            text: text.to_owned(),
            end,
            ..Said::default()
        }
    }

    #[test]
    fn a_cut_answer_counts_if_it_came_first() {
        let labels = ["A", "B"].map(str::to_owned);
        let options = ["Rome", "Paris"].map(str::to_owned);
        let read = |text: &str, end| said(text, end).read(&labels, &options);
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

    #[test]
    fn ends_are_known_by_the_names_of_many_servers() {
        for (reason, end) in [
            (Some("stop"), End::Whole),
            (Some("end_turn"), End::Whole),
            (None, End::Whole),
            (Some("MAX_TOKENS"), End::Cut),
            (Some("length"), End::Cut),
            (Some("content_filter: SAFETY"), End::Refused),
            (Some("PROHIBITED_CONTENT"), End::Refused),
        ] {
            assert_eq!(End::of(reason), end, "{reason:?}");
        }
    }

    #[test]
    fn open_answers_are_said_refused_or_cut() {
        let read = |text: &str, end| said(text, end).read_open();
        assert_eq!(read(" The Danube", End::Whole), Reading::Said);
        assert_eq!(read("Danube\n\nThe Danube is", End::Cut), Reading::Said);
        assert_eq!(read("The Danube rises in the", End::Cut), Reading::Cut);
        assert_eq!(read("<think>Which\nriver", End::Cut), Reading::Cut);
        assert_eq!(read(" \n", End::Whole), Reading::Unreadable);
        assert_eq!(read("", End::Refused), Reading::Refused);
        let refusal = "I'm sorry, but I can't help with that.";
        assert_eq!(read(refusal, End::Whole), Reading::Refused);
    }
}
