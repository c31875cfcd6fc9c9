//! Lines of a given width, measured in terminal columns.

use unicode_width::UnicodeWidthStr;

/// Holds two words together on one line. Texts from outside have none, since it is cleaned away.
pub(super) const GLUE: &str = "\u{a0}";

/// How many columns of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The words of `text` in lines of at most `limit` columns. A word that is longer than a line is
/// cut. An empty text is one empty line.
pub(super) fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        for piece in pieces(word, limit) {
            if line.is_empty() {
                line.push_str(piece);
            } else if width(&line) + 1 + width(piece) <= limit {
                line.push(' ');
                line.push_str(piece);
            } else {
                lines.push(std::mem::replace(&mut line, piece.to_owned()));
            }
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.replace(GLUE, " ")).collect()
}

/// The width of the longest word: the narrowest a text can be without cutting one.
pub(super) fn longest_word(text: &str) -> usize {
    words(text).map(width).max().unwrap_or(0)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| c.is_whitespace() && !GLUE.contains(c);
    text.split(separates).filter(|word| !word.is_empty())
}

/// A word in pieces of at most `limit` columns, cut behind a sign such as `_` where it has one. A
/// single character may be wider than that.
fn pieces(word: &str, limit: usize) -> Vec<&str> {
    const SIGNS: [char; 5] = ['_', '-', '/', '.', ':'];
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, letter) in word.char_indices() {
        let end = at + letter.len_utf8();
        while at > from && width(&word[from..end]) > limit {
            let sign = word[from..at].rfind(SIGNS).filter(|sign| *sign > 0);
            let cut = sign.map_or(at, |sign| from + sign + 1);
            pieces.push(&word[from..cut]);
            from = cut;
        }
    }
    pieces.push(&word[from..]);
    pieces
}

/// `text` under a marker such as a hyphen: the lines after the first are as far to the right.
pub(super) fn item(marker: &str, text: &str, limit: usize) -> String {
    let indent = width(marker);
    let mut out = String::new();
    for (at, line) in wrap(text, limit.saturating_sub(indent)).iter().enumerate() {
        let lead = if at == 0 {
            marker.to_owned()
        } else {
            " ".repeat(indent)
        };
        out.push_str(&format!("{lead}{line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("shared_instruction", 14), ["shared_", "instruction"]);
        assert_eq!(
            wrap("task_specific-0-shot", 10),
            ["task_", "specific-", "0-shot"]
        );
        assert_eq!(item("- ", "one two three", 9), "- one two\n  three\n");
        assert_eq!(wrap("set size\u{a0}%", 8), ["set", "size %"]);
        // Two columns each.
        assert_eq!(wrap("模型模型", 5), ["模型", "模型"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_wide(text in "[a-z_ é模\u{301} ]{0,60}", limit in 2..20_usize) {
            let lines = wrap(&text, limit);
            let letters = |s: &str| s.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(lines.iter().all(|line| width(line) <= limit), "{lines:?}");
        }
    }
}
