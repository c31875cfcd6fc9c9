//! When and by which command results were made.

use sureness_record::Provenance;

/// The provenance of what is made now. `command` must contain no secret.
pub fn provenance(command: Option<String>) -> Provenance {
    Provenance {
        date: date(crate::age::now()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command,
    }
}

/// A time in milliseconds since 1970 as a date and time of day in UTC, to the second.
pub fn date(ms: i64) -> String {
    let second = jiff::Timestamp::from_second(ms.div_euclid(1000));
    second.map_or_else(|_| "unknown".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_in_utc() {
        assert_eq!(super::date(1_772_366_400_999), "2026-03-01T12:00:00Z");
        assert_eq!(super::date(i64::MAX), "unknown");
    }
}
