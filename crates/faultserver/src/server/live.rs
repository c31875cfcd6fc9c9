//! A script in play: the state of its rules and of the prefix cache.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::capacity::Gate;
use crate::answer::Work;
use crate::asked::Asked;
use crate::chance::unit;
use crate::model::words;
use crate::script::{Fault, Routes, Rule, Script, When};
use crate::sync::lock;

/// A script and its state.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) script: Script,
    pub(crate) gate: Gate,
    rule_counts: Mutex<Vec<RuleCounts>>,
    cache: Mutex<VecDeque<Arc<str>>>,
}

/// The counts of one rule.
#[derive(Debug, Default)]
struct RuleCounts {
    /// Requests on the rule's routes.
    seen: u64,
    played: u64,
    per_prompt: HashMap<Arc<str>, u64>,
}

/// The delay and fault of one request.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

impl Live {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            gate: Gate::new(&script.capacity),
            rule_counts: Mutex::new(script.rules.iter().map(|_| RuleCounts::default()).collect()),
            cache: Mutex::default(),
            script,
        }
    }

    /// Tries the rules in order. Delays add up; the first other fault ends the search.
    pub(crate) fn fate(&self, asked: &Asked) -> Fate {
        let text = asked.text();
        let mut fate = Fate::default();
        let mut rule_counts = lock(&self.rule_counts);
        for (index, (rule, counts)) in self
            .script
            .rules
            .iter()
            .zip(rule_counts.iter_mut())
            .enumerate()
        {
            let draw = Draw {
                rule: index as u64,
                text: &text,
                repeats: asked.repeats,
            };
            if !counts.is_due(rule, asked, &draw) {
                continue;
            }
            match draw.one_of(&rule.faults) {
                Some(Fault::Delay { ms, up_to_ms }) => {
                    let longest = up_to_ms.unwrap_or(*ms).max(*ms);
                    let spread = (longest - ms) as f64 * draw.unit("delay", 0);
                    fate.delay += Duration::from_millis(ms + spread as u64);
                    // Named unless a fault follows.
                    fate.fault = Some(Fault::Delay {
                        ms: *ms,
                        up_to_ms: *up_to_ms,
                    });
                }
                Some(fault) => {
                    fate.fault = Some(fault.clone());
                    break;
                }
                None => {}
            }
        }
        fate
    }

    /// The prompts with their words, and those of them that an earlier prompt began with as well.
    pub(crate) fn work(&self, prompts: &[Arc<str>]) -> Vec<Work> {
        let mut cache = lock(&self.cache);
        let slots = self.script.server.cache_slots;
        let mut work = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            let shared = cache.iter().map(|known| common(known, prompt)).max();
            let all = words(prompt);
            // The last word is always computed: its successor is what is asked for.
            let cached = words(&prompt[..shared.unwrap_or(0)]).min(all.saturating_sub(1));
            work.push(Work {
                prompt: Arc::clone(prompt),
                words: all,
                cached,
            });
            if slots > 0 {
                cache.truncate(slots - 1);
                cache.push_front(Arc::clone(prompt));
            }
        }
        work
    }
}

/// How many bytes two texts have in common at their beginning, in whole words.
fn common(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    if same == b.len() {
        return same;
    }
    // A word that is only begun alike is another token. A blank is one byte, so that what stands
    // before it ends at a character's end.
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    b.as_bytes()[..same].iter().rposition(blank).unwrap_or(0)
}

impl RuleCounts {
    /// Whether `rule` plays on this request; if so, it has.
    fn is_due(&mut self, rule: &Rule, asked: &Asked, draw: &Draw<'_>) -> bool {
        let on_route = match &rule.routes {
            Routes::Scoring => asked.scores(),
            Routes::Any => true,
            Routes::Path(text) => asked.path.contains(text.as_str()),
        };
        if !on_route {
            return false;
        }
        self.seen += 1;
        let chosen = match &rule.when {
            When::Always => true,
            When::First(count) => self.seen <= *count,
            When::Nth(n) => self.seen.is_multiple_of(*n),
            When::Chance { probability, seed } => draw.unit("chance", *seed) < *probability,
            When::Contains(text) => asked.prompts.iter().any(|p| p.contains(text.as_str())),
            When::If(predicate) => predicate(asked),
        };
        if !chosen || rule.limit.is_some_and(|limit| self.played >= limit) {
            return false;
        }
        if let (Some(limit), Some(prompt)) = (rule.per_prompt, asked.prompts.first()) {
            let played = self.per_prompt.entry(Arc::clone(prompt)).or_default();
            if *played >= limit {
                return false;
            }
            *played += 1;
        }
        self.played += 1;
        true
    }
}

/// Draws for one rule and one request.
struct Draw<'a> {
    rule: u64,
    text: &'a str,
    repeats: u64,
}

impl Draw<'_> {
    fn unit(&self, purpose: &str, seed: u64) -> f64 {
        unit(&[
            purpose.as_bytes(),
            &seed.to_le_bytes(),
            &self.rule.to_le_bytes(),
            &self.repeats.to_le_bytes(),
            self.text.as_bytes(),
        ])
    }

    fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        let index = (self.unit("which", 0) * all.len() as f64) as usize;
        all.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asked::Key;

    fn asked(prompts: &[&str], repeats: u64) -> Asked {
        Asked {
            number: 1,
            connection: 1,
            method: "POST".into(),
            path: "/v1/completions".into(),
            headers: Arc::new([]),
            key: Key::Absent,
            prompts: prompts.iter().map(|&p| Arc::from(p)).collect(),
            repeats,
        }
    }

    fn plays(live: &Live, prompts: &[&str], repeats: u64) -> bool {
        live.fate(&asked(prompts, repeats)).fault.is_some()
    }

    fn live(rule: Rule) -> Live {
        Live::new(Script::with(rule))
    }

    fn when(when: When) -> Live {
        live(Rule::new(when, [Fault::Gzip]))
    }

    #[test]
    fn rules_pick_their_requests() {
        let third = when(When::Nth(3));
        let picked: Vec<bool> = (0..6).map(|_| plays(&third, &["x"], 0)).collect();
        assert_eq!(picked, [false, false, true, false, false, true]);
        let first = when(When::First(2));
        let picked: Vec<bool> = (0..3).map(|_| plays(&first, &["x"], 0)).collect();
        assert_eq!(picked, [true, true, false]);
        let text = when(When::Contains("bad".into()));
        assert!(plays(&text, &["good", "a bad one"], 0) && !plays(&text, &["good"], 0));
        let repeat = live(Rule::matching(|asked| asked.repeats == 1, Fault::Gzip));
        assert!(plays(&repeat, &["x"], 1) && !plays(&repeat, &["x"], 0));
    }

    #[test]
    fn rules_leave_other_routes_alone() {
        assert!(!plays(&live(Rule::always(Fault::Gzip)), &[], 0));
        assert!(plays(
            &live(Rule::always(Fault::Gzip).on(Routes::Any)),
            &[],
            0
        ));
        let path = Routes::Path("completions".into());
        assert!(plays(&live(Rule::always(Fault::Gzip).on(path)), &["x"], 0));
    }

    #[test]
    fn limits_hold() {
        let twice = live(Rule::always(Fault::Gzip).limit(2));
        let played = (0..5).filter(|_| plays(&twice, &["x"], 0)).count();
        assert_eq!(played, 2);
        let once_each = live(Rule::always(Fault::Gzip).per_prompt(1));
        let played = ["a", "b", "a", "b"].map(|p| plays(&once_each, &[p], 0));
        assert_eq!(played, [true, true, false, false]);
    }

    #[test]
    fn chance_depends_on_the_question_and_not_on_the_order() {
        let prompts: Vec<String> = (0..2000).map(|n| format!("prompt {n}")).collect();
        let draw = |seed, reversed: bool| {
            let live = live(Rule::chance(0.3, seed, [Fault::Gzip]));
            let mut picked: Vec<&String> = Vec::new();
            let order: Vec<&String> = if reversed {
                prompts.iter().rev().collect()
            } else {
                prompts.iter().collect()
            };
            for prompt in order {
                if plays(&live, &[prompt], 0) {
                    picked.push(prompt);
                }
            }
            picked.sort();
            picked
        };
        let picked = draw(1, false);
        assert!((520..680).contains(&picked.len()), "{}", picked.len());
        assert_eq!(picked, draw(1, true));
        assert_ne!(picked, draw(2, false));
        // Another attempt is another draw, or nothing would ever get through.
        let live = live(Rule::chance(0.3, 1, [Fault::Gzip]));
        assert!((0..40).any(|repeats| !plays(&live, &[picked[0]], repeats)));
    }

    #[test]
    fn delays_add_up_and_let_a_fault_follow() {
        let delay = |ms| Rule::always(Fault::Delay { ms, up_to_ms: None });
        let script = Script::with(delay(5))
            .rule(delay(7))
            .rule(Rule::always(Fault::Gzip));
        let fate = Live::new(script).fate(&asked(&["x"], 0));
        assert_eq!(fate.delay, Duration::from_millis(12));
        assert_eq!(fate.fault, Some(Fault::Gzip));
    }

    #[test]
    fn all_faults_of_a_rule_have_their_turn() {
        let all = Fault::each(10);
        let live = live(Rule::chance(1.0, 0, all.clone()));
        for wanted in all {
            let drawn = (0..2000)
                .any(|n| live.fate(&asked(&[&n.to_string()], 0)).fault.as_ref() == Some(&wanted));
            assert!(drawn, "{wanted:?}");
        }
    }

    #[test]
    fn the_prefix_cache_counts_whole_words() {
        let live = Live::new(Script::healthy());
        let cached = |text: &str| live.work(&[text.into()])[0].cached;
        assert_eq!(cached("one two three"), 0);
        assert_eq!(cached("one two thirty"), 2);
        assert_eq!(
            cached("one two three"),
            2,
            "the last word is always computed"
        );
        assert_eq!(cached("other"), 0);
        assert_eq!(cached("été un"), 0);
        assert_eq!(cached("été deux"), 1);
    }
}
