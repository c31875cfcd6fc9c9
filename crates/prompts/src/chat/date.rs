//! A calendar date, for templates that print "today".

use std::fmt::Write as _;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl Date {
    /// The day that templates see unless told otherwise. It is the one that Llama's templates
    /// print where no clock is at hand.
    pub const FIXED: Self = Self {
        year: 2024,
        month: 7,
        day: 26,
    };

    /// A date, if there is such a day. Years run from 1 to 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=date.days_in_month()).contains(&day);
        exists.then_some(date)
    }

    fn days_in_month(self) -> u8 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.is_leap() => 29,
            2 => 28,
            _ => 31,
        }
    }

    fn is_leap(self) -> bool {
        let year = self.year;
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    }

    /// Day of the year, from 1.
    fn ordinal(self) -> u16 {
        let before = (1..self.month).map(|month| u16::from(Self { month, ..self }.days_in_month()));
        before.sum::<u16>() + u16::from(self.day)
    }

    /// 0 is Sunday.
    fn weekday(self) -> usize {
        // 1 January of year 1 was a Monday.
        let years = usize::from(self.year) - 1;
        (years + years / 4 - years / 100 + years / 400 + usize::from(self.ordinal())) % 7
    }

    /// As Python's `strftime`, the time being midnight UTC. A directive that is not known stays
    /// as it is written.
    pub(super) fn format(self, pattern: &str) -> String {
        let mut text = String::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let mut directive = rest.next();
            // `%-d` is `%d` without leading zeros.
            let plain = directive == Some('-');
            if plain {
                directive = rest.next();
            }
            let start = text.len();
            self.push(&mut text, directive, plain);
            if plain && text[start..].bytes().all(|b| b.is_ascii_digit()) {
                let number = text.split_off(start);
                let number = number.trim_start_matches('0');
                text.push_str(if number.is_empty() { "0" } else { number });
            }
        }
        text
    }

    fn push(self, text: &mut String, directive: Option<char>, plain: bool) {
        let Self { year, month, day } = self;
        let month_name = MONTHS[usize::from(month) - 1];
        let weekday_name = WEEKDAYS[self.weekday()];
        // Writing to a string cannot fail.
        let _ = match directive {
            Some('Y') => write!(text, "{year:04}"),
            Some('y') => write!(text, "{:02}", year % 100),
            Some('m') => write!(text, "{month:02}"),
            Some('B') => write!(text, "{month_name}"),
            Some('b' | 'h') => write!(text, "{}", &month_name[..3]),
            Some('d') => write!(text, "{day:02}"),
            Some('e') => write!(text, "{day:2}"),
            Some('j') => write!(text, "{:03}", self.ordinal()),
            Some('A') => write!(text, "{weekday_name}"),
            Some('a') => write!(text, "{}", &weekday_name[..3]),
            Some('w') => write!(text, "{}", self.weekday()),
            Some('F') => write!(text, "{year:04}-{month:02}-{day:02}"),
            Some('D' | 'x') => write!(text, "{month:02}/{day:02}/{:02}", year % 100),
            Some('H' | 'M' | 'S') => write!(text, "00"),
            Some('I') => write!(text, "12"),
            Some('p') => write!(text, "AM"),
            Some('T' | 'X') => write!(text, "00:00:00"),
            Some('R') => write!(text, "00:00"),
            Some('Z') => write!(text, "UTC"),
            Some('z') => write!(text, "+0000"),
            Some('%') => write!(text, "%"),
            other => {
                text.push('%');
                if plain {
                    text.push('-');
                }
                text.extend(other);
                Ok(())
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_printed_as_python_prints_them() {
        let format = |y, m, d, pattern| Date::new(y, m, d).unwrap().format(pattern);
        assert_eq!(Date::FIXED.format("%d %b %Y"), "26 Jul 2024");
        assert_eq!(
            Date::FIXED.format("%A, %B %d, %Y, week day %w, day %j"),
            "Friday, July 26, 2024, week day 5, day 208"
        );
        assert_eq!(format(2000, 2, 29, "%a %-d.%-m.%y %e"), "Tue 29.2.00 29");
        assert_eq!(
            format(1999, 12, 31, "%F %H:%M:%S %j"),
            "1999-12-31 00:00:00 365"
        );
        assert_eq!(format(2026, 3, 1, "%A %-j %-y"), "Sunday 60 26");
        assert_eq!(format(2026, 3, 1, "100%% %Q %-Q %"), "100% %Q %-Q %");
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (y, m, d) in [
            (1900, 2, 29),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, 4, 31),
            (0, 1, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(Date::new(y, m, d), None, "{y}-{m}-{d}");
        }
        assert!(Date::new(2000, 2, 29).is_some());
    }
}
