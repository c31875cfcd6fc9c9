//! Words around figures.

/// A share that was chosen, as a percentage with no more decimals than it needs: `90`, `92.5`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    text.strip_suffix(".0")
        .map_or_else(|| text.clone(), str::to_owned)
}

/// A chosen share, with as many decimals as it takes: `99.995`.
pub(crate) fn exact_percent(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share that was measured, as a percentage with one decimal: `90.0`. Where two stand beside each
/// other, as in an interval, both have to be equally exact.
pub(crate) fn measured(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// `a`, `a and b`, `a, b and c`; of many the first few.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    const MAX_LISTED: usize = 8;
    let shown: Vec<&str> = items.iter().take(MAX_LISTED).map(AsRef::as_ref).collect();
    if items.len() > MAX_LISTED {
        return format!("{} and {} more", shown.join(", "), items.len() - MAX_LISTED);
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(
            [percent(0.9), percent(0.925), percent(1.0)],
            ["90", "92.5", "100"]
        );
        assert_eq!([measured(0.51), measured(0.4857)], ["51.0", "48.6"]);
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["x"; 10]), "x, x, x, x, x, x, x, x and 2 more");
    }
}
