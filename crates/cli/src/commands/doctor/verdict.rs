//! What follows from the findings.

use std::fmt::Write as _;

use serde::Serialize;
use sureness_bench::ways::Ways;
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
    /// The verdict; `None` where the server cannot be asked in any way.
    pub(super) fn of(d: &Diagnosis, ways: Option<&Ways>, args: &DoctorArgs) -> Option<Self> {
        let way = Chosen::of(d, ways)?;
        let doubts = doubts(d, way.name);
        let exact = d.scoring.as_ref().is_some_and(|scoring| scoring.exact);
        let words = match (doubts.as_slice(), way.name, exact) {
            ([], "sampled", _) => {
                let reason = d.obstacle.as_ref().map_or("", |obstacle| &obstacle.message);
                format!("ready for answers in words (--answers sampled): {reason}")
            }
            ([], "reasoned", _) => {
                "ready, with letters scored after a thought (--answers reasoned)".to_owned()
            }
            ([], _, true) => "ready, with exact scores".to_owned(),
            ([], _, false) => {
                "ready; options outside the top tokens are bounded, and marked so".to_owned()
            }
            (doubts, ..) => {
                let reasons: Vec<&str> = doubts.iter().map(|(reason, _)| *reason).collect();
                format!("NOT READY: {}", reasons.join("; "))
            }
        };
        Some(Self {
            ready: doubts.is_empty(),
            words,
            hints: doubts.into_iter().map(|(_, hint)| hint).collect(),
            run: command(d, &way, args),
        })
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

/// The way of asking that the verdict is about.
struct Chosen<'a> {
    /// Its name.
    name: &'a str,
    /// The protocol of its trial; `None` without one.
    api: Option<&'a str>,
}

impl<'a> Chosen<'a> {
    /// The way that `--answers auto` would take; letters where the ways were not tried.
    fn of(d: &Diagnosis, ways: Option<&'a Ways>) -> Option<Self> {
        match ways {
            Some(ways) => {
                let (name, _) = ways.auto.as_ref()?;
                let way = ways.way(name)?;
                Some(Self {
                    name,
                    api: way.api.as_deref(),
                })
            }
            None => d.obstacle.is_none().then_some(Self {
                name: "letters",
                api: None,
            }),
        }
    }

    /// The flags of a run that ask so.
    fn flags(&self, chat: bool) -> String {
        let is_chat = chat || (self.name != "sampled" && self.api == Some("chat"));
        let mut flags = if is_chat { " --chat" } else { "" }.to_owned();
        if self.name != "letters" {
            let _ = write!(flags, " --answers {}", self.name);
        }
        let usual = if chat { "chat" } else { "completions" };
        if let ("sampled", Some(api)) = (self.name, self.api.filter(|api| *api != usual)) {
            let _ = write!(flags, " --api {api}");
        }
        flags
    }
}

/// What makes figures of this way wrong, with what to do.
fn doubts(d: &Diagnosis, way: &str) -> Vec<(&'static str, String)> {
    let mut doubts = Vec::new();
    let letters = d.trial.as_ref().filter(|_| way == "letters");
    if let Some(trial) = letters.filter(|trial| trial.are_improbable()) {
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
fn command(d: &Diagnosis, way: &Chosen<'_>, args: &DoctorArgs) -> String {
    let mut command = format!("sureness run --api-base {}", quoted(&d.api_base));
    if let Some(model) = d
        .model
        .as_ref()
        .filter(|_| args.model.is_some() || d.models.len() != 1)
    {
        let _ = write!(command, " --model {}", quoted(model));
    }
    command.push_str(&way.flags(args.chat));
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
