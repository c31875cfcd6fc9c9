//! What clap knows of the flags that a settings file may hold.

use clap::{Arg, ArgAction, Command};

use super::file::{DEFAULTS, GATES, RUNS};
use crate::args::is_secret_flag;

/// Commands that read the settings file.
pub(super) const COMMANDS: [&str; 8] = [
    "run", "single", "compare", "gate", "doctor", "plan", "analyze", "report",
];
/// Flags that say where settings are, not what they are.
const OUTSIDE: [&str; 5] = ["config", "no-config", "help", "version", "shard"];
/// How alike two words must be for one to be a slip of the other.
const ALIKE: f64 = 0.75;

/// A key that cannot stand where it stands.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) to_do: String,
}

/// Commands whose flags a section may hold.
fn commands_of(section: &str) -> &'static [&'static str] {
    match section {
        DEFAULTS => &COMMANDS,
        GATES => &["gate"],
        RUNS => &["run", "single", "compare"],
        _ => &["run", "single", "compare", "gate"],
    }
}

/// The flags that a section may hold, with positional arguments of gates, each once.
pub(super) fn of_section(root: &Command, section: &str) -> Vec<Arg> {
    let mut flags: Vec<Arg> = Vec::new();
    for name in commands_of(section) {
        let command = root.find_subcommand(name);
        let arguments = command.into_iter().flat_map(Command::get_arguments);
        let positional = section == GATES;
        let arguments = arguments.filter(|arg| arg.get_long().is_some() || positional);
        for arg in arguments.filter(|arg| !is_outside(root, key_of(arg))) {
            if !flags.iter().any(|known| key_of(known) == key_of(arg)) {
                flags.push(arg.clone());
            }
        }
    }
    flags
}

fn is_outside(root: &Command, key: &str) -> bool {
    OUTSIDE.contains(&key) || is_secret_flag(root, key)
}

/// The key of an argument in the file.
pub(super) fn key_of(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_else(|| arg.get_id().as_str())
}

/// Whether the argument takes no value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Refuses a key that the section cannot hold.
pub(super) fn check_key(root: &Command, section: &str, key: &str) -> Result<(), Wrong> {
    if is_secret_flag(root, key) {
        return Err(Wrong {
            what: format!("`{key}` is a secret, which a settings file never holds"),
            to_do: "put it into an environment variable, and name that: api-key-env = \"NAME\""
                .into(),
        });
    }
    let flags = of_section(root, section);
    let mut keys = flags.iter().map(key_of);
    if keys.clone().any(|known| known == key) {
        return Ok(());
    }
    let to_do = match nearest(key, &mut keys) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!(
            "keys are flags without their hyphens; `sureness {} --help` lists them",
            commands_of(section)[0]
        ),
    };
    Err(Wrong {
        what: format!("`{key}` is unknown"),
        to_do,
    })
}

/// The known word that is most like this one, if one is alike.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|known| (strsim::jaro_winkler(word, known), known));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// Whether a text holds an address with a user name or a password.
pub(super) fn holds_credentials(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let place = rest.split(['/', '?', '#', ',']).next().unwrap_or(rest);
        place.contains('@')
    })
}
