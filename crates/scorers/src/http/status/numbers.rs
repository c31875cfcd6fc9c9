//! The whole numbers in a server's message.

/// A whole number and its place in a text.
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: u32,
}

/// What may stand between groups of three digits …
const SEPARATORS: [char; 7] = [',', '.', '_', '\u{a0}', '\u{2009}', '\u{202f}', '\u{2019}'];
/// … or a space, which parts neighbours as well. It joins groups that one of these words follows.
const UNITS: [&str; 8] = [
    "token",
    "input",
    "prompt",
    "text",
    "output",
    "completion",
    "max",
    "in the",
];

/// The first whole number of a text.
pub(super) fn first_number(text: &str) -> Option<u32> {
    numbers(text).first().map(|number| number.value)
}

/// The whole numbers of a text, with or without thousands separators. Digits in a name, such as
/// those of `gpt-4`, are none.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find(is_digit) {
        let start = at + begin;
        let first = past_digits(text, start);
        let grouped = with_groups(text, first, |c| SEPARATORS.contains(&c));
        let spaced = with_groups(text, first, |c| c == ' ');
        let end = match first - start {
            1..=3 if grouped > first => grouped,
            1..=3 if spaced > first && is_one_number(text, start, spaced) => spaced,
            _ => first,
        };
        let joins = |c: char| c.is_alphanumeric() || "_-".contains(c);
        let in_name = text[..start].chars().next_back().is_some_and(joins)
            || text[end..].chars().next().is_some_and(joins);
        let digits: String = text[start..end]
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if !in_name && let Ok(value) = digits.parse() {
            found.push(Number { start, end, value });
        }
        at = end;
    }
    found
}

/// The end of the groups of three digits that follow `end`, each after a separator.
fn with_groups(text: &str, mut end: usize, separates: impl Fn(char) -> bool) -> usize {
    while let Some(separator) = text[end..].chars().next().filter(|c| separates(*c)) {
        let group = end + separator.len_utf8();
        let past = past_digits(text, group);
        if past - group != 3 {
            break;
        }
        end = past;
    }
    end
}

/// Whether groups of digits with spaces between them are one number, and not neighbours such as a
/// status and a count: a unit or the end of a phrase follows them, and no number or status precedes
/// them.
fn is_one_number(text: &str, start: usize, end: usize) -> bool {
    let after = text[end..].trim_start();
    let ends = after.is_empty() || after.starts_with([')', ']', ',', ';', '.', '<', '>', '=', '(']);
    let before = text[..start].trim_end_matches([' ', ':', '=']);
    let follows = ["code", "http", "status", "error"]
        .iter()
        .any(|word| before.ends_with(word))
        || before.ends_with(|c: char| c.is_ascii_digit());
    let leading_zero = text[start..].starts_with('0');
    !leading_zero && !follows && (ends || UNITS.iter().any(|unit| after.starts_with(unit)))
}

fn past_digits(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    from + rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<u32> {
        numbers(text).iter().map(|it| it.value).collect()
    }

    #[test]
    fn digits_in_names_and_decimals_are_no_counts() {
        assert!(values("gpt-4 b1-7e4c 128k smollm2").is_empty());
        assert_eq!(
            values("1,234,567 12,34 1.5 99999999999"),
            [1_234_567, 12, 34, 1, 5]
        );
    }

    #[test]
    fn a_space_joins_groups_of_one_number_and_not_neighbours() {
        assert_eq!(values("5 210 tokens exceed 2 048."), [5210, 2048]);
        assert_eq!(
            values("1 048 576 tokens (2 000 000 maximum)"),
            [1_048_576, 2_000_000]
        );
        assert_eq!(values("5\u{202f}210 > 2\u{a0}048"), [5210, 2048]);
        assert_eq!(values("code 400 128 tokens"), [400, 128]);
        assert_eq!(values("max 128 256 requested"), [128, 256]);
        assert_eq!(values("2048 521 tokens, 2048,521"), [2048, 521, 2048, 521]);
        assert_eq!(values("4 5210 tokens, 12 34 tokens"), [4, 5210, 12, 34]);
    }

    proptest! {
        #[test]
        fn a_number_is_read_in_every_way_of_grouping(
            value in 1000_u32..u32::MAX,
            separator in prop::sample::select(vec![" ", ",", ".", "_", "\u{a0}", "\u{2009}", "\u{202f}", "\u{2019}"]),
        ) {
            let digits = value.to_string();
            let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev()
                .map(|group| std::str::from_utf8(group).unwrap()).collect();
            let text = format!("limit of {} tokens", groups.join(separator));
            prop_assert_eq!(values(&text), [value]);
        }
    }
}
