//! Answers in text: the token with the answer's letter, and the scores of all letters there. Shared
//! by all formats whose answers are tokens with the most probable ones at each place.

mod marks;
mod spelled;
mod token;

use sureness_scorers::ScoreError;

use crate::error::printable;
use crate::imported::RowScores;
use marks::{Found, MARK, Reading};
pub(crate) use token::{Token, Top, is_dress, option_of};

/// What a log's own scorer says about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The log does not say.
    Unknown,
    /// It found none.
    None,
    /// One option, as an index.
    Option(usize),
    /// More than one letter.
    Several(String),
}

/// The scores of an answer.
#[derive(Debug)]
pub(crate) struct Scored {
    /// Scores of the letters, in the order in which the model saw the options.
    pub(crate) scores: RowScores,
    /// Index of the token with the letter.
    pub(crate) place: usize,
}

/// Scores of the letters where the answer has its letter. `choices` are the options as the model saw
/// them, `said` is the text of the answer where the file has it, and `stated` the answer that the log's
/// own scorer found.
///
/// Tokens may be more than the answer: thoughts that a server has taken out of the text, or what follows
/// the end of the model's turn. Its letter counts only where they spell the text.
pub(crate) fn scores(
    tokens: &[Token],
    choices: &[&str],
    said: Option<&str>,
    stated: &Answer,
) -> Result<Scored, ScoreError> {
    if tokens.is_empty() {
        return Err(ScoreError::NoLogprobs);
    }
    let mut text = String::new();
    let mut ends = Vec::with_capacity(tokens.len());
    for token in tokens {
        text.push_str(&token::plain(&token.token));
        ends.push(text.len());
    }
    let answer = spelled::answer(&text, said)?;
    let text = text.get(..answer.end).unwrap_or_default();
    let mut marked = marks::marked(text, choices.len());
    marked.retain(|found| found.offset >= answer.start);
    let found = match stated {
        Answer::Option(option) => of_scorer(text, answer.start, choices, &marked, *option)?,
        Answer::None => return Err(unanswered("the log's scorer found no answer")),
        Answer::Several(letters) => {
            let letters = printable(letters);
            return Err(unanswered(&format!(
                "the log's scorer found several answers ({letters})"
            )));
        }
        Answer::Unknown => of_text(text, answer.start, choices, &marked, tokens)?,
    };
    if !answer.is_sure {
        // Where tokens are missing, the letter may be that of another sentence.
        let is_stated = marked.contains(&found) || marks::alone(text, choices) == Some(found);
        let stated = said.and_then(|said| stated_in(said, choices));
        if !is_stated || stated != Some(found.option) {
            return Err(unanswered("the tokens do not spell the answer's text"));
        }
    }
    let place = ends.partition_point(|end| *end <= found.offset);
    let token = tokens.get(place).ok_or(ScoreError::NoLogprobs)?;
    let Some(letter) = token::letter_of(&token.token) else {
        let token = printable(&token.token);
        return Err(unanswered(&format!(
            "the token {token:?} contains more than the letter"
        )));
    };
    let either_case = letter.is_ascii_lowercase() || marked.contains(&found);
    Ok(Scored {
        scores: token::scores(token, choices.len(), either_case)?,
        place,
    })
}

/// Whether a text and the tokens of an answer give different letters.
pub(crate) fn differs(tokens: &[Token], text: &str, choices: &[&str]) -> bool {
    let sent: String = tokens
        .iter()
        .map(|token| token::plain(&token.token))
        .collect();
    // Thoughts may have letters of their own.
    if spelled::answer(&sent, Some(text)).is_ok_and(|answer| answer.is_sure) {
        return false;
    }
    let both = stated_in(text, choices).zip(stated_in(&sent, choices));
    both.is_some_and(|(text, sent)| text != sent)
}

/// The option whose letter a text gives as its answer, behind the model's thoughts.
fn stated_in(text: &str, choices: &[&str]) -> Option<usize> {
    let text = text.get(marks::behind_thoughts(text)?..)?;
    let text = sureness_answers::first_turn(text);
    let marked = marks::marked(text, choices.len());
    let found = marked.last().copied();
    let found = found.filter(|found| found.reading == Reading::Answer);
    let found = found.or_else(|| marks::alone(text, choices));
    found.map(|found| found.option)
}

/// Where the text has the letter that the scorer took.
fn of_scorer(
    text: &str,
    start: usize,
    choices: &[&str],
    marked: &[Found],
    option: usize,
) -> Result<Found, ScoreError> {
    let is_it = |found: &Found| found.option == option && found.reading != Reading::Several;
    let found = marked.iter().copied().rfind(is_it);
    let found = found.or_else(|| marks::alone_from(text, start, choices).filter(is_it));
    found
        .or_else(|| marks::last(text, start, option))
        .ok_or_else(|| {
            let letter = sureness_questions::letter(option);
            unanswered(&format!(
                "the log's scorer found {letter}, which no token of the answer spells"
            ))
        })
}

/// Where the text itself has its answer: behind the last mark, or the letter alone. What a model thinks,
/// and what it writes after its answer, is none.
fn of_text(
    text: &str,
    start: usize,
    choices: &[&str],
    marked: &[Found],
    tokens: &[Token],
) -> Result<Found, ScoreError> {
    // Behind the thoughts that the text itself shows.
    let start = match marks::behind_thoughts(text.get(start..).unwrap_or_default()) {
        Some(behind) => start + behind,
        None => return Err(unanswered(spelled::IN_THOUGHTS)),
    };
    if let Some(found) = marks::before_other_text(text, start, choices) {
        return Ok(found);
    }
    let Some(found) = marked.iter().rfind(|found| found.offset >= start).copied() else {
        let alone = marks::alone_from(text, start, choices);
        if alone.is_none()
            && let Some(found) = marks::letter(text, start, choices.len())
        {
            let letter = sureness_questions::letter(found.option);
            return Err(unanswered(&format!(
                "other text than that of option {letter} follows the letter {letter}"
            )));
        }
        return alone.ok_or_else(|| ScoreError::NoOptionSeen {
            top_k: tokens
                .first()
                .and_then(|token| token.top_logprobs.as_ref())
                .map_or(0, Vec::len),
            first: printable(tokens.first().map_or("", |token| &token.token)),
            chat: false,
        });
    };
    let letter = sureness_questions::letter(found.option);
    match found.reading {
        Reading::Answer => Ok(found),
        Reading::Word => Err(unanswered(&format!(
            "{letter} after {MARK}: may be a word, since others follow"
        ))),
        Reading::Several => Err(unanswered(&format!("several letters follow {MARK}:"))),
    }
}

fn unanswered(message: &str) -> ScoreError {
    ScoreError::Malformed {
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: [&str; 4] = ["red", "green", "blue", "grey"];

    fn token(text: &str, top: &[(&str, f64)]) -> Token {
        Token {
            token: text.to_owned(),
            logprob: top
                .iter()
                .find(|(it, _)| *it == text)
                .map(|(_, value)| *value),
            top_logprobs: Some(
                top.iter()
                    .map(|(token, logprob)| Top {
                        token: (*token).to_owned(),
                        logprob: Some(*logprob),
                    })
                    .collect(),
            ),
            by_id: false,
        }
    }

    fn plain(text: &str) -> Token {
        token(text, &[(text, -0.001)])
    }

    fn read(tokens: &[Token]) -> Result<Scored, ScoreError> {
        scores(tokens, &CHOICES, None, &Answer::Unknown)
    }

    #[test]
    fn the_letter_is_found_behind_the_mark() {
        let top: &[(&str, f64)] = &[(" B", -0.25), (" A", -2.0), ("B", -4.0), (" C", -5.0)];
        let answers: [&[&str]; 7] = [
            &["ANS", "WER", ":", " B"],
            &["A thought.", "\n", "answer", " :", " B", "."],
            &["**", "ANSWER", ":**", " B"],
            &["Answer:", " (", " B", ")"],
            &[" B"],
            &["ANSWER: C", "\nNo. ", "ANSWER:", " B"],
            &["ANSWERĠ:", "Ġ**", " B"],
        ];
        for answer in answers {
            let tokens: Vec<Token> = answer
                .iter()
                .map(|text| {
                    if *text == " B" {
                        token(text, top)
                    } else {
                        plain(text)
                    }
                })
                .collect();
            let Scored { scores, place } = read(&tokens).unwrap();
            assert_eq!(answer.get(place), Some(&" B"), "{answer:?}");
            assert_eq!(scores.top(), 1);
            assert_eq!(scores.observed, [true, true, true, false]);
            let b = ((-0.25_f64).exp() + (-4.0_f64).exp()).ln();
            assert!((scores.logprobs[1] - b).abs() < 1e-12);
            // D is no more probable than the last of the list.
            assert!((scores.logprobs[3] - -5.0).abs() < 1e-12);
            let mass: f64 = top.iter().map(|(_, value)| value.exp()).sum();
            assert!((scores.mass.unwrap() - mass).abs() < 1e-12);
        }
    }

    #[test]
    fn thoughts_and_further_questions_have_no_answer() {
        for (answer, expected) in [
            (
                &["<think>", "Answer: A? No.", "</think>", "\n\n", "B"][..],
                Some(4),
            ),
            (&["Answer: A? No.", "</think>", "Answer:", " B"], Some(3)),
            (&["<think>", "\n\n", "</think>", "\n\n", "B"], Some(4)),
            (&["<think>", "Answer:", " A"], None),
            (
                &[
                    " B",
                    "\n\nQuestion: next?\n",
                    "A. x\n",
                    "B. y\n",
                    "Answer:",
                    " A",
                ],
                Some(0),
            ),
            // The options once more, and then the answer.
            (&["A. red\n", "B. green\n", "Answer:", " B"], Some(3)),
            (&["A", "\nA: no\nB: yes\n"], Some(0)),
            (&["B", "\nOr rather:\n", "ANSWER:", " A"], Some(3)),
        ] {
            let tokens: Vec<Token> = answer.iter().map(|text| plain(text)).collect();
            let place = read(&tokens).ok().map(|found| found.place);
            assert_eq!(place, expected, "{answer:?}");
        }
    }

    #[test]
    fn letters_joined_to_signs_and_small_ones_count() {
        for (sampled, other) in [
            (" $B", " $A"),
            (" (B", " (A"),
            (" B.", " A."),
            (" B)", " A)"),
            (":B", ":A"),
            (" b", " a"),
        ] {
            let mark = if sampled.starts_with(':') {
                "ANSWER"
            } else {
                "ANSWER:"
            };
            let top = [(sampled, -0.25), (other, -2.0), (" Bee", -3.0)];
            let scores = read(&[plain(mark), token(sampled, &top)]).unwrap().scores;
            assert_eq!(scores.observed, [true, true, false, false], "{sampled:?}");
            assert!((scores.logprobs[1] - -0.25).abs() < 1e-12);
        }
        // Without a mark a small letter may begin a word.
        let top = [("B", -0.25), ("a", -2.0)];
        let scores = read(&[token("B", &top)]).unwrap().scores;
        assert_eq!(scores.observed, [false, true, false, false]);
    }

    #[test]
    fn tokens_with_one_text_are_tokens_of_their_own() {
        let mut sampled = token("B", &[("B", -1.0), ("B", -2.0), ("A", -3.0)]);
        sampled.logprob = Some(-1.000_000_4);
        let scores = read(&[sampled]).unwrap().scores;
        let both = ((-1.0_f64).exp() + (-2.0_f64).exp()).ln();
        assert!((scores.logprobs[1] - both).abs() < 1e-12);
    }

    #[test]
    fn the_scorers_answer_decides() {
        let top = [("B", -0.25), ("C", -2.0)];
        let tokens = [
            plain("ANSWER: "),
            token("C", &[("C", -0.5), ("B", -1.0)]),
            plain("\nNo. It is "),
            token("B", &top),
            plain("."),
        ];
        let read = |stated| scores(&tokens, &CHOICES, None, &stated);
        assert_eq!(read(Answer::Unknown).unwrap().place, 1);
        assert_eq!(read(Answer::Option(1)).unwrap().place, 3);
        for stated in [
            Answer::None,
            Answer::Several("B, C".into()),
            Answer::Option(3),
        ] {
            assert!(matches!(read(stated), Err(ScoreError::Malformed { .. })));
        }
    }

    #[test]
    fn answers_without_a_letter_are_errors() {
        let error = |tokens: &[Token]| read(tokens).unwrap_err();
        for tokens in [
            [plain("The"), plain(" answer"), plain(" is"), plain(" B")],
            [plain("ANSWER:"), plain(" none"), plain("."), plain("")],
        ] {
            assert!(matches!(error(&tokens), ScoreError::NoOptionSeen { .. }));
        }
        // E is not among four options.
        assert!(matches!(
            error(&[plain("E")]),
            ScoreError::NoOptionSeen { .. }
        ));
        for answer in [
            &["A", " stone", " is", " blue"][..],
            &["A", ". green"],
            &["ANSWER:", " A", " stone"],
            &["ANSWER:", " A", ",", "B"],
        ] {
            let tokens: Vec<Token> = answer.iter().map(|text| plain(text)).collect();
            assert!(matches!(error(&tokens), ScoreError::Malformed { .. }));
        }
        assert!(matches!(error(&[]), ScoreError::NoLogprobs));
        let bare = Token {
            token: "B".into(),
            logprob: Some(-0.1),
            top_logprobs: None,
            by_id: false,
        };
        assert!(matches!(error(&[bare]), ScoreError::NoLogprobs));
        let two = token("B", &[("B", -0.1), ("A", -0.1)]);
        assert!(matches!(error(&[two]), ScoreError::Malformed { .. }));
        let nan = token("B", &[("B", f64::NAN), ("A", -0.1)]);
        assert!(read(&[nan]).is_ok_and(|scored| !scored.scores.observed[1]));
    }
}
