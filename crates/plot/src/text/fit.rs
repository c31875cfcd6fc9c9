//! Words cut and wrapped to a width.

use std::collections::{HashMap, HashSet};

use unicode_width::UnicodeWidthChar;

use super::font::{Weight, width};

const ELLIPSIS: char = '…';

/// A text on one line: other white space becomes a space, and so do marks that reverse the direction of
/// writing, since they could make what stands beside it read as something else.
pub(crate) fn clean(text: &str) -> String {
    let reverses = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.split(|c: char| c.is_whitespace() || reverses(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text, with its middle left out where it is wider than `room`.
pub(crate) fn shorten(text: &str, size: f64, room: f64) -> String {
    cut(text, size, room, 0.5)
}

/// Texts shortened in such a way that different ones stay different, where that can be: the middle
/// of a name may be the only place where it differs from the next.
pub(crate) fn shorten_all(texts: &[String], size: f64, room: f64) -> Vec<String> {
    let whole: HashSet<&String> = texts.iter().collect();
    let mut best: Vec<String> = Vec::new();
    let mut most = 0;
    for head in [0.5, 0.3, 0.7, 0.1, 0.9] {
        let cut: Vec<String> = texts
            .iter()
            .map(|text| cut(text, size, room, head))
            .collect();
        let kinds = cut.iter().collect::<HashSet<_>>().len();
        if kinds > most || best.is_empty() {
            most = kinds;
            best = cut;
        }
        if most >= whole.len() {
            break;
        }
    }
    disambiguate(texts, &mut best, size, room);
    best
}

/// Where different texts still look the same, what they begin with alike is left out instead.
fn disambiguate(texts: &[String], shown: &mut [String], size: f64, room: f64) {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, short) in shown.iter().enumerate() {
        groups.entry(short.clone()).or_default().push(i);
    }
    for members in groups.into_values() {
        let same = members
            .windows(2)
            .map(|pair| alike(&texts[pair[0]], &texts[pair[1]]))
            .min();
        let (Some(same), Some(first)) = (same, members.first()) else {
            continue;
        };
        if members.iter().all(|&i| texts[i] == texts[*first]) {
            continue;
        }
        for i in members {
            // A few letters before the difference, to see where it is.
            let rest: String = texts[i].chars().skip(same.saturating_sub(4)).collect();
            shown[i] = cut(&format!("{ELLIPSIS}{rest}"), size, room, 0.7);
        }
    }
}

/// How many letters two texts begin with alike; all of them where they are the same.
fn alike(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// `head` is the share of what remains that comes from the beginning.
fn cut(text: &str, size: f64, room: f64, head: f64) -> String {
    let measure = |text: &str| width(text, size, Weight::Regular);
    if measure(text) <= room {
        return text.to_owned();
    }
    let letters = clusters(text);
    let room = room - measure(&ELLIPSIS.to_string());
    let (mut first, mut last) = (0, letters.len());
    let (mut before, mut after) = (0.0, 0.0);
    while first < last {
        // Whichever side is behind its share takes the next letter.
        let from_front = before * (1.0 - head) <= after * head;
        let letter = letters[if from_front { first } else { last - 1 }];
        let wide = measure(letter);
        if before + after + wide > room {
            break;
        }
        if from_front {
            before += wide;
            first += 1;
        } else {
            after += wide;
            last -= 1;
        }
    }
    let mut out: String = letters[..first].concat();
    out.truncate(out.trim_end().len());
    out.push(ELLIPSIS);
    out.push_str(letters[last..].concat().trim_start());
    out
}

/// Letters, each with the marks that are drawn over it.
fn clusters(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| c.width() != Some(0))
        .map(|(at, _)| at)
        .collect();
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&start, end)| text.get(start..end))
        .collect()
}

/// The lines of a text, none wider than `room`. A word that is too long for a line is cut there.
pub(crate) fn wrap(text: &str, size: f64, weight: Weight, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if width(&longer, size, weight) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in clusters(word) {
            if !line.is_empty() && width(&format!("{line}{letter}"), size, weight) > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(letter);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_is_one_line_that_reverses_nothing() {
        assert_eq!(clean(" a\n\u{202e}b\tc\u{2069} "), "a b c");
    }

    #[test]
    fn the_middle_goes_and_both_ends_stay() {
        let name = "meta-llama/Meta-Llama-3.1-70B-Instruct";
        let short = shorten(name, 10.0, 120.0);
        assert!(short.starts_with("meta-"), "{short}");
        assert!(short.ends_with("struct"), "{short}");
        assert_eq!(shorten(name, 10.0, 1000.0), name);
    }

    #[test]
    fn names_that_differ_in_the_middle_stay_apart() {
        let names: Vec<String> = ["7B", "8B"]
            .map(|size| format!("a-rather-long-organisation/model-{size}-with-a-very-long-suffix"))
            .to_vec();
        let short = shorten_all(&names, 10.0, 170.0);
        assert_ne!(short[0], short[1]);
        let short = shorten_all(&names, 10.0, 90.0);
        assert_ne!(short[0], short[1]);
    }

    #[test]
    fn long_words_are_cut() {
        let lines = wrap(&"x".repeat(100), 10.0, Weight::Regular, 100.0);
        assert_eq!(lines.concat().len(), 100);
        assert!(lines.len() > 3);
    }

    proptest! {
        #[test]
        fn what_is_shortened_fits(text in "\\PC{0,60}", room in 20.0..200.0_f64) {
            let text = clean(&text);
            let short = shorten(&text, 10.0, room);
            prop_assert!(width(&short, 10.0, Weight::Regular) <= room + 1e-6);
        }

        #[test]
        fn lines_fit_and_hold_every_word(text in "[a-zé ]{0,120}", room in 30.0..200.0_f64) {
            let lines = wrap(&text, 10.0, Weight::Regular, room);
            for line in &lines {
                prop_assert!(width(line, 10.0, Weight::Regular) <= room);
            }
            let letters: String = text.split_whitespace().collect();
            prop_assert_eq!(lines.concat().replace(' ', ""), letters);
        }
    }
}
