//! The form in which answers are compared.

/// An answer in the form of `SQuAD`'s official script (`normalize_answer` in `evaluate-v1.1.py`,
/// Rajpurkar et al. 2016): lower case, without ASCII punctuation, without the words "a", "an" and
/// "the", with single spaces. Where nothing is left, as of "The" or "?!", articles
/// stay, and then punctuation.
///
/// ```
/// use sureness_open::normalised;
///
/// assert_eq!(normalised("  The Eiffel-Tower! "), "eiffeltower");
/// assert_eq!(normalised("a Theatre"), "theatre");
/// assert_eq!(normalised("The"), "the");
/// ```
pub fn normalised(text: &str) -> String {
    let lower = text.to_lowercase();
    let kept: String = lower
        .chars()
        .filter(|c| !c.is_ascii_punctuation())
        .collect();
    let mut plain = String::with_capacity(kept.len());
    let mut word = String::new();
    // Words as the script's regular expression has them: an article may stand beside a sign that is
    // no ASCII punctuation.
    for c in kept.chars().chain([' ']) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        plain.push_str(match word.as_str() {
            "a" | "an" | "the" => " ",
            other => other,
        });
        word.clear();
        plain.push(c);
    }
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let forms = [spaced(&plain), spaced(&kept)].into_iter();
    let mut left = forms.filter(|form| !form.is_empty());
    left.next().unwrap_or_else(|| spaced(&lower))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the official script gives it, run under Python 3.
    #[test]
    fn as_the_script_has_it() {
        for (text, form) in [
            ("The Danube", "danube"),
            ("U.S.A.", "usa"),
            ("Kraków, Poland", "kraków poland"),
            ("an apple a day", "apple day"),
            ("“The Raven”", "“ raven”"),
            ("1,000,000", "1000000"),
            ("A-Team", "ateam"),
            ("\tNew\n York ", "new york"),
            ("Anne", "anne"),
        ] {
            assert_eq!(normalised(text), form, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn case_spaces_and_points_do_not_matter(text in "[a-zA-Z]{1,8}( [a-z0-9]{1,6}){0,3}") {
            let dressed = format!(" {}. ", text.to_uppercase().replace(' ', "  "));
            prop_assert_eq!(normalised(&dressed), normalised(&text));
        }
    }
}
