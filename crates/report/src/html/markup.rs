//! Text in HTML.

use std::fmt::{self, Display, Write as _};

/// Text from anywhere, safe between tags and inside quoted attributes.
///
/// Control characters that HTML does not know are shown as U+FFFD. Marks of writing direction
/// stay: what they do ends with the element around them.
pub(super) fn esc(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// See [`esc`].
pub(super) struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
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
        Ok(())
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
            "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}\u{202e}🦀\n"
        );
    }

    #[test]
    fn ids_hold_no_spaces_or_quotes() {
        assert_eq!(slug("Per task\"<é"), "per-task---");
    }
}
