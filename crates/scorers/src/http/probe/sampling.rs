//! Finds out whether a server's own sampling settings change the log-probabilities that it reports.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::super::answer::only_choice;
use super::super::exchange::{Sampling, allowed};
use super::super::tokens::{TopToken, without_repeats};
use crate::ScoreError;

/// Nothing is as sure as a server that reports its choice instead of the model's probabilities.
const CERTAIN: f64 = -1e-6;

/// A server's list of the most probable tokens, by number or else by text.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Listed(Vec<(String, f64)>);

impl Listed {
    /// The list in an answer to one prompt.
    pub(in crate::http) fn read(response: &Value) -> Result<Self, ScoreError> {
        let tokens = only_choice(response)?.tokens()?;
        let entry = |token: TopToken<'_>| {
            let name = token
                .id
                .map_or_else(|| token.text.into_owned(), |id| id.to_string());
            (name, token.logprob)
        };
        Ok(Self(
            without_repeats(tokens)?.into_iter().map(entry).collect(),
        ))
    }

    pub(in crate::http) fn len(&self) -> usize {
        self.0.len()
    }

    /// How far two lists are apart, in nats. A token that only one of them has is at most as probable
    /// as the other's last.
    fn apart(&self, other: &Self) -> f64 {
        let one_way = |from: &Self, to: &Self| {
            let last = to.0.iter().map(|(_, value)| *value).fold(0.0, f64::min);
            let difference = |(name, value): &(String, f64)| match to
                .0
                .iter()
                .find(|(known, _)| known == name)
            {
                Some((_, same)) => (value - same).abs(),
                None => (value - last).max(0.0),
            };
            from.0.iter().map(difference).fold(0.0, f64::max)
        };
        one_way(self, other).max(one_way(other, self))
    }

    /// Whether the list gives one token everything, which no model does at every temperature.
    fn is_choice(&self) -> bool {
        self.0.iter().any(|(_, value)| *value > CERTAIN)
    }
}

/// What to send, and whether the server would otherwise report other probabilities than the model's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::http) struct Settings {
    pub(in crate::http) sampling: Sampling,
    pub(in crate::http) bent: bool,
}

/// Asks with the server's own settings and with neutral ones. `ask` gives the list for a prompt whose
/// tokens recur, which penalties move; `None` where the server refuses the fields. `first` is the
/// answer with the server's own settings. Neutral values are sent where they matter, and to servers
/// that are `known` to take them.
pub(in crate::http) async fn settings(
    first: &Listed,
    known: bool,
    ask: impl AsyncFn(Sampling) -> Option<Listed>,
) -> Settings {
    let Some(neutral) = ask(Sampling::Neutral).await else {
        return Settings::default();
    };
    let bent = differ(first, &neutral, &ask).await;
    if neutral.is_choice()
        && let Some(warm) = ask(Sampling::Warm).await
        && !warm.is_choice()
    {
        return Settings {
            sampling: Sampling::Warm,
            bent: true,
        };
    }
    Settings {
        sampling: if bent || known {
            Sampling::Neutral
        } else {
            Sampling::Greedy
        },
        bent,
    }
}

/// Whether lists with and without neutral values differ by more than the noise between equal
/// requests, which are only repeated if it looks so.
async fn differ(
    own: &Listed,
    neutral: &Listed,
    ask: &impl AsyncFn(Sampling) -> Option<Listed>,
) -> bool {
    if own.apart(neutral) <= allowed(0.0) {
        return false;
    }
    let (Some(own_again), Some(neutral_again)) =
        (ask(Sampling::Greedy).await, ask(Sampling::Neutral).await)
    else {
        return false;
    };
    let noise = own.apart(&own_again).max(neutral.apart(&neutral_again));
    let pairs = [
        own.apart(neutral),
        own.apart(&neutral_again),
        own_again.apart(neutral),
        own_again.apart(&neutral_again),
    ];
    pairs.into_iter().all(|apart| apart > allowed(noise))
}

/// The sampler settings of a llama-server that move its probabilities after sampling, as its
/// properties name them, apart from temperature and truncation, which every request has set since
/// version 0.1.0.
pub(in crate::http) fn samplers(properties: &Value) -> Vec<String> {
    /// Values that change nothing.
    const NEUTRAL: [(&str, RangeInclusive<f32>); 10] = [
        ("repeat_penalty", 1.0..=1.0),
        ("presence_penalty", 0.0..=0.0),
        ("frequency_penalty", 0.0..=0.0),
        ("dry_multiplier", 0.0..=0.0),
        ("xtc_probability", 0.0..=0.0),
        ("dynatemp_range", 0.0..=0.0),
        ("typical_p", 1.0..=f32::MAX),
        ("top_n_sigma", f32::MIN..=0.0),
        ("mirostat", 0.0..=0.0),
        ("adaptive_target", f32::MIN..=-f32::EPSILON),
    ];
    let params = properties.pointer("/default_generation_settings/params");
    let set = |(name, neutral): (&str, RangeInclusive<f32>)| {
        // The server's own precision.
        let value = params?.get(name)?.as_f64()? as f32;
        (!neutral.contains(&value)).then(|| format!("{name} {value}"))
    };
    NEUTRAL.into_iter().filter_map(set).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    fn listed(values: &[(&str, f64)]) -> Listed {
        let owned = |(name, value): &(&str, f64)| ((*name).to_owned(), *value);
        Listed(values.iter().map(owned).collect())
    }

    async fn examined(own: &Listed, known: bool, answers: &[Option<Listed>]) -> (Settings, usize) {
        let left = RefCell::new(answers.iter());
        let ask = async |_| left.borrow_mut().next().cloned().flatten();
        let found = settings(own, known, ask).await;
        (found, answers.len() - left.into_inner().len())
    }

    #[tokio::test]
    async fn a_penalty_is_found_and_noise_is_not_one() {
        let own = listed(&[("A", -0.5), ("B", -2.0), ("C", -9.0)]);
        let neutral = listed(&[("A", -1.2), ("B", -1.0), ("C", -4.0)]);
        let sent = |found: (Settings, usize)| (found.0.sampling, found.0.bent, found.1);
        let answers = [
            Some(neutral.clone()),
            Some(own.clone()),
            Some(neutral.clone()),
        ];
        let found = sent(examined(&own, false, &answers).await);
        assert_eq!(found, (Sampling::Neutral, true, 3));
        // The same list: nothing is sent, unless the server is known to take it.
        let same = [Some(own.clone())];
        let found = sent(examined(&own, false, &same).await);
        assert_eq!(found, (Sampling::Greedy, false, 1));
        let found = sent(examined(&own, true, &same).await);
        assert_eq!(found, (Sampling::Neutral, false, 1));
        // Refused.
        let found = sent(examined(&own, true, &[None]).await);
        assert_eq!(found, (Sampling::Greedy, false, 1));
        // Equal requests are as far apart.
        let answers = [
            Some(neutral.clone()),
            Some(neutral.clone()),
            Some(own.clone()),
        ];
        let found = sent(examined(&own, false, &answers).await);
        assert_eq!(found, (Sampling::Greedy, false, 3));
    }

    #[tokio::test]
    async fn a_list_of_one_certain_token_is_asked_for_with_a_temperature() {
        let choice = listed(&[("A", 0.0)]);
        let spread = listed(&[("A", -0.5), ("B", -2.0)]);
        let found = examined(&choice, false, &[Some(choice.clone()), Some(spread)]).await;
        assert_eq!((found.0.sampling, found.0.bent), (Sampling::Warm, true));
        // A sure model stays sure.
        let found = examined(
            &choice,
            false,
            &[Some(choice.clone()), Some(choice.clone())],
        )
        .await;
        assert_eq!(found.0, Settings::default());
    }

    #[test]
    fn sampler_settings_are_named_where_they_are_on() {
        let neutral = json!({"repeat_penalty": 1.0, "presence_penalty": 0.0, "mirostat": 0,
            "typical_p": 1.0, "top_n_sigma": -1.0, "adaptive_target": -1.0, "top_k": 40});
        let props = |params: &Value| json!({"default_generation_settings": {"params": params}});
        assert_eq!(samplers(&props(&neutral)), [""; 0]);
        let mut bent = neutral;
        bent["repeat_penalty"] = json!(1.100_000_023_841_858);
        bent["mirostat"] = json!(2);
        assert_eq!(
            samplers(&props(&bent)),
            ["repeat_penalty 1.1", "mirostat 2"]
        );
        assert_eq!(samplers(&json!({"role": "router"})), [""; 0]);
    }
}
