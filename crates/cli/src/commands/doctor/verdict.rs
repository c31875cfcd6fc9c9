//! What follows from the findings.

use std::fmt::Write as _;

use serde::Serialize;
use sureness_scorers::http::{Diagnosis, LongPromptOutcome};

use crate::args::doctor::DoctorArgs;

/// What a reader of the findings should conclude.
#[derive(Serialize)]
pub(super) struct Verdict {
    /// Whether nothing makes figures wrong.
    pub(super) ready: bool,
    /// The same in words.
    #[serde(rename = "verdict")]
    words: String,
    /// What to do about each doubt.
    hints: Vec<String>,
    /// The command that measures the model.
    run: String,
}

impl Verdict {
    pub(super) fn of(d: &Diagnosis, args: &DoctorArgs) -> Self {
        let doubts = doubts(d);
        let exact = d.scoring.as_ref().is_some_and(|scoring| scoring.exact);
        let words = match (doubts.as_slice(), exact) {
            ([], true) => "ready, with exact scores".to_owned(),
            ([], false) => {
                "ready; options outside the top tokens are bounded, and marked so".to_owned()
            }
            (doubts, _) => {
                let reasons: Vec<&str> = doubts.iter().map(|(reason, _)| *reason).collect();
                format!("NOT READY: {}", reasons.join("; "))
            }
        };
        Self {
            ready: doubts.is_empty(),
            words,
            hints: doubts.into_iter().map(|(_, hint)| hint).collect(),
            run: command(d, args),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("\nverdict: {}\n", self.words);
        for hint in &self.hints {
            let _ = writeln!(text, "hint: {hint}");
        }
        let _ = writeln!(text, "run: {}", self.run);
        text
    }
}

/// What makes figures wrong, with what to do.
fn doubts(d: &Diagnosis) -> Vec<(&'static str, String)> {
    let mut doubts = Vec::new();
    if let Some(trial) = d.trial.as_ref().filter(|trial| trial.are_improbable()) {
        doubts.push((
            "the model does not answer with a letter",
            trial.opening().hint(trial.chat).to_owned(),
        ));
    }
    if d.long_prompt
        .is_some_and(|long| matches!(long.outcome, LongPromptOutcome::Cut { .. }))
    {
        doubts.push((
            "the server cuts long prompts",
            "start the server with a longer context, and keep prompts below it (--shots)"
                .to_owned(),
        ));
    }
    doubts
}

/// The command that measures this model; without the key, which the environment holds.
fn command(d: &Diagnosis, args: &DoctorArgs) -> String {
    let mut command = format!("sureness run --api-base {}", quoted(&d.api_base));
    if let Some(model) = d
        .model
        .as_ref()
        .filter(|_| args.model.is_some() || d.models.len() != 1)
    {
        let _ = write!(command, " --model {}", quoted(model));
    }
    if args.chat {
        command.push_str(" --chat");
    }
    if let Some(extra) = &args.extra_body {
        let _ = write!(command, " --extra-body {}", quoted(extra));
    }
    command
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("http://h:1/v1"), "http://h:1/v1");
        assert_eq!(quoted("{\"a\": 1}"), "'{\"a\": 1}'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
