//! The command line as results record it: quoted for a shell, without secrets.

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::CommandFactory;

/// Stands in place of a secret.
const HIDDEN: &str = "***";

/// A flag with a secret value that no variable of the environment can hold.
const HEADER: &str = "header";

/// Shorter keys are not looked for in other words: too much would be hidden.
const SHORTEST: usize = 6;

/// The arguments of the command, with those of a settings file. The process's own would not do: within
/// Python they begin with the interpreter and a script.
static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Keeps the arguments for the record; later calls change nothing.
pub(super) fn keep(arguments: Vec<OsString>) {
    ARGUMENTS.get_or_init(|| arguments);
}

/// The command line of this process, with what a settings file adds to it.
pub(crate) fn command_line() -> Option<String> {
    line_of(ARGUMENTS.get()?)
}

/// These arguments as a command line.
pub(crate) fn line_of(args: &[OsString]) -> Option<String> {
    quoted(args.iter().cloned(), |name| std::env::var(name).ok())
}

/// The arguments in a line, keys, headers and the credentials in addresses hidden, wherever they
/// stand.
fn quoted(
    args: impl Iterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut words = Vec::new();
    let mut hide_next = false;
    for (place, arg) in args.iter().enumerate() {
        words.push(if place == 0 {
            // Where the program lies is nobody's business but this machine's.
            "sureness".to_owned()
        } else if std::mem::take(&mut hide_next) {
            HIDDEN.to_owned()
        } else if let Some((flag, _)) = arg.split_once('=').filter(|(flag, _)| is_secret(flag)) {
            format!("{flag}={HIDDEN}")
        } else {
            hide_next = is_secret(arg);
            without_credentials(arg)
        });
    }
    for secret in secrets(&args, variable) {
        for word in &mut words {
            *word = word.replace(&secret, HIDDEN);
        }
    }
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// The keys of this process: those on the command line, and those in variables, the longest first.
fn secrets(args: &[String], variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let value_of = |flag: &str, place: usize| {
        let next = || args.get(place + 1).cloned();
        match args[place].strip_prefix(flag)?.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None => next().filter(|_| args[place] == flag),
        }
    };
    let places = || 0..args.len();
    let chosen = places().filter_map(|place| value_of("--api-key-env", place));
    let of_judge = places().filter_map(|place| value_of("--judge-key-env", place));
    let chosen = chosen.chain(of_judge);
    let names = [
        "SURENESS_API_KEY",
        "OPENAI_API_KEY",
        "SURENESS_JUDGE_API_KEY",
    ];
    let names = names.map(str::to_owned);
    let held = names
        .into_iter()
        .chain(chosen)
        .filter_map(|name| variable(&name));
    let given = places().filter_map(|place| value_of("--api-key", place));
    let headers = places().filter_map(|place| value_of("--header", place));
    // What follows the header's name and a scheme.
    let values = headers.filter_map(|header| {
        let value = header.split_once(':')?.1.trim();
        Some(value.rsplit(' ').next().unwrap_or(value).to_owned())
    });
    let mut secrets: Vec<String> = held.chain(given).chain(values).collect();
    for secret in &mut secrets {
        *secret = secret.trim().to_owned();
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// Whether this is a flag with a secret value.
fn is_secret(arg: &str) -> bool {
    let Some(name) = arg.strip_prefix("--") else {
        return false;
    };
    is_secret_flag(&super::Cli::command(), name)
}

/// Whether the flag of this long name takes a secret: headers, and flags whose value in the environment help
/// hides.
pub(crate) fn is_secret_flag(root: &clap::Command, name: &str) -> bool {
    // An address is no secret but for its credentials, which go anyway.
    let hidden = |flag: &clap::Arg| {
        flag.get_long() == Some(name)
            && flag.is_hide_env_values_set()
            && flag.get_value_names().is_none_or(|names| names != ["URL"])
    };
    name == HEADER
        || root
            .get_subcommands()
            .any(|command| command.get_arguments().any(hidden))
}

/// The text with `***` for user names, passwords and queries of the addresses in it.
fn without_credentials(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("://");
        // A password may contain anything, so that the last `@` counts.
        let place = match part.rsplit_once('@') {
            Some((_, place)) => {
                out.push_str(&format!("{HIDDEN}@"));
                place
            }
            None => part,
        };
        let (address, query) = place.split_once('?').unwrap_or((place, ""));
        out.push_str(address);
        if address.len() < place.len() {
            out.push_str(&format!("?{HIDDEN}"));
            // Another address may follow behind a comma.
            out.push_str(query.rfind(',').map_or("", |comma| &query[comma..]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &[&str]) -> String {
        let variable = |name: &str| (name == "MY_KEY").then(|| "sk-held".to_owned());
        quoted(line.iter().map(OsString::from), variable).unwrap()
    }

    #[test]
    fn secrets_are_hidden_and_nothing_else_is() {
        for (line, expected) in [
            (
                &[
                    "/home/me/sureness",
                    "run",
                    "--api-key",
                    "sk-1",
                    "--model",
                    "m",
                ][..],
                "sureness run --api-key '***' --model m",
            ),
            (
                &["sureness", "--api-key=sk-1", "run"],
                "sureness '--api-key=***' run",
            ),
            (
                &[
                    "sureness",
                    "run",
                    "--header",
                    "Authorization: Bearer t",
                    "--header=X: y",
                ],
                "sureness run --header '***' '--header=***'",
            ),
            (
                &[
                    "sureness",
                    "run",
                    "--api-base",
                    "http://u:p@h/v1,https://k@i:1/v1?key=s",
                ],
                "sureness run --api-base 'http://***@h/v1,https://***@i:1/v1?***'",
            ),
            (
                &[
                    "sureness",
                    "run",
                    "--nats=nats://u:p/@s,s@h:4222",
                    "--data",
                    "qa=a b.csv",
                ],
                "sureness run '--nats=nats://***@h:4222' --data 'qa=a b.csv'",
            ),
            // A name of a variable is no secret.
            (
                &["sureness", "run", "--api-key-env", "MY_KEY"],
                "sureness run --api-key-env MY_KEY",
            ),
            // A key in the wrong place.
            (
                &[
                    "sureness",
                    "run",
                    "--api-key-env=MY_KEY",
                    "--model",
                    "m-sk-held",
                ],
                "sureness run '--api-key-env=MY_KEY' --model 'm-***'",
            ),
            (
                &[
                    "sureness",
                    "run",
                    "--api-key",
                    "sk-given",
                    "--extra-body",
                    "[\"sk-given\"]",
                ],
                "sureness run --api-key '***' --extra-body '[\"***\"]'",
            ),
            (
                &[
                    "sureness",
                    "run",
                    "--header=A: Bearer sk-head",
                    "--output-dir",
                    "sk-head",
                ],
                "sureness run '--header=***' --output-dir '***'",
            ),
        ] {
            assert_eq!(shown(line), expected);
        }
    }
}
