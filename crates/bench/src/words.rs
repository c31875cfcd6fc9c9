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
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
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
    }
}
