//! The prompt of a prediction: the question and the options that it lists.

use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, letter};

/// What stands around the letter of an option at the beginning of a line. evalscope's own templates
/// have the first.
const MARKS: [(&str, &str); 4] = [("", ") "), ("(", ") "), ("", ". "), ("", ": ")];

/// The text of the last message of the user.
pub(super) fn text(messages: &[Value]) -> Option<String> {
    let mut messages = messages.iter().rev();
    let message = messages.find(|it| it.get("role").and_then(Value::as_str) == Some("user"))?;
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            Some(texts.collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// The text before the last list of options, and its options; `None` without a list.
pub(super) fn split(text: &str) -> Option<(&str, Vec<String>)> {
    let lists = MARKS.iter().filter_map(|marks| listed(text, *marks));
    lists.max_by_key(|(question, _)| question.len())
}

fn listed<'a>(text: &'a str, (open, close): (&str, &str)) -> Option<(&'a str, Vec<String>)> {
    let mark = |option: usize| format!("\n{open}{}{close}", letter(option));
    // The first option of the last list.
    let start = text.rfind(&mark(0))?;
    let question = text.get(..start)?;
    let mut rest = text.get(start + mark(0).len()..)?;
    let mut options = Vec::new();
    for next in 1..=MAX_OPTIONS {
        match rest.split_once(&mark(next)) {
            Some((option, after)) if next < MAX_OPTIONS => {
                options.push(option.trim().to_owned());
                rest = after;
            }
            _ => break,
        }
    }
    // Instructions may follow the last option after an empty line.
    let last = rest.split("\n\n").next().unwrap_or_default();
    options.push(last.trim().to_owned());
    (options.len() > 1).then_some((question, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_list_is_the_questions() {
        let text =
            "Examples:\n\n1+1?\nA) 1\nB) 2\nANSWER: B\n\n2+2?\n\nA) 3\nB) 4\nor so\nC) 5\n\nThink.";
        let (question, options) = split(text).unwrap();
        assert_eq!(options, ["3", "4\nor so", "5"]);
        assert!(question.ends_with("2+2?\n"));
        assert_eq!(split("Q?\n(A) x\n(B) y").unwrap().1, ["x", "y"]);
        let (question, options) =
            split("Is it so?\nA) I.\nB) II.\n\nA. yes\nB. no\nC. both").unwrap();
        assert_eq!((question.ends_with("II.\n"), options.len()), (true, 3));
        assert!(split("A or B?").is_none());
    }
}
