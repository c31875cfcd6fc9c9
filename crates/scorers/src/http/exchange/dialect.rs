//! The fields of a request that servers want in different ways.

/// How a server wants to be asked for the next token without randomness. The probe learns it from
/// the server's refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Dialect {
    /// The field that limits the answer's tokens.
    limit: &'static str,
    /// The fewest tokens that it accepts.
    tokens: u32,
    /// Whether it accepts a temperature of 0.
    temperature: bool,
}

/// The newer name of the field, the only one that some hosted models accept.
const NEWER_LIMIT: &str = "max_completion_tokens";
/// What servers accept that refuse fewer tokens without saying how many they want. Only the first
/// token is read.
const FEW_TOKENS: u32 = 16;
/// The most that is generated for a token that is read.
const MOST_TOKENS: u32 = 256;

/// Words before the fewest tokens that a server accepts, the longer ones first.
const LEAST: [&str; 10] = [
    ">=",
    "\u{2265}",
    "at least",
    "greater than or equal to",
    "larger than or equal to",
    "minimum of",
    "minimum value of",
    "minimum value is",
    "minimum is",
    "minimum:",
];
/// Words before one token fewer.
const ABOVE: [&str; 3] = ["greater than", "more than", "larger than"];
/// Words of a refusal of a parameter as such.
const UNKNOWN: [&str; 7] = [
    "unsupported parameter",
    "unsupported_parameter",
    "not supported",
    "unknown",
    "unrecognized",
    "not permitted",
    "not allowed",
];

impl Default for Dialect {
    fn default() -> Self {
        Self {
            limit: "max_tokens",
            tokens: 1,
            temperature: true,
        }
    }
}

impl Dialect {
    /// What to try after a refusal with these words, which may concern several fields; `None` if they
    /// concern none of them.
    pub(in crate::http) fn after(self, refusal: &str) -> Option<Self> {
        let said = refusal.to_lowercase();
        let speaks_of = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let mut next = self;
        if speaks_of(&["max_tokens", NEWER_LIMIT, "max_output_tokens"]) {
            let too_few = speaks_of(&["minimum", "too small"]);
            let least = least(&said).or(too_few.then_some(FEW_TOKENS));
            if let Some(least) = least.filter(|least| *least > self.tokens) {
                next.tokens = least;
            }
            // The same words again: perhaps the name is what is wrong.
            if next == self || speaks_of(&UNKNOWN) || said.contains(NEWER_LIMIT) {
                next.limit = NEWER_LIMIT;
            }
        }
        next.temperature &= !said.contains("temperature");
        (next != self).then_some(next)
    }

    /// The name and the value of the field that limits the answer.
    pub(in crate::http) fn limit(self) -> (&'static str, u32) {
        (self.limit, self.tokens)
    }

    /// Whether a request sets the temperature. Without it, the server's own counts.
    pub(in crate::http) fn sets_temperature(self) -> bool {
        self.temperature
    }
}

/// The fewest tokens that a server says it accepts. Smaller numbers than two are about something else.
fn least(said: &str) -> Option<u32> {
    let number_after = |words: &&str| {
        let rest = said.split(*words).skip(1);
        let numbers = rest.filter_map(|rest| {
            let rest = rest.trim_start_matches([' ', ':', '=', '`', '\'', '"']);
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..digits].parse::<u32>().ok()
        });
        numbers
            .filter(|number| (2..=MOST_TOKENS).contains(number))
            .max()
    };
    let above = || ABOVE.iter().find_map(number_after).map(|number| number + 1);
    LEAST.iter().find_map(number_after).or_else(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_to_change() {
        let usual = Dialect::default();
        let newer = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        let few = "Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.";
        let warm = "Unsupported value: 'temperature' does not support 0 with this model.";
        let all = [newer, few, warm]
            .into_iter()
            .try_fold(usual, Dialect::after);
        let all = all.unwrap();
        assert_eq!(all.limit(), ("max_completion_tokens", 16));
        assert!(!all.sets_temperature());
        for refusal in [newer, few, warm] {
            assert_eq!(all.after(refusal), None, "nothing is left to try");
        }
        assert_eq!(usual.after("logprobs must be at most 20"), None);
        // The same words again: perhaps the name is what is wrong.
        let again = usual.after(few).and_then(|dialect| dialect.after(few));
        assert_eq!(again.unwrap().limit(), ("max_completion_tokens", 16));
    }

    #[test]
    fn the_least_number_of_tokens_is_the_server_s() {
        for (refusal, tokens) in [
            (
                "Invalid 'max_tokens': integer below minimum value. Expected a value >= 32, but got 1.",
                32,
            ),
            ("max_tokens must be at least 20", 20),
            ("`max_tokens` has a minimum of 16", 16),
            ("max_output_tokens: the minimum value is 24", 24),
            (
                "max_tokens: Input should be greater than or equal to 16",
                16,
            ),
            ("max_tokens must be greater than 15", 16),
            ("max_tokens is too small", 16),
            ("max_tokens is below the minimum", 16),
        ] {
            let dialect = Dialect::default().after(refusal).unwrap();
            assert_eq!(dialect.limit(), ("max_tokens", tokens), "{refusal}");
        }
        // No server needs so many for one of them.
        let many = Dialect::default()
            .after("max_tokens must be >= 100000")
            .unwrap();
        assert_eq!(many.limit(), ("max_completion_tokens", 1));
    }

    #[test]
    fn one_refusal_may_be_about_several_fields() {
        let all = "Unsupported parameters: 'temperature', 'max_tokens', 'logprobs'. Use \
             'max_completion_tokens' instead, with a minimum of 16.";
        let dialect = Dialect::default().after(all).unwrap();
        assert_eq!(dialect.limit(), ("max_completion_tokens", 16));
        assert!(!dialect.sets_temperature());
        assert_eq!(dialect.after(all), None);
    }
}
