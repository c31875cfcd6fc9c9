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
/// What servers accept that refuse fewer tokens. Only the first one is read.
const FEW_TOKENS: u32 = 16;

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
    /// What to try after a refusal with these words; `None` if they concern something else.
    pub(in crate::http) fn after(self, refusal: &str) -> Option<Self> {
        let said = refusal.to_lowercase();
        let speaks_of = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let of_limit = speaks_of(&["max_tokens", NEWER_LIMIT, "max_output_tokens"]);
        let too_few = speaks_of(&["minimum", "at least", ">=", "greater than", "too small"]);
        if of_limit && too_few && self.tokens < FEW_TOKENS {
            return Some(Self {
                tokens: FEW_TOKENS,
                ..self
            });
        }
        if of_limit && self.limit != NEWER_LIMIT {
            return Some(Self {
                limit: NEWER_LIMIT,
                ..self
            });
        }
        (said.contains("temperature") && self.temperature).then_some(Self {
            temperature: false,
            ..self
        })
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
}
