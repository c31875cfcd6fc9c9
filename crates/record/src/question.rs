//! A question as runs and imports record it.

use sureness_questions::RightOptions;

/// One question of a run: the data for its evaluation, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRecord {
    /// The question's id.
    pub id: String,
    /// Digest of the question's content; the same for every model.
    pub content: [u8; 32],
    /// Digest that the questions of its cluster share, such as those about one passage. `None`
    /// where it is unknown, as in files of version 0.1.0.
    pub cluster: Option<[u8; 32]>,
    /// Its category, such as the subject.
    pub category: Option<String>,
    /// Number of options.
    pub options: usize,
    /// The right option, or several.
    pub right: RightOptions,
    /// Index of "I don't know".
    pub dont_know: Option<usize>,
    /// Index of "None of the above".
    pub none_of_the_above: Option<usize>,
}
