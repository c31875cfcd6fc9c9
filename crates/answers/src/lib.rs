#![doc = include_str!("../README.md")]

mod claim;
mod clause;
mod cue;
mod decide;
mod document;
mod lexer;
mod lexicon;
mod listing;
mod mention;
mod options;
mod place;
mod refusal;
mod thought;
mod token;
mod turn;

pub use thought::split_thought;
pub use turn::first as first_turn;

use document::Document;
use options::Options;
use token::Token;

/// What an answer in text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// It chooses the option at this index.
    Option(usize),
    /// The model declines to answer, and chooses no option.
    Refused,
    /// It cannot be read.
    Unreadable(Why),
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It is empty.
    Empty,
    /// It is a thought that does not end, or that no answer follows.
    OnlyThought,
    /// It chooses no option.
    NoOption,
    /// It chooses several options, or contradicts itself.
    Several,
}

/// The answer to an open question in a text: after a thought is cut off, the first line that is not
/// blank, without a mark such as `Answer:` before it. Empty where there is none.
///
/// ```
/// use sureness_answers::short;
///
/// assert_eq!(short("<think>Which river?</think>\n\nThe Danube\n\nQuestion: …"), "The Danube");
/// assert_eq!(short("**Answer:** 1789"), "1789");
/// assert_eq!(short("<think>Perhaps"), "");
/// ```
pub fn short(text: &str) -> &str {
    let (_, answer) = split_thought(text);
    let line = answer.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    let bare = line.trim_start_matches(['*', '#', '_', ' ']);
    let head = bare.get(..MARK.len()).unwrap_or_default();
    if head.eq_ignore_ascii_case(MARK) {
        bare[MARK.len()..].trim_start_matches(['*', '_', ' '])
    } else {
        line
    }
}

/// What may precede an answer.
const MARK: &str = "answer:";

/// Reads what `text` chooses among `options`, labelled `labels`.
///
/// The last statement wins, and nothing is guessed: what cannot be read with confidence is
/// [`Reading::Unreadable`]. Thoughts are cut off first, as [`split_thought`] does.
///
/// ```
/// use sureness_answers::{Reading, Why, read};
///
/// let options = ["Paris", "Rome", "Berlin"];
/// let read = |text| read(text, &["A", "B", "C"], &options);
/// assert_eq!(read("The correct answer is **(B) Rome**."), Reading::Option(1));
/// assert_eq!(read("A... no wait, the answer is C."), Reading::Option(2));
/// assert_eq!(read("It is Paris."), Reading::Option(0));
/// assert_eq!(read("A or B"), Reading::Unreadable(Why::Several));
/// assert_eq!(read("A good answer would need context."), Reading::Unreadable(Why::NoOption));
/// ```
pub fn read(text: &str, labels: &[impl AsRef<str>], options: &[impl AsRef<str>]) -> Reading {
    let (thought, answer) = split_thought(text);
    let answer = turn::first(answer);
    if answer.trim().is_empty() {
        return Reading::Unreadable(match thought {
            Some(_) => Why::OnlyThought,
            None => Why::Empty,
        });
    }
    let options = Options::new(labels, options);
    let parts: Vec<Vec<Token>> = turn::parts(answer).into_iter().map(lexer::tokens).collect();
    let mut parts = parts.into_iter();
    let own = parts.next().unwrap_or_default();
    match read_part(own, &options) {
        // The model repeats the question before it answers. Another question has other options.
        Reading::Unreadable(Why::NoOption) => parts
            .find(|part| options.are_all_in(part))
            .map_or(Reading::Unreadable(Why::NoOption), |part| {
                read_part(part, &options)
            }),
        reading => reading,
    }
}

fn read_part(tokens: Vec<Token>, options: &Options) -> Reading {
    let refused = refusal::is_refusal(&tokens);
    let mut document = Document::new(tokens, options);
    listing::mark(&mut document);
    let mut claims = claim::claims(&document);
    // What follows the options of another question concerns that one.
    if let Some(end) = listing::other_question(&document, &claims) {
        claims.retain(|claim| claim.end <= end);
    }
    decide::reading(&document, &claims).unwrap_or(if refused {
        Reading::Refused
    } else {
        Reading::Unreadable(Why::NoOption)
    })
}
