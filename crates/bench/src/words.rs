//! Formats numbers and ages for notes and tables.

pub mod age;

/// Groups thousands: `14,042`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 question`, `2 questions`.
pub fn counted(number: usize, noun: &str) -> String {
    let shown = count(number);
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with('a'));
    match stem {
        _ if number == 1 => format!("{shown} {noun}"),
        Some(stem) => format!("{shown} {stem}ies"),
        None => format!("{shown} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 7, 999, 1000, 14042, 1_234_567].map(count);
        assert_eq!(texts, ["0", "7", "999", "1,000", "14,042", "1,234,567"]);
        assert_eq!(counted(1, "question"), "1 question");
        assert_eq!(counted(2000, "question"), "2,000 questions");
        assert_eq!(counted(3, "strategy"), "3 strategies");
        assert_eq!(counted(2, "day"), "2 days");
    }
}
