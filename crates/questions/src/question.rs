//! One multiple-choice question, and the hashes of its content that identify it.

use blake3::Hasher;
use serde::{Deserialize, Serialize};
use sureness_right::RightOptions;

/// The abstention option that admits ignorance ("E" in the paper).
pub const DONT_KNOW: &str = "I don't know";
/// The abstention option that rejects all others ("F" in the paper).
pub const NONE_OF_THE_ABOVE: &str = "None of the above";
/// How BBQ's options say that the answer is unknown (its templates, `unknown_options`, 2026-11-29),
/// in the form of [`normalised`].
const UNKNOWN: [&str; 11] = [
    "unknown",
    "undetermined",
    "cannot be determined",
    "can't be determined",
    "the answer cannot be determined",
    "not answerable",
    "not known",
    "not enough info",
    "not enough information",
    "cannot answer",
    "can't answer",
];
/// The most options a question can have: one per letter.
pub const MAX_OPTIONS: usize = 26;

/// A multiple-choice question, whose options are shown under the letters A, B, C … in order; or an open
/// one, which has accepted answers in place of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Unique within its task.
    pub id: String,
    /// Finer grouping within the task, such as the subject in MMLU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Background text: a passage, a dialogue or a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The question itself.
    pub stem: String,
    /// Option texts, 2 to [`MAX_OPTIONS`]; none of an open question.
    pub options: Vec<String>,
    /// The right option, or several. Without meaning in an open question.
    #[serde(rename = "answer")]
    pub right: RightOptions,
    /// Accepted answers of an open question, one or more; none of any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

impl Question {
    /// Whether it is to be answered in the model's own words.
    pub fn is_open(&self) -> bool {
        !self.accepted.is_empty()
    }

    /// Adds the two abstention options at the end, each only where no option says it already.
    #[must_use]
    pub fn with_abstention(mut self) -> Self {
        for text in [DONT_KNOW, NONE_OF_THE_ABOVE] {
            if self.find_option(text).is_none() && self.options.len() < MAX_OPTIONS {
                self.options.push(text.to_owned());
            }
        }
        self
    }

    /// Whether letters are left for the abstention options that the question lacks.
    pub fn has_room_for_abstention(&self) -> bool {
        let own = [self.dont_know(), self.none_of_the_above()];
        self.options.len() + own.iter().filter(|index| index.is_none()).count() <= MAX_OPTIONS
    }

    /// Index of "I don't know", if it is among the options.
    pub fn dont_know(&self) -> Option<usize> {
        self.find_option(DONT_KNOW)
    }

    /// Index of the option that admits ignorance: "I don't know", or else the only one of the
    /// question's own that says in the words of BBQ that the answer is unknown. It may be right.
    pub fn admits_ignorance(&self) -> Option<usize> {
        self.dont_know().or_else(|| self.unknown())
    }

    /// The only option that says that the answer is unknown.
    fn unknown(&self) -> Option<usize> {
        let says = |option: &String| UNKNOWN.contains(&normalised(option).as_str());
        let mut found = (0..).zip(&self.options).filter(|(_, option)| says(option));
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    }

    /// Index of "None of the above", if it is among the options.
    pub fn none_of_the_above(&self) -> Option<usize> {
        self.find_option(NONE_OF_THE_ABOVE)
    }

    fn find_option(&self, text: &str) -> Option<usize> {
        let wanted = normalised(text);
        // The last one: a question may have such an option of its own among the first few, and
        // the paper's data adds E and F all the same.
        self.options.iter().rposition(|o| normalised(o) == wanted)
    }
}

/// Whether an option's text is one of the two abstention options.
pub(crate) fn is_abstention(text: &str) -> bool {
    let text = normalised(text);
    [DONT_KNOW, NONE_OF_THE_ABOVE]
        .iter()
        .any(|option| normalised(option) == text)
}

/// Lower case, a straight apostrophe, no space or full stop at the ends.
pub(crate) fn normalised(text: &str) -> String {
    text.trim()
        .trim_end_matches('.')
        .trim_end()
        .replace('\u{2019}', "'")
        .to_lowercase()
}

/// The letter of the option at `index`, from `A` to `Z`.
///
/// Indices from [`MAX_OPTIONS`] on have no letter and wrap around; the readers refuse such
/// questions.
///
/// ```
/// assert_eq!(sureness_questions::letter(2), 'C');
/// ```
pub fn letter(index: usize) -> char {
    char::from(b'A' + (index % MAX_OPTIONS) as u8)
}

/// The index of the option with this letter, the inverse of [`letter`]. `None` for anything but one
/// upper-case letter.
///
/// ```
/// use sureness_questions::letter_index;
///
/// assert_eq!(letter_index("C"), Some(2));
/// assert_eq!(letter_index("c"), None);
/// assert_eq!(letter_index("AB"), None);
/// ```
pub fn letter_index(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        _ => None,
    }
}

impl Question {
    /// A hash of context, stem, options and right options, or accepted answers.
    ///
    /// The id and the category are left out, since they may be row numbers and file names. So
    /// are the abstention options: a question is the same one with and without them.
    pub fn content_digest(&self) -> [u8; 32] {
        if self.is_open() {
            let digest = Digest::new("sureness open question 1")
                .text(self.context.as_deref().unwrap_or_default())
                .text(&self.stem);
            let accepted = self.accepted.iter();
            return accepted.fold(digest, |digest, it| digest.text(it)).finish();
        }
        let digest = Digest::new("sureness question 1")
            .text(self.context.as_deref().unwrap_or_default())
            .text(&self.stem)
            .number(match self.right.only() {
                Some(only) => only as u64,
                // Beyond every index.
                None => 1 << 32 | u64::from(self.right.mask()),
            });
        self.options
            .iter()
            .filter(|option| !is_abstention(option))
            .fold(digest, |digest, option| digest.text(option))
            .finish()
    }

    /// A hash shared by questions with the same context or, without context, with the same stem and
    /// the same options in any order.
    ///
    /// White space around texts, abstention options and the answer do not matter, so that a copy with
    /// shuffled options is in the cluster of the original.
    pub fn cluster_digest(&self) -> [u8; 32] {
        let digest = Digest::new("sureness cluster 1");
        let context = self.context.as_deref().map(str::trim);
        if let Some(context) = context.filter(|context| !context.is_empty()) {
            return digest.text("context").text(context).finish();
        }
        let options = self.options.iter().map(|option| option.trim());
        let mut options: Vec<&str> = options.filter(|option| !is_abstention(option)).collect();
        options.sort_unstable();
        options.dedup();
        let digest = digest.text("question").text(self.stem.trim());
        let digest = options.into_iter().fold(digest, Digest::text);
        digest.finish()
    }
}

/// A hash of parts, each with its length, so that no two lists of parts read the same.
#[derive(Debug)]
pub(crate) struct Digest(Hasher);

impl Digest {
    /// `purpose` keeps draws for different ends apart.
    pub(crate) fn new(purpose: &str) -> Self {
        Self(Hasher::new()).text(purpose)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}
