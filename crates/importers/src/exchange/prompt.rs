//! The options with their letters, as a prompt shows them.

use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, letter_index};

use crate::json;

/// Signs before a letter at the beginning of a line: `- A.`, `**A**`, `(A)`.
const BEFORE: &[char] = &['-', '*', '•', '#', '>', '(', '[', '_', '`', ' ', '\t'];
/// Signs between a letter and its option.
const BEHIND: &[char] = &[
    '.', ')', ':', ']', '*', '_', '`', '：', '、', '．', '）', '-', '–', '—',
];

/// Where chat templates end a message.
const ENDS: [&str; 6] = ["<|", "<｜", "</s>", "[/INST]", "<end_of_turn>", "<eos>"];

/// The options of the question that a prompt ends with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lettered<'a> {
    /// What precedes the first option.
    pub(super) before: &'a str,
    pub(super) options: Vec<String>,
}

/// The text that shows the question: the last message of the user, or the prompt.
pub(crate) fn of_body(body: &Value) -> Option<String> {
    let messages = body.get("messages").or_else(|| body.get("input"));
    let text = match messages {
        Some(Value::Array(messages)) => messages
            .iter()
            .rev()
            .find(|message| json::text(message, "/role") == Some("user"))
            .and_then(|message| text(message.get("content")?)),
        Some(Value::String(text)) => Some(text.clone()),
        _ => text(body.get("prompt")?),
    };
    text.filter(|text| !text.trim().is_empty())
}

/// A text, or the texts of a list of parts.
fn text(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()));
            let texts: Vec<&str> = texts.collect();
            Some(texts.join("\n"))
        }
        _ => None,
    }
}

/// The last list of options in a prompt: lines that begin with `A.`, `B.` and so on, in any of the
/// usual forms. An option may go on over further lines, except the last one.
pub(super) fn lettered(text: &str) -> Option<Lettered<'_>> {
    let mut last: Option<Lettered<'_>> = None;
    let mut options: Vec<String> = Vec::new();
    let mut start = 0;
    let mut more: Vec<&str> = Vec::new();
    let mut offset = 0;
    let mut keep = |options: &mut Vec<String>, start: usize| {
        let options = std::mem::take(options);
        if options.len() >= 2 {
            let before = text.get(..start).unwrap_or_default();
            last = Some(Lettered { before, options });
        }
    };
    for line in text.split_inclusive('\n') {
        match label(line) {
            Some((0, option)) => {
                keep(&mut options, start);
                (start, options) = (offset, vec![option.to_owned()]);
                more.clear();
            }
            Some((index, option)) if index == options.len() => {
                if let Some(previous) = options.last_mut() {
                    for line in more.drain(..) {
                        previous.push('\n');
                        previous.push_str(line);
                    }
                }
                options.push(option.to_owned());
            }
            _ if line.trim().is_empty() => {}
            _ => more.push(line.trim()),
        }
        offset += line.len();
    }
    keep(&mut options, start);
    last
}

/// The options that a prompt shows.
pub(crate) fn options(text: &str) -> Vec<String> {
    lettered(text)
        .map(|shown| shown.options)
        .unwrap_or_default()
}

/// Whether a value names one of the options.
pub(crate) fn names(value: &Value, options: &[String]) -> bool {
    super::answer::index_of(value, options).is_ok()
}

/// The letter, as an index, and the option of a line.
pub(super) fn label(line: &str) -> Option<(usize, &str)> {
    let bare = line.trim().trim_start_matches(BEFORE);
    let first = bare.chars().next()?;
    let index = letter_index(first.encode_utf8(&mut [0; 4]))?;
    let option = behind(bare.get(1..)?)?;
    let end = ENDS.iter().filter_map(|end| option.find(end)).min();
    let option = option.get(..end.unwrap_or(option.len()))?.trim();
    (!option.is_empty()).then_some((index, option))
}

/// What follows the signs behind a letter.
fn behind(text: &str) -> Option<&str> {
    let bare = text.trim_start_matches(' ');
    let rest = bare.trim_start_matches(BEHIND);
    let sign = bare.get(..bare.len() - rest.len())?.chars().next_back()?;
    let spaced = rest.starts_with(char::is_whitespace);
    let dash = matches!(sign, '-' | '–' | '—');
    // `A-level` and `A.M.` are words.
    let is_word = rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    let is_label = match sign {
        _ if dash => spaced && bare.len() < text.len(),
        '.' => spaced || !is_word,
        _ => true,
    };
    is_label.then_some(rest)
}

/// For each letter of a prompt, the index of its option, where `options` follow their letters inside
/// a line: `Options: A) red B) green`. `text` begins behind the question.
pub(super) fn inline(text: &str, options: &[String]) -> Option<Vec<usize>> {
    let text = plain(text);
    let options: Vec<String> = options.iter().map(|option| plain(option)).collect();
    let mut order = Vec::with_capacity(options.len());
    let mut from = 0;
    while order.len() < options.len() {
        let letter = sureness_questions::letter(order.len());
        let rest = text.get(from..)?;
        let found = rest.match_indices(letter).find_map(|(at, _)| {
            let joined = rest.get(..at)?.ends_with(char::is_alphanumeric);
            let option = behind(rest.get(at + 1..)?)?.trim_start();
            let fitting = options.iter().enumerate().filter(|(index, text)| {
                !order.contains(index) && option.strip_prefix(text.as_str()).is_some_and(is_end)
            });
            let (index, text) = fitting.max_by_key(|(_, text)| text.len())?;
            let end = rest.len() - option.len() + text.len();
            (!joined).then_some((index, end))
        });
        let (index, end) = found?;
        order.push(index);
        from += end;
    }
    Some(order)
}

/// Whether an option ends where this follows.
fn is_end(rest: &str) -> bool {
    !rest.starts_with(char::is_alphanumeric)
}

/// A text whose white space does not count.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Whether a list of options has a size that a question can have.
pub(super) fn is_size(options: usize) -> bool {
    (2..=MAX_OPTIONS).contains(&options)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(text: &str) -> Option<Vec<String>> {
        lettered(text).map(|it| it.options)
    }

    #[test]
    fn options_are_read_in_the_usual_forms() {
        for text in [
            "What?\nA. red\nB. green\n",
            "What?\n\nA) red\n\nB) green\n\nAnswer:",
            "What?\n(A) red\n(B) green\nAnswer with one letter.",
            "What?\n**A**: red\n**B**: green",
            "- A. red\n- B. green",
            "A - red\nB - green",
            "A：red\nB：green",
            "Q: 1\nA. one\nB. two\nC. three\nA: B\n\nQ: 2\nA. red\nB. green\nA:",
            "<|im_start|>user\nA. red\nB. green<|im_end|>\n<|im_start|>assistant\n",
            "<s>[INST] What?\nA. red\nB. green [/INST]",
            "A. one\nB. two\nThe second:\nA.red ones\nA. red\nB. green\nC",
        ] {
            assert_eq!(options(text).unwrap(), ["red", "green"], "{text}");
        }
        assert_eq!(options("A. f(x)\n  + 1\nB. 2").unwrap(), ["f(x)\n+ 1", "2"]);
        for text in [
            "A. red",
            "A-level\nB-level",
            "",
            "1. red\n2. green",
            "B. red\nC. green",
        ] {
            assert_eq!(options(text), None, "{text}");
        }
    }

    #[test]
    fn options_are_found_inside_a_line() {
        let of = |text| inline(text, &["red".to_owned(), "red ball".to_owned()]);
        assert_eq!(of("Options: A) red B) red ball"), Some(vec![0, 1]));
        assert_eq!(of("(A) red ball, (B) red."), Some(vec![1, 0]));
        assert_eq!(of("A) red B) reddish"), None);
        assert_eq!(of("red, red ball"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([A-Ca-c.):\\- \n（、é]|A\\. |B\\) ){0,20}") {
            if let Some(found) = lettered(&text) {
                prop_assert!(found.options.len() >= 2 && text.starts_with(found.before));
            }
            let _ = inline(&text, &["a".to_owned(), "b".to_owned()]);
        }
    }
}
