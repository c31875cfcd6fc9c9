//! Words in LaTeX.

use crate::export::clean::clean;

/// Words as they are, on one line, for pdfLaTeX: no character of theirs is a command, none forms a
/// ligature that would change what is read, and none is unknown to the usual fonts.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for letter in clean(text).chars() {
        // -- would become a dash, '' and ,, quotation marks, << and ?` others.
        if before == Some(letter) && matches!(letter, '-' | '\'' | ',') {
            out.push_str("{}");
        }
        push(&mut out, letter);
        before = Some(letter);
    }
    out
}

fn push(out: &mut String, letter: char) {
    let command = match letter {
        '\\' => "\\textbackslash{}",
        '{' => "\\{",
        '}' => "\\}",
        '$' => "\\$",
        '&' => "\\&",
        '#' => "\\#",
        '_' => "\\_",
        '%' => "\\%",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '<' => "\\textless{}",
        '>' => "\\textgreater{}",
        '|' => "\\textbar{}",
        // By their numbers, since packages for languages give these characters other meanings.
        '"' => "{\\char34}",
        '`' => "{\\char96}",
        // Behind the end of a row they would be an option of it.
        '[' => "{[}",
        ']' => "{]}",
        '*' => "{*}",
        '–' => "--",
        '—' => "---",
        '‘' => "{\\textquoteleft}",
        '’' => "{\\textquoteright}",
        '“' => "{\\textquotedblleft}",
        '”' => "{\\textquotedblright}",
        '…' => "\\ldots{}",
        '•' => "\\textbullet{}",
        _ => return push_symbol(out, letter),
    };
    out.push_str(command);
}

/// Symbols of mathematics, letters of Latin scripts, and the numbers of characters that pdfLaTeX
/// would stop at.
fn push_symbol(out: &mut String, letter: char) {
    let symbol = match letter {
        '\u{2212}' => "-",
        '±' => "\\pm",
        '×' => "\\times",
        '·' => "\\cdot",
        '÷' => "\\div",
        '≤' => "\\leq",
        '≥' => "\\geq",
        '≠' => "\\neq",
        '≈' => "\\approx",
        '∞' => "\\infty",
        '√' => "\\surd",
        '∈' => "\\in",
        '↑' => "\\uparrow",
        '↓' => "\\downarrow",
        '→' => "\\rightarrow",
        '←' => "\\leftarrow",
        '⌈' => "\\lceil",
        '⌉' => "\\rceil",
        '⌊' => "\\lfloor",
        '⌋' => "\\rfloor",
        '²' => "^2",
        '³' => "^3",
        'α' => "\\alpha",
        'β' => "\\beta",
        'γ' => "\\gamma",
        'δ' => "\\delta",
        'Δ' => "\\Delta",
        'ε' => "\\varepsilon",
        'κ' => "\\kappa",
        'λ' => "\\lambda",
        'μ' | 'µ' => "\\mu",
        'π' => "\\pi",
        'ρ' => "\\rho",
        'σ' => "\\sigma",
        'Σ' => "\\Sigma",
        'τ' => "\\tau",
        'χ' => "\\chi",
        _ if letter.is_ascii() || is_latin(letter) => return out.push(letter),
        _ => return out.push_str(&format!("{{[}}U+{:04X}{{]}}", u32::from(letter))),
    };
    out.push_str(&format!("${symbol}$"));
}

/// Letters that LaTeX has in every encoding, by itself or put together from an accent.
fn is_latin(letter: char) -> bool {
    matches!(letter, 'À'..='ÿ' | '¡' | '¿' | '§' | '¶' | '©' | '£')
        || matches!(letter, 'Ā'..='ž')
            && !matches!(letter, 'ĸ' | 'ŀ' | 'Ŀ' | 'ŉ' | 'Ŧ' | 'ŧ' | 'Ħ' | 'ħ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_become_words() {
        assert_eq!(escape("100 % of a_b & c"), "100 \\% of a\\_b \\& c");
        assert_eq!(escape("\\input{x}"), "\\textbackslash{}input\\{x\\}");
        assert_eq!(escape("a--b ''c''"), "a-{}-b '{}'c'{}'");
        assert_eq!(escape("[1] *"), "{[}1{]} {*}");
        assert_eq!(escape("−1.2 ≥ α"), "$-$1.2 $\\geq$ $\\alpha$");
        assert_eq!(escape("Zoë Łukasz"), "Zoë Łukasz");
        assert_eq!(escape("模"), "{[}U+6A21{]}");
    }

    proptest! {
        /// Braces and dollars pair up, and what is left is nothing that LaTeX acts on.
        #[test]
        fn nothing_is_left_open(text in "\\PC{0,40}|[\\\\{}$%#&_~^\"`<>|\\[\\]*'-]{0,20}") {
            let escaped = escape(&text);
            prop_assert!(balanced(&escaped), "{escaped}");
            prop_assert_eq!(escaped.replace("\\$", "").matches('$').count() % 2, 0);
            let comment = escaped.replace("\\%", "");
            prop_assert!(!comment.contains('%'), "{escaped}");
        }
    }

    fn balanced(text: &str) -> bool {
        let mut depth = 0_i32;
        for letter in text.replace("\\{", "").replace("\\}", "").chars() {
            depth += match letter {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if depth < 0 {
                return false;
            }
        }
        depth == 0
    }
}
