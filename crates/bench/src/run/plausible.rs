//! Looks at the first answers of a run for what makes figures look right and be wrong: letters that
//! the model finds improbable, and prompts that the server cut.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sureness_engine::{Attempt, Cancel, Plan};
use sureness_record::LOW_MASS;
use sureness_report::ModelResult;

use crate::error::{Failure, Kind};
use crate::prompt_counts::PromptCounts;
use crate::watch::Warner;

/// Questions of a group after which the mean probability of the letters is judged. Several answers to
/// one question say little about the others: a server may refuse them all. Of fewer questions, letters
/// are judged when all have answers; words only at the end, since each question has several answers and
/// the first ones are a matter of chance.
const JUDGED: usize = 10;

/// The answers of one model so far.
pub(super) struct Plausibility {
    name: String,
    /// Whether answers are read as text.
    drawn: bool,
    /// Mean probability of the letters below which the run stops.
    least_mass: f64,
    /// Stops the model's questions.
    stop: Cancel,
    warn: Warner,
    state: Mutex<State>,
}

struct State {
    groups: Vec<Letters>,
    /// The group for whose sake the run stopped, and the mean probability of its letters.
    stopped: Option<(String, f64)>,
    /// Set once prompts that were cut have been reported.
    cut: bool,
    counts: PromptCounts,
}

/// The letters in the answers of one group.
struct Letters {
    place: String,
    /// Questions with an answer after which the group is judged.
    needed: usize,
    /// Different questions with an answer, until they are judged.
    questions: HashSet<u32>,
    answered: usize,
    mass: f64,
    judged: bool,
}

impl Letters {
    /// Takes answers into account. Returns their mean probability of the letters once, when enough
    /// questions have answers.
    fn add(&mut self, questions: &[u32], answered: usize, mass: f64) -> Option<f64> {
        if self.judged || answered == 0 {
            return None;
        }
        self.questions.extend(questions);
        self.answered += answered;
        self.mass += mass;
        self.judged = self.questions.len() >= self.needed;
        self.judged.then(|| self.mass / self.answered as f64)
    }
}

impl Plausibility {
    pub(super) fn new(
        name: &str,
        plan: &Plan,
        drawn: bool,
        least_mass: f64,
        stop: Cancel,
        warn: Warner,
    ) -> Arc<Self> {
        let groups = plan.groups.iter().map(|group| Letters {
            place: format!("{}/{}", group.task.id, group.name()),
            needed: if drawn {
                JUDGED
            } else {
                JUDGED.min(group.questions.len())
            },
            questions: HashSet::new(),
            answered: 0,
            mass: 0.0,
            judged: false,
        });
        Arc::new(Self {
            name: name.to_owned(),
            drawn,
            least_mass,
            stop,
            warn,
            state: Mutex::new(State {
                groups: groups.collect(),
                stopped: None,
                cut: false,
                counts: PromptCounts::default(),
            }),
        })
    }

    /// Takes an attempt into account, and warns or stops at once where that is called for.
    pub(super) fn attempt(&self, attempt: &Attempt) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if let Some(letters) = state.groups.get_mut(attempt.group)
            && let Some(mean) = letters.add(&attempt.questions, attempt.answered, attempt.mass)
        {
            if mean < LOW_MASS {
                let found = sureness_report::improbable(mean, self.drawn);
                let (name, place) = (&self.name, &letters.place);
                (self.warn)(&format!("warning: {name}: {place}: {found}"));
            }
            if mean < self.least_mass {
                state.stopped = Some((letters.place.clone(), mean));
                self.stop.cancel();
            }
        }
        if let Some(tokens) = attempt.counted
            && !state.cut
        {
            state.counts.add(attempt.prompt_bytes, tokens);
            if let Some(cut) = state.counts.cut() {
                state.cut = true;
                (self.warn)(&format!("warning: {}: {cut}", self.name));
            }
        }
    }

    /// Why the run stopped on account of improbable letters, if it did.
    pub(super) fn failure(&self) -> Option<Failure> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (place, mass) = state.stopped.as_ref()?;
        Some(stopped(&self.name, place, *mass, self.drawn))
    }
}

/// Fails if the letters of a group are less probable than allowed, cached answers included.
pub(super) fn check(model: &ModelResult, least_mass: f64) -> Result<(), Failure> {
    let groups = model.groups.iter();
    let masses = groups.filter_map(|group| Some((group, group.mean_mass?)));
    let least = masses.min_by(|a, b| a.1.total_cmp(&b.1));
    match least.filter(|(_, mass)| *mass < least_mass) {
        Some((group, mass)) => {
            let place = format!("{}/{}", group.task, group.strategy);
            Err(stopped(
                &model.name,
                &place,
                mass,
                group.drawn.is_some_and(|drawn| drawn.thoughts == 0),
            ))
        }
        None => Ok(()),
    }
}

fn stopped(name: &str, place: &str, mass: f64, drawn: bool) -> Failure {
    let improbable = sureness_report::improbable(mass, drawn);
    Failure::new(format!("{name}: stopped: {place}: {improbable}"))
        .hint(if drawn {
            "look at answers with `sureness show DIR QUESTION`; --answer-tokens leaves room for longer \
             ones, --chat asks through the chat template, and --min-letter-mass 0 goes on all the same"
        } else {
            "`sureness doctor` says what the model begins with and what to do; --min-letter-mass 0 \
             goes on all the same, and marks the figures"
        })
        .kind(Kind::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(needed: usize) -> Letters {
        Letters {
            place: "qa/base".to_owned(),
            needed,
            questions: HashSet::new(),
            answered: 0,
            mass: 0.0,
            judged: false,
        }
    }

    #[test]
    fn answers_to_few_questions_are_not_judged() {
        let mut letters = letters(JUDGED);
        // Fifty refusals of each of the first two questions.
        for draw in 0..100 {
            assert_eq!(letters.add(&[draw / 50], 1, 0.0), None);
        }
        for question in 2..9 {
            assert_eq!(letters.add(&[question], 1, 1.0), None);
        }
        let mean = letters.add(&[9], 1, 1.0).unwrap();
        assert!((mean - 8.0 / 108.0).abs() < 1e-12);
        assert_eq!(letters.add(&[10], 1, 0.0), None, "judged once");
    }

    #[test]
    fn letters_of_few_questions_are_judged_by_all_of_them() {
        let mut letters = letters(2);
        assert_eq!(letters.add(&[0], 1, 0.0), None);
        assert_eq!(letters.add(&[1], 1, 0.5), Some(0.25));
    }
}
