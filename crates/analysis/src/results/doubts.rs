//! What speaks against figures that look right.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_record::{LOW_MASS, Until, UntilGoal, percentage};

use super::{GroupResult, ModelResult, Results, TaskResult};
use crate::number::{count, counted};

/// What shows that a server cut prompts, or that it does not count their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CutPrompts {
    /// The largest count of tokens; 0 if the server counts none.
    pub tokens: u32,
    /// Bytes of the shortest prompt with this count.
    pub shortest_bytes: usize,
    /// Bytes of the longest.
    pub longest_bytes: usize,
}

impl fmt::Display for CutPrompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = counted(self.tokens as usize, "token");
        let (shortest, longest) = (count(self.shortest_bytes), count(self.longest_bytes));
        let cuts = "it cuts prompts and answers the rest of them";
        if self.tokens == 0 {
            write!(
                f,
                "the server counts 0 tokens in prompts of up to {longest} bytes, so that cut prompts would not be noticed"
            )
        } else if self.shortest_bytes == self.longest_bytes {
            write!(
                f,
                "the server counts {tokens} in a prompt of {longest} bytes: it cuts prompts, or counts a part of them"
            )
        } else {
            write!(
                f,
                "the server counts {tokens} in prompts of {shortest} bytes and of {longest} bytes: {cuts}"
            )
        }
    }
}

/// What a mean probability of the option letters below [`LOW_MASS`] means; where answers in words are
/// `drawn`, what it means that so few of them choose an option.
pub fn improbable(mean_mass: f64, drawn: bool) -> String {
    if drawn {
        return format!(
            "only {} of the answers choose an option: the figures are about what the model rarely says",
            percentage(mean_mass)
        );
    }
    format!(
        "the option letters have {} of the probability on average: the figures are about the tail of \
         what the model would say",
        percentage(mean_mass)
    )
}

impl GroupResult {
    /// Whether the model would mostly say something else than an option.
    fn has_improbable_letters(&self) -> bool {
        self.mean_mass.is_some_and(|mass| mass < LOW_MASS)
    }

    /// Whether answers were read as text.
    fn is_read(&self) -> bool {
        self.drawn.is_some_and(|drawn| drawn.thoughts == 0)
    }

    /// What a mean mass as low as this means.
    fn improbable(&self, mass: f64) -> String {
        improbable(mass, self.is_read())
    }

    /// What speaks against the figures, in sentences without a full stop.
    pub fn doubts(&self) -> Vec<String> {
        let mass = self.mean_mass.filter(|_| self.has_improbable_letters());
        let cut = self.cut_prompts.map(|cut| cut.to_string());
        let mass = mass.map(|mass| self.improbable(mass));
        mass.into_iter().chain(cut).collect()
    }

    /// The same in a word or two each.
    pub fn marks(&self) -> Vec<&'static str> {
        let improbable = self.has_improbable_letters().then_some(if self.is_read() {
            "few answers readable"
        } else {
            "letters improbable"
        });
        let cut = self.cut_prompts.map(|cut| match cut.tokens {
            0 => "tokens not counted",
            _ => "prompts cut",
        });
        improbable.into_iter().chain(cut).collect()
    }
}

/// The marks of these groups in brackets, after a blank; empty without any.
fn marks<'a>(groups: impl Iterator<Item = &'a GroupResult>) -> String {
    let mut all: Vec<&str> = groups.flat_map(GroupResult::marks).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return String::new();
    }
    format!(" [{}]", all.join(", "))
}

impl ModelResult {
    /// The model's name with what speaks against its figures.
    pub(super) fn marked_name(&self) -> String {
        self.name.clone() + &marks(self.groups.iter())
    }

    /// A task's title with what speaks against its figures.
    pub(super) fn marked_title(&self, task: &TaskResult) -> String {
        let of_task = |group: &&GroupResult| group.task == task.task;
        task.title.clone() + &marks(self.groups.iter().filter(of_task))
    }
}

impl Results {
    /// What speaks against the figures, one sentence per model and reason, for the first lines of
    /// any output.
    pub fn warnings(&self) -> Vec<String> {
        let early = self.settings.until.as_ref().map(early);
        let of_models = self.models.iter().flat_map(warnings);
        early.into_iter().chain(of_models).collect()
    }
}

/// What figures of a run that stops early rest on. In the present tense: the live page shows it before.
fn early(until: &Until) -> String {
    let (when, what) = match until.goal {
        UntilGoal::Settled => ("a comparison is settled", "the verdicts do"),
        UntilGoal::Gate => ("the gate is decided", "the verdicts do"),
        UntilGoal::Width => (
            "intervals are narrow enough",
            "those about all questions do",
        ),
    };
    format!(
        "the run stops as soon as {when} (--until): figures and intervals by model are those of the \
         questions asked till then and do not allow for the stop; {what}"
    )
}

fn warnings(model: &ModelResult) -> Vec<String> {
    let mut warnings = Vec::new();
    let low: Vec<&GroupResult> = model
        .groups
        .iter()
        .filter(|group| group.has_improbable_letters())
        .collect();
    let masses = low
        .iter()
        .filter_map(|group| Some((group, group.mean_mass?)));
    if let Some((worst, least)) = masses.min_by(|a, b| a.1.total_cmp(&b.1)) {
        let places = low
            .iter()
            .map(|group| format!("{}/{}", group.task, group.strategy));
        let places: Vec<String> = places.collect();
        let improbable = worst.improbable(least);
        warnings.push(format!(
            "{}: {}: {improbable}",
            model.name,
            places.join(", ")
        ));
    }
    let cut = model.groups.iter().find_map(|group| group.cut_prompts);
    warnings.extend(cut.map(|cut| format!("{}: {cut}", model.name)));
    warnings
}
