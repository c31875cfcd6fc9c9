//! Text in HTML.

use std::fmt::{self, Display, Write as _};

/// Text from anywhere, safe between tags and inside quoted attributes.
///
/// Control characters that HTML does not know are shown as U+FFFD. Marks of writing direction act on
/// this text alone: what it leaves open is closed behind it, since it may stand in a sentence.
pub(super) fn esc(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// Ends an embedding or an override of writing direction.
const POP_DIRECTIONAL_FORMATTING: char = '\u{202c}';
/// Ends an isolate.
const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// See [`esc`].
pub(super) struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open = Vec::new();
        for c in self.0.chars() {
            match c {
                '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => {
                    open.push(POP_DIRECTIONAL_FORMATTING);
                    f.write_char(c)?;
                }
                '\u{2066}'..='\u{2068}' => {
                    open.push(POP_DIRECTIONAL_ISOLATE);
                    f.write_char(c)?;
                }
                POP_DIRECTIONAL_FORMATTING | POP_DIRECTIONAL_ISOLATE => {
                    if open.pop_if(|last| *last == c).is_some() {
                        f.write_char(c)?;
                    }
                }
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        open.into_iter().rev().try_for_each(|end| f.write_char(end))
    }
}

/// A name that can be an id or part of one: lower case letters, digits and hyphens.
pub(super) fn slug(text: &str) -> String {
    text.chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => c,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_text_or_an_attribute() {
        let hostile = "</script><b a=\"x\" b='y'>&\u{0}\u{202e}🦀\n";
        assert_eq!(
            esc(hostile).to_string(),
            "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}\u{202e}🦀\n\u{202c}"
        );
    }

    #[test]
    fn marks_of_direction_end_with_the_text() {
        let name = "\u{202c}a\u{2066}b\u{202e}c\u{2069}d\u{202c}";
        let ended = "a\u{2066}b\u{202e}cd\u{202c}\u{2069}";
        assert_eq!(esc(name).to_string(), ended);
        assert_eq!(esc(ended).to_string(), ended);
    }

    #[test]
    fn ids_hold_no_spaces_or_quotes() {
        assert_eq!(slug("Per task\"<é"), "per-task---");
    }
}
