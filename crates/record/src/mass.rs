//! The probability that a model puts on the options altogether.

/// Mean probability of the option letters below which figures are marked: most of what the model
/// would say is something else.
pub const LOW_MASS: f64 = 0.1;
/// The same below which a run stops unless told otherwise: the letters are read from the tail, where
/// their order says little about what the model knows.
pub const LEAST_MASS: f64 = 1e-4;

/// A probability as a percentage, with a digit even where it is tiny: `0.000001 %`.
pub fn percentage(probability: f64) -> String {
    let percent = 100.0 * probability;
    let decimals = match -percent.log10() {
        _ if percent >= 1.0 || percent <= 0.0 => 0,
        zeros if zeros > 12.0 => return "less than 0.000000000001 %".to_owned(),
        zeros => zeros.ceil() as usize,
    };
    format!("{percent:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::percentage;

    #[test]
    fn tiny_probabilities_keep_a_digit() {
        for (probability, text) in [
            (0.0, "0 %"),
            (1e-8, "0.000001 %"),
            (1.23e-8, "0.000001 %"),
            (1.8e-3, "0.2 %"),
            (0.053, "5 %"),
            (0.5, "50 %"),
            (1.0, "100 %"),
            (1e-30, "less than 0.000000000001 %"),
        ] {
            assert_eq!(percentage(probability), text);
        }
    }
}
