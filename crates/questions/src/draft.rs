//! Checks a row and makes a [`Question`] of it.

use std::collections::{HashMap, HashSet};

use crate::again::Again;
use crate::error::{Problem, describe_labels};
use crate::source::At;
use crate::{DataError, MAX_OPTIONS, Question, RightOptions, letter, letter_index};

/// A question as read, before any check.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) id: String,
    pub(crate) category: Option<&'a str>,
    pub(crate) context: Option<&'a str>,
    pub(crate) stem: &'a str,
    pub(crate) options: Options,
    pub(crate) answers: Answers<'a>,
    /// Names of the fields in this layout, for errors.
    pub(crate) names: Names<'a>,
}

/// Field names of a layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) stem: &'a str,
    pub(crate) options: &'a str,
    pub(crate) answer: &'a str,
}

/// Options and the labels that the file gives them.
#[derive(Debug)]
pub(crate) struct Options {
    labels: Vec<String>,
    texts: Vec<String>,
    /// Published data sets have a few rows with two equal options. Dropping them would make results
    /// incomparable.
    may_repeat: bool,
    form: Form,
}

/// Where options have their labels from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The file gives them as a list, without labels.
    List,
    /// From their layout, which counts from 1.
    From1,
    /// The file labels them, and they may stand in another order than there.
    Labelled,
    /// The same by the ends of columns' names, such as `2` of `option2`.
    Columns,
}

/// How a file names the right options.
#[derive(Debug)]
pub(crate) enum Answers<'a> {
    /// The only one; or several as letters with commas between them.
    One(Answer<'a>),
    /// One after the other.
    Each(Vec<Answer<'a>>),
    /// By their places among the options.
    Places(Vec<usize>),
    /// By their places among the options as the file has them.
    Marked(Vec<usize>),
}

impl<'a> From<Answer<'a>> for Answers<'a> {
    fn from(answer: Answer<'a>) -> Self {
        Self::One(answer)
    }
}

/// How a file names a right option.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'a> {
    /// A label, a letter or the option's text.
    Text(&'a str),
    /// An index counted from 0, written as a number.
    Index(i64),
    /// The cell of a table, where a number may also be text.
    Cell(&'a str),
    /// A label and nothing else: layouts that fix how an answer is written.
    Label(&'a str),
}

impl Answer<'_> {
    fn trimmed(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.trim()),
            Self::Cell(text) => Self::Cell(text.trim()),
            Self::Label(text) => Self::Label(text.trim()),
            Self::Index(_) => self,
        }
    }
}

impl Options {
    /// Options under the letters A, B, C ….
    pub(crate) fn lettered<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<_> = texts
            .into_iter()
            .map(|text| text.as_ref().trim().to_owned())
            .collect();
        let labels = (0..texts.len()).map(|index| letter(index).to_string());
        Self {
            labels: labels.collect(),
            texts,
            may_repeat: false,
            form: Form::List,
        }
    }

    /// Options under the numbers 0, 1, 2 ….
    pub(crate) fn numbered<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut options = Self::lettered(texts);
        for (index, name) in options.labels.iter_mut().enumerate() {
            *name = index.to_string();
        }
        options
    }

    /// Options under the numbers 1, 2, 3 ….
    pub(crate) fn numbered_from_1<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut options = Self::lettered(texts);
        for (index, name) in options.labels.iter_mut().enumerate() {
            *name = (index + 1).to_string();
        }
        // A 0 is not an index here, but a mistake.
        options.form = Form::From1;
        options
    }

    /// The texts, trimmed.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Options under the file's own labels. Letters are put in order; others keep theirs.
    pub(crate) fn labelled<L: AsRef<str>, T: AsRef<str>>(
        pairs: impl IntoIterator<Item = (L, T)>,
    ) -> Self {
        let pairs = pairs.into_iter();
        let mut pairs: Vec<_> = pairs
            .map(|(label, text)| (label.as_ref().trim().to_owned(), text))
            .collect();
        in_order(&mut pairs);
        let pairs = pairs.into_iter();
        let (labels, texts) = pairs
            .map(|(label, text)| (label, text.as_ref().trim().to_owned()))
            .unzip();
        Self {
            labels,
            texts,
            may_repeat: false,
            form: Form::Labelled,
        }
    }

    /// Options under the ends of the names of their columns.
    pub(crate) fn of_columns<L: AsRef<str>, T: AsRef<str>>(
        pairs: impl IntoIterator<Item = (L, T)>,
    ) -> Self {
        Self {
            form: Form::Columns,
            ..Self::labelled(pairs)
        }
    }

    /// Whether the file labels them, and they may stand in another order than there.
    pub(crate) fn are_labelled(&self) -> bool {
        matches!(self.form, Form::Labelled | Form::Columns)
    }

    /// Their labels in the file, or the letters.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Lets two options have the same text, as in published data sets.
    pub(crate) fn with_repeats(self) -> Self {
        Self {
            may_repeat: true,
            ..self
        }
    }

    /// The labels must be A, B, C and on.
    pub(crate) fn check_letters(&self) -> Result<(), Problem> {
        let letters = self.labels.iter().map(|name| letter_index(name));
        if letters
            .enumerate()
            .all(|(index, letter)| letter == Some(index))
        {
            return Ok(());
        }
        Err(Problem::Letters(self.labels.join(", ")))
    }

    fn check(&self) -> Result<(), Problem> {
        if !(2..=MAX_OPTIONS).contains(&self.texts.len()) {
            return Err(Problem::OptionCount(self.texts.len()));
        }
        let mut labels = HashSet::new();
        if let Some(label) = self.labels.iter().find(|label| !labels.insert(*label)) {
            return Err(Problem::RepeatedLabel(label.clone()));
        }
        let mut seen = HashMap::new();
        for (name, text) in self.labels.iter().zip(&self.texts) {
            if text.is_empty() {
                return Err(Problem::EmptyOption(name.clone()));
            }
            if let Some(first) = seen.insert(text, name)
                && !self.may_repeat
            {
                return Err(Problem::RepeatedOption {
                    first: first.clone(),
                    second: name.clone(),
                    text: text.clone(),
                });
            }
        }
        Ok(())
    }

    /// The options that the answers refer to.
    fn resolve_all(&self, answers: &Answers<'_>) -> Result<RightOptions, Problem> {
        let each = match answers {
            Answers::One(answer) => {
                let answer = answer.trimmed();
                return match self.resolve(answer) {
                    Ok(index) => Ok(index.into()),
                    Err(problem) => self.letters(answer).ok_or(problem),
                };
            }
            Answers::Marked(_) if self.are_labelled() => return Err(Problem::MarksOfLabels),
            Answers::Places(places) | Answers::Marked(places) => {
                return RightOptions::of(places.iter().copied()).ok_or(Problem::NoneRight);
            }
            Answers::Each(each) => each,
        };
        let mut places = Vec::with_capacity(each.len());
        for answer in each {
            let place = self.resolve(answer.trimmed())?;
            if places.contains(&place) {
                return Err(Problem::RepeatedAnswer(self.labels[place].clone()));
            }
            places.push(place);
        }
        RightOptions::of(places).ok_or(Problem::NoneRight)
    }

    /// The options of a text such as `A, C` that is none of them itself.
    fn letters(&self, answer: Answer<'_>) -> Option<RightOptions> {
        let (Answer::Text(text) | Answer::Cell(text) | Answer::Label(text)) = answer else {
            return None;
        };
        let parts = text.split([',', ';']).map(str::trim);
        let places: Option<Vec<usize>> = parts
            .map(|part| {
                letter_index(part).and_then(|_| self.by_label(part).or(self.by_letter(part)))
            })
            .collect();
        let places = places?;
        let right = RightOptions::of(places.iter().copied())?;
        (right.count() == places.len()).then_some(right)
    }

    /// The option that the answer refers to. The file's labels take precedence over letters, letters
    /// over option texts, and exact case over any.
    fn resolve(&self, answer: Answer<'_>) -> Result<usize, Problem> {
        let unknown = |answer: String| Problem::Answer {
            answer,
            options: describe_labels(&self.labels),
        };
        match answer {
            Answer::Text(text) => self
                .by_name(text)
                .ok_or_else(|| unknown(format!("{text:?}"))),
            Answer::Label(text) => self
                .by_label(text)
                .or_else(|| self.by_label(whole(text)))
                .ok_or_else(|| unknown(format!("{text:?}"))),
            Answer::Index(number) => {
                let written = number.to_string();
                if let Some(index) = self.by_label(&written) {
                    return Ok(index);
                }
                let index = self
                    .by_index(&written)
                    .ok_or_else(|| unknown(written.clone()))?;
                // Beside a list, a number is an index and nothing else.
                if self.form == Form::List {
                    return Ok(index);
                }
                self.refuse_other_reading(&written, index)
            }
            Answer::Cell(text) => {
                let number = whole(text);
                let label = self.by_label(text).or_else(|| self.by_label(number));
                match (label, self.by_index(number)) {
                    // The number of a column may as well be the text of an option.
                    (Some(index), _) if self.form == Form::Columns && is_number(number) => {
                        self.refuse_other_text(text, index)
                    }
                    (Some(index), _) => Ok(index),
                    (None, Some(index)) => self.refuse_other_reading(text, index),
                    (None, None) => self.resolve(Answer::Text(text)),
                }
            }
        }
    }

    fn by_label(&self, text: &str) -> Option<usize> {
        self.labels.iter().position(|name| name == text)
    }

    fn by_text(&self, text: &str) -> Option<usize> {
        self.texts.iter().position(|option| option == text)
    }

    /// By the letter an option will be shown under, where no label is a letter itself.
    fn by_letter(&self, text: &str) -> Option<usize> {
        let lettered = self
            .labels
            .iter()
            .any(|name| letter_index(&name.to_uppercase()).is_some());
        letter_index(text).filter(|&index| !lettered && index < self.texts.len())
    }

    fn by_index(&self, text: &str) -> Option<usize> {
        text.parse()
            .ok()
            .filter(|&index: &usize| index < self.texts.len())
    }

    fn by_name(&self, text: &str) -> Option<usize> {
        let upper = text.to_uppercase();
        self.by_label(text)
            .or_else(|| self.by_letter(text))
            .or_else(|| self.by_text(text))
            .or_else(|| {
                self.labels
                    .iter()
                    .position(|name| name.to_uppercase() == upper)
            })
            .or_else(|| self.by_letter(&upper))
    }

    /// `index`, unless the same number is also the text of another option, or the labels are numbers.
    fn refuse_other_reading(&self, answer: &str, index: usize) -> Result<usize, Problem> {
        // The other rows name labels with such numbers: read as indices here alone, one file would
        // have two rules, and the first two options one answer.
        let numbers = self.labels.iter().all(|name| is_number(name));
        if numbers && self.by_text(answer).is_none() {
            return Err(Problem::NotALabel {
                answer: answer.to_owned(),
                labels: describe_labels(&self.labels),
            });
        }
        self.refuse_other_text(answer, index)
    }

    /// `index`, unless the answer is also the text of another option.
    fn refuse_other_text(&self, answer: &str, index: usize) -> Result<usize, Problem> {
        match self.by_text(answer) {
            Some(other) if other != index => Err(Problem::AmbiguousAnswer {
                answer: answer.to_owned(),
                text: self.labels[other].clone(),
                index: self.labels[index].clone(),
            }),
            _ => Ok(index),
        }
    }
}

impl Draft<'_> {
    /// Checks everything and makes the question.
    pub(crate) fn finish(self, at: At<'_>) -> Result<Question, DataError> {
        self.finish_as(at, &Again::default())
    }

    /// The same of a row that says more than once which option is right.
    pub(crate) fn finish_as(self, at: At<'_>, again: &Again) -> Result<Question, DataError> {
        let names = self.names;
        let stem = self.stem.trim();
        if stem.is_empty() {
            return Err(at.field(names.stem, Problem::Blank));
        }
        self.options
            .check()
            .map_err(|problem| at.field(names.options, problem))?;
        let right = self
            .options
            .resolve_all(&self.answers)
            .map_err(|problem| at.field(names.answer, problem))?;
        again.check(at, &self.options, names.answer, right)?;
        Ok(Question {
            accepted: Vec::new(),
            id: self.id,
            category: not_blank(self.category),
            context: not_blank(self.context),
            stem: stem.to_owned(),
            options: self.options.texts,
            right,
        })
    }
}

/// Puts options that are labelled with letters in their order; others keep theirs.
pub(crate) fn in_order<L: AsRef<str>, T>(pairs: &mut [(L, T)]) {
    let rank = |(label, _): &(L, T)| letter_index(label.as_ref());
    if pairs.iter().all(|pair| rank(pair).is_some()) {
        pairs.sort_by_key(rank);
    }
}

/// The digits of a whole number that a table library made a fraction: `2` of `2.0`. Other text is
/// unchanged.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((number, zeros)) if is_number(number) && zeros.bytes().all(|byte| byte == b'0') => {
            number
        }
        _ => text,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn not_blank(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
