//! Text from models, tasks and servers, made safe for one line.

/// One line without control characters: white space, line breaks and terminal escapes become single
/// spaces. So do the marks that reverse the direction of writing, since they could make a line read as
/// something else.
pub(super) fn clean(text: &str) -> String {
    let separates = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.split(separates)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A name for a file: lower case letters, digits and hyphens, whatever the id holds.
pub(super) fn file_name(id: &str) -> String {
    let safe = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '_') => c,
        _ => '-',
    };
    let name: String = id.chars().map(safe).collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(clean("  a\r\n\tb \u{1b}[31mred\u{7} "), "a b [31mred");
        assert_eq!(clean("x\u{202e}y"), "x y");
    }

    #[test]
    fn ids_cannot_leave_the_folder() {
        assert_eq!(file_name("../Etc/pass wd"), "---etc-pass-wd");
        assert_eq!(file_name("set-sizes_2"), "set-sizes_2");
        assert_eq!(file_name(""), "unnamed");
    }
}
