//! Describes the content of a data set.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use sureness_analysis::number::{count, counted};
use sureness_bench::Failure;
use sureness_prompts::{PromptBuilder, Strategy, Wording};
use sureness_questions::{Dataset, Format, Question, letter};

use crate::show::terminal;

/// Maximum categories listed.
const SHOWN_CATEGORIES: usize = 6;
/// Maximum lines shown of the sample prompt.
const SHOWN_LINES: usize = 24;
/// Maximum characters shown of a context, question or option.
const SHOWN_CHARACTERS: usize = 480;

/// How a data set was read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The path as given.
    pub(crate) path: String,
    /// The layout, and whether it was detected.
    pub(crate) format: (Format, bool),
    /// The files that are read, of a folder or a pattern.
    pub(crate) files: Option<String>,
    /// Source of the few-shot examples.
    pub(crate) examples: String,
}

/// Describes a data set that was loaded without abstention options.
pub(crate) fn describe(dataset: &Dataset, reading: &Reading) -> Result<String, Failure> {
    let task = &dataset.task;
    let (format, detected) = reading.format;
    let detected = if detected { ", detected" } else { "" };
    let examples = match dataset.examples.len() {
        0 => "none".to_owned(),
        found => format!(
            "{}, {}; a prompt shows {}",
            count(found),
            reading.examples,
            task.shots.min(found)
        ),
    };
    let mut statistics = Statistics::default();
    let repeats = |question: &&Question| {
        let mut texts = HashSet::new();
        !question.options.iter().all(|option| texts.insert(option))
    };
    let mut repeating = dataset.examples.iter().filter(repeats).count();
    for question in dataset.questions.iter() {
        let question = question.map_err(Failure::new)?;
        repeating += usize::from(repeats(&&question));
        statistics.count(&question);
    }
    let mut facts = vec![
        ("layout", format!("{}{detected}", format.name())),
        ("task", format!("{} ({})", task.id, task.title)),
        ("questions", count(dataset.questions.len())),
        ("few-shot examples", examples),
        ("categories", statistics.categories()),
    ];
    if statistics.accepted > 0 {
        let accepted = counted(statistics.accepted, "accepted answer");
        facts.push((
            "kind",
            format!("open questions with {accepted}; ask with --answers sampled"),
        ));
    } else {
        facts.extend([
            ("options", statistics.options()),
            ("right answers", statistics.answers()),
            ("abstention", abstention(&statistics, format)),
        ]);
    }
    if let Some(files) = &reading.files {
        facts.insert(1, ("files", files.clone()));
    }
    if statistics.several > 0 {
        let several = counted(statistics.several, "question");
        facts.push(("several right", format!("in {several}; see --covers")));
    }
    if dataset.unshown > 0 {
        let unshown = counted(dataset.unshown, "example");
        let unshown =
            format!("{unshown} with several right answers, of which a prompt could show one");
        facts.push(("not shown", unshown));
    }
    if repeating > 0 {
        let repeated = counted(repeating, "question");
        facts.push(("equal options", format!("in {repeated}")));
    }
    let repeats = dataset.questions.repeats().map_err(Failure::new)?;
    if repeats > 0 {
        let repeats = counted(repeats, "question");
        facts.push((
            "repeated rows",
            format!("{repeats} with the content of another"),
        ));
    }
    if dataset.left_out > 0 {
        let rows = counted(dataset.left_out, "row");
        facts.push((
            "left out",
            format!("{rows} with the content of a few-shot example"),
        ));
    }
    if !dataset.unread.is_empty() {
        facts.push(("not read", dataset.unread.to_string()));
    }
    let facts = facts.into_iter();
    let rows = facts.map(|(name, value)| vec![name.to_owned(), value]);
    let mut text = format!("{} is valid.\n\n", reading.path);
    text.push_str(&terminal::columns(rows, &[]));
    if let Some(question) = dataset.questions.iter().next() {
        text.push('\n');
        let mut question = question.map_err(Failure::new)?;
        if !format.has_own_abstention() && !question.is_open() {
            question = question.with_abstention();
        }
        text.push_str(&sample(dataset, question)?);
    }
    Ok(text)
}

fn abstention(statistics: &Statistics, format: Format) -> String {
    if format.has_own_abstention() {
        let known = statistics.with_unknown;
        return format!(
            "none are added, since a question has an option of its own that abstains; told by its words \
             in {} of {}",
            count(known),
            count(statistics.questions)
        );
    }
    statistics.abstention()
}

/// Counts over the questions of a data set.
#[derive(Default)]
struct Statistics {
    questions: usize,
    /// Questions by category.
    categories: BTreeMap<String, usize>,
    /// Questions by number of options.
    options: BTreeMap<usize, usize>,
    /// Questions by right option.
    answers: Vec<usize>,
    /// Accepted answers of open questions.
    accepted: usize,
    /// Questions with several right options.
    several: usize,
    without_dont_know: usize,
    /// Questions with an option, of their own or not, that admits ignorance.
    with_unknown: usize,
    without_none: usize,
    /// Questions with too many options to add the abstention options that they lack.
    crowded: usize,
}

impl Statistics {
    fn count(&mut self, question: &Question) {
        self.questions += 1;
        if let Some(category) = &question.category {
            *self.categories.entry(category.clone()).or_default() += 1;
        }
        self.accepted += question.accepted.len();
        if question.is_open() {
            return;
        }
        let options = question.options.len();
        *self.options.entry(options).or_default() += 1;
        self.answers.resize(self.answers.len().max(options), 0);
        for option in question.right.iter() {
            self.answers[option] += 1;
        }
        self.several += usize::from(question.right.only().is_none());
        self.without_dont_know += usize::from(question.dont_know().is_none());
        self.with_unknown += usize::from(question.admits_ignorance().is_some());
        self.without_none += usize::from(question.none_of_the_above().is_none());
        self.crowded += usize::from(!question.has_room_for_abstention());
    }

    fn categories(&self) -> String {
        if self.categories.is_empty() {
            return "none".to_owned();
        }
        let mut sizes: Vec<_> = self.categories.iter().collect();
        // Largest first. The sort is stable, so ties stay in alphabetical order.
        sizes.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
        let shown: Vec<_> = sizes
            .iter()
            .take(SHOWN_CATEGORIES)
            .map(|(name, size)| format!("{name} {}", count(**size)))
            .collect();
        let rest = sizes.len() - shown.len();
        let more = if rest > 0 {
            format!(" and {} more", count(rest))
        } else {
            String::new()
        };
        format!("{}: {}{more}", count(sizes.len()), shown.join(", "))
    }

    fn options(&self) -> String {
        if let [(options, _)] = Vec::from_iter(&self.options)[..] {
            return format!("{options} each");
        }
        let parts = self.options.iter();
        let parts: Vec<_> = parts
            .map(|(options, questions)| format!("{options} in {}", counted(*questions, "question")))
            .collect();
        parts.join(", ")
    }

    fn answers(&self) -> String {
        let parts = self.answers.iter().enumerate().map(|(index, size)| {
            let percent = 100.0 * *size as f64 / self.questions.max(1) as f64;
            format!("{} {} ({percent:.0} %)", letter(index), count(*size))
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    fn abstention(&self) -> String {
        if self.crowded > 0 {
            return format!(
                "no letters are left for both options in {}: run with --no-abstention",
                counted(self.crowded, "question")
            );
        }
        match (self.without_dont_know, self.without_none) {
            (0, 0) => "every question already has both options; none are added".to_owned(),
            (a, b) if a == self.questions && b == self.questions => {
                "\"I don't know\" and \"None of the above\" are added to every question".to_owned()
            }
            (a, b) => format!(
                "\"I don't know\" is added to {}, \"None of the above\" to {}",
                counted(a, "question"),
                counted(b, "question")
            ),
        }
    }
}

/// The first question as a model sees it.
fn sample(dataset: &Dataset, mut question: Question) -> Result<String, Failure> {
    question.context = question.context.as_deref().map(shortened);
    question.stem = shortened(&question.stem);
    for option in &mut question.options {
        *option = shortened(option);
    }
    let (task, wording) = (&dataset.task, Wording::builtin());
    let builder = if question.is_open() {
        PromptBuilder::open(task, &wording, &[], 0)
    } else {
        PromptBuilder::new(task, Strategy::Base, &wording, &[], 0)
    };
    let builder = builder.map_err(Failure::new)?;
    let suffix = builder.build(&question).suffix;

    let width = terminal::width().saturating_sub(4);
    let lines: Vec<_> = suffix
        .lines()
        .flat_map(|line| wrapped(&printable(line), width))
        .collect();
    let mut text = "The first question, as a model sees it:\n\n".to_owned();
    for line in lines.iter().take(SHOWN_LINES) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  | {line}");
    }
    if lines.len() > SHOWN_LINES {
        let _ = writeln!(
            text,
            "  … {} more",
            counted(lines.len() - SHOWN_LINES, "line")
        );
    }
    if question.is_open() {
        let accepted = question.accepted.iter().map(|it| printable(&shortened(it)));
        let accepted: Vec<String> = accepted.collect();
        let _ = writeln!(text, "\nAccepted: {}.", accepted.join(", "));
        return Ok(text);
    }
    let verb = match question.right.only() {
        Some(_) => "The right answer is",
        None => "The right answers are",
    };
    let _ = writeln!(text, "\n{verb} {}.", question.right);
    Ok(text)
}

/// Shortens a long text in the middle.
fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= SHOWN_CHARACTERS {
        return text.to_owned();
    }
    let half = SHOWN_CHARACTERS / 2;
    let begin: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(length - half).collect();
    let left_out = count(length - 2 * half);
    format!(
        "{} [… {left_out} characters …] {}",
        begin.trim_end(),
        end.trim_start()
    )
}

/// Replaces control characters: an untrusted file must not move the cursor.
fn printable(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Wraps a line at blanks; words longer than a line are broken anywhere.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in line.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let mut first = used == 0 && lines.len() == 1;
        loop {
            let gap = usize::from(!first && used > 0);
            if used + gap + word.len() <= width || (used == 0 && word.len() <= width) {
                push(&mut lines, gap, &word);
                used += gap + word.len();
                break;
            }
            if used == 0 {
                let rest = word.split_off(width);
                push(&mut lines, 0, &word);
                word = rest;
            }
            lines.push(String::new());
            used = 0;
            first = false;
        }
    }
    lines
}

fn push(lines: &mut [String], gap: usize, word: &[char]) {
    if let Some(last) = lines.last_mut() {
        last.extend(std::iter::repeat_n(' ', gap));
        last.extend(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_lose_no_word() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrapped("", 4), [""]);
        let text = "The quick brown fox jumps over the lazy dog";
        assert_eq!(wrapped(text, 10).join(" "), text);
        assert!(
            wrapped(text, 10)
                .iter()
                .all(|line| line.chars().count() <= 10)
        );
    }

    #[test]
    fn long_texts_are_cut_in_the_middle_at_characters() {
        let text = "é".repeat(SHOWN_CHARACTERS + 1_000);
        let short = shortened(&text);
        assert!(short.contains("[… 1,000 characters …]"), "{short}");
        assert_eq!(shortened("short"), "short");
    }
}
