//! Facts about the files that the paper published (Ye et al., arXiv 2401.12794).

/// Ids of the few-shot examples: among the questions of each file, but not in the paper's figures.
pub const EXAMPLE_IDS: [i64; 5] = [1, 3, 5, 7, 9];

/// Options per question.
const OPTIONS: usize = 6;
/// "I don't know" and "None of the above" follow four others.
const DONT_KNOW: usize = 4;
const NONE_OF_THE_ABOVE: usize = 5;

/// The indices of "I don't know" and "None of the above" in a question of so many options.
///
/// ```
/// use sureness_questions::paper;
///
/// assert_eq!(paper::abstention(6), (Some(4), Some(5)));
/// assert_eq!(paper::abstention(4), (None, None));
/// ```
pub fn abstention(options: usize) -> (Option<usize>, Option<usize>) {
    if options == OPTIONS {
        (Some(DONT_KNOW), Some(NONE_OF_THE_ABOVE))
    } else {
        (None, None)
    }
}
