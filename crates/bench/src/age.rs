//! Formats the age of answers.

use std::time::{SystemTime, UNIX_EPOCH};

const UNITS: [(i64, &str); 3] = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")];

/// The current time, in milliseconds since 1970.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as i64)
}

/// `answered 23 hours ago`, or `answered 5 minutes to 3 days ago` if ages differ. Times are in
/// milliseconds since 1970.
pub fn range((oldest, newest): (i64, i64), now: i64) -> String {
    let [young, old] = [newest, oldest].map(|at| age(now.saturating_sub(at)));
    match (young, old) {
        // Clocks jump, and folders are copied between machines.
        (None, _) | (_, None) => "answered in the future, by this machine's clock".to_owned(),
        (Some(young), Some(old)) if young == old => format!("answered {old} ago"),
        (Some(young), Some(old)) => format!("answered {young} to {old} ago"),
    }
}

/// The age in the largest unit that gives at least two, or in minutes; `None` for a negative age.
fn age(ms: i64) -> Option<String> {
    // Tolerate a small difference between two clocks.
    if ms < -60_000 {
        return None;
    }
    let unit = UNITS
        .into_iter()
        .find(|(length, name)| ms >= 2 * length || (*name == "minute" && ms >= *length));
    Some(match unit {
        None => "less than a minute".to_owned(),
        Some((length, name)) => sureness_analysis::number::counted((ms / length) as usize, name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn ages_use_the_largest_unit_that_gives_two() {
        let now = 1_000 * 24 * HOUR;
        for (ago, text) in [
            (0, "answered less than a minute ago"),
            (-500, "answered less than a minute ago"),
            (90_000, "answered 1 minute ago"),
            (HOUR, "answered 60 minutes ago"),
            (23 * HOUR + 100, "answered 23 hours ago"),
            (47 * HOUR, "answered 47 hours ago"),
            (49 * HOUR, "answered 2 days ago"),
            (-HOUR, "answered in the future, by this machine's clock"),
        ] {
            assert_eq!(range((now - ago, now - ago), now), text);
        }
        assert_eq!(
            range((now - 100 * HOUR, now - 5 * 60_000), now),
            "answered 5 minutes to 4 days ago"
        );
    }
}
