//! Where the answer to this question ends: small models go on with the next question.

/// Marks that end a model's turn.
const TURN_ENDS: [&str; 15] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|return|>",
    "<|user|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
    "<｜end▁of▁sentence｜>",
    "[INST]",
    "[/INST]",
    "<turn|>",
];
/// Labels of a line with which another question, or another speaker, begins.
const HEADS: [&str; 7] = [
    "Q",
    "Context",
    "Passage",
    "Human",
    "User",
    "Instruction",
    "Problem",
];
/// The label of a question, which counts within a line too.
const QUESTION: &str = "Question";

/// The turn up to the mark that ends it.
///
/// ```
/// assert_eq!(sureness_answers::first_turn("B<|im_end|>\n<|im_start|>user"), "B");
/// ```
pub fn first(text: &str) -> &str {
    let end = TURN_ENDS.iter().filter_map(|mark| text.find(mark)).min();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The parts of a turn: the answer, then each question that follows it, which may repeat the one
/// that was asked.
pub(crate) fn parts(text: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = Vec::new();
    for (at, _) in text.match_indices(QUESTION) {
        let inside = text
            .get(..at)
            .is_some_and(|before| before.ends_with(char::is_alphanumeric));
        if !inside && is_head(text, at, QUESTION) {
            cuts.push(at);
        }
    }
    let mut line_at = 0;
    for line in text.split_inclusive('\n') {
        let begin =
            line_at + (line.len() - line.trim_start_matches([' ', '\t', '*', '#', '>']).len());
        let is_cut = HEADS.iter().any(|head| {
            text.get(begin..).is_some_and(|rest| rest.starts_with(head))
                && is_head(text, begin, head)
        });
        if is_cut {
            cuts.push(begin);
        }
        line_at += line.len();
    }
    cuts.sort_unstable();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(text.len()));
    starts
        .zip(ends)
        .filter_map(|(from, to)| text.get(from..to))
        .collect()
}

/// Whether a number or nothing, and a colon follow: `Question 2:`, `**Question:**`.
fn is_head(text: &str, at: usize, head: &str) -> bool {
    let rest = text.get(at + head.len()..).unwrap_or_default();
    let rest = rest.trim_start_matches([' ', '#', '*', '_']);
    let rest = rest.trim_start_matches(|sign: char| sign.is_ascii_digit());
    rest.trim_start_matches([' ', '*', '_'])
        .starts_with([':', '：'])
}

#[cfg(test)]
mod tests {
    use super::{first, parts};

    #[test]
    fn the_next_question_is_not_part_of_the_answer() {
        for (text, answer) in [
            ("B\n\nQuestion: Which? Answer: C", "B"),
            ("B Question 12: Which?", "B"),
            ("B\n\n**Question:** Which?", "B\n\n**"),
            ("B\nQ: Which?\nA: C", "B"),
            ("B\n\nUser: Thanks!", "B"),
            ("B\n\nContext: It rained.\nQuestion: Why?", "B"),
            ("\n\nQuestion: Which?\nAnswer: C", ""),
            ("The question: which?", "The question: which?"),
            ("Q is right", "Q is right"),
        ] {
            assert_eq!(
                parts(text).first().map(|part| part.trim()),
                Some(answer),
                "{text:?}"
            );
        }
        assert_eq!(parts("B\nQuestion: Which?\nQuestion: Why?").len(), 3);
    }

    #[test]
    fn a_turn_ends_at_its_mark() {
        assert_eq!(first("B<|im_end|>\n<|im_start|>user"), "B");
        assert_eq!(first("B"), "B");
    }
}
