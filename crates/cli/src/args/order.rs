//! The order of arguments.
//!
//! The flags of a run work before and after the subcommand, as in the Python tool. clap's global
//! arguments cannot do that, since some commands give the same flag another meaning. So leading
//! flags are moved behind the subcommand before clap parses them.
//!
//! Lists take their values separated by commas or blanks, and clap would take a path behind them for
//! a value. So such paths are moved before the list.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args as _, CommandFactory};
use sureness_bench::folder::STORE;

use super::Cli;
use super::run::RunArgs;

/// The arguments as clap understands them.
pub(crate) fn arranged(args: Vec<OsString>) -> Vec<OsString> {
    paths_before_lists(flags_behind_command(args))
}

/// Moves arguments from before the subcommand to behind it.
fn flags_behind_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let flags = RunArgs::augment_args(clap::Command::new("flags"));
    let root = Cli::command();
    let is_command = |arg: &OsString| {
        arg.to_str()
            .is_some_and(|name| name == "help" || root.find_subcommand(name).is_some())
    };
    let mut i = 1;
    while i < args.len() {
        if is_command(&args[i]) {
            if args[i] != "help" {
                let command = args.remove(i);
                args.insert(1, command);
            }
            return args;
        }
        let text = args[i].to_string_lossy().into_owned();
        i += 1;
        let Some(name) = text.strip_prefix("--") else {
            continue;
        };
        let Some(flag) = flags.get_arguments().find(|a| a.get_long() == Some(name)) else {
            continue;
        };
        if !flag.get_action().takes_values() {
            continue;
        }
        let many = flag.get_num_args().is_some_and(|n| n.max_values() > 1);
        if many {
            while i < args.len()
                && !args[i].to_string_lossy().starts_with('-')
                && !is_command(&args[i])
            {
                i += 1;
            }
        } else {
            i += 1;
        }
    }
    args
}

/// Moves paths behind a list to its front: `analyze --modes basic runs/a` becomes `analyze runs/a
/// --modes basic`. The first word behind the flag is always a value.
fn paths_before_lists(args: Vec<OsString>) -> Vec<OsString> {
    let root = Cli::command();
    let name = args.get(1).and_then(|name| name.to_str());
    let command = name.and_then(|name| root.find_subcommand(name));
    // The name of settings is no path.
    let positionals = |command: &&clap::Command| {
        let mut arguments = command.get_positionals();
        arguments.any(|argument| argument.get_id() != "settings")
    };
    let Some(command) = command.filter(|command| positionals(command)) else {
        return args;
    };
    let mut arranged: Vec<OsString> = Vec::with_capacity(args.len());
    // The list that is being read, its place, and how many values it has.
    let mut list: Option<(&clap::Arg, usize, usize)> = None;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        if text == "--" {
            arranged.push(arg);
            arranged.extend(args);
            break;
        }
        if text.len() > 1 && text.starts_with('-') {
            let flag = text.strip_prefix("--");
            let flag =
                flag.and_then(|name| command.get_arguments().find(|a| a.get_long() == Some(name)));
            let many = flag.filter(|a| a.get_num_args().is_some_and(|n| n.max_values() > 1));
            list = many.map(|flag| (flag, arranged.len(), 0));
        } else if let Some((flag, place, values)) = &mut list {
            if *values > 0 && is_path(&text, flag) {
                arranged.insert(*place, arg);
                *place += 1;
                continue;
            }
            *values += 1;
        }
        arranged.push(arg);
    }
    arranged
}

/// Whether a word behind the list of this flag is a path of its own: a file, or a folder with runs.
/// A list of fixed values takes no other word.
fn is_path(word: &str, flag: &clap::Arg) -> bool {
    let path = Path::new(match word.rsplit_once('#') {
        Some((path, number)) if number.parse::<u32>().is_ok() => path,
        _ => word,
    });
    let fixed = flag.get_possible_values();
    if fixed.is_empty() {
        return path.is_file() || path.join(STORE).is_file();
    }
    let is_value = |part: &str| fixed.iter().any(|value| value.matches(part, false));
    !word.split(',').all(is_value) && (word.contains(['/', '\\', '#']) || path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn joined(args: &[OsString]) -> String {
        args.join(&OsString::from(" ")).into_string().unwrap()
    }

    fn moved(line: &str) -> String {
        joined(&flags_behind_command(words(line)))
    }

    #[test]
    fn flags_in_front_are_moved() {
        assert_eq!(
            moved("sureness --api-base http://x/v1 --use-threads single --model m"),
            "sureness single --api-base http://x/v1 --use-threads --model m"
        );
        assert_eq!(
            moved("sureness --tasks qa rc compare --models a b"),
            "sureness compare --tasks qa rc --models a b"
        );
        // A value that looks like a command is still a value.
        assert_eq!(
            moved("sureness --model run single"),
            "sureness single --model run"
        );
        assert_eq!(
            moved("sureness single --model demo"),
            "sureness single --model demo"
        );
        assert_eq!(moved("sureness --version"), "sureness --version");
        assert_eq!(moved("sureness help run"), "sureness help run");
    }

    #[test]
    fn lists_swallow_no_paths() {
        for (line, expected) in [
            (
                "sureness analyze --modes basic runs/a runs/b#3 --seed 1",
                "sureness analyze runs/a runs/b#3 --modes basic --seed 1",
            ),
            (
                "sureness analyze runs/a --formats html csv runs/b",
                "sureness analyze runs/a runs/b --formats html csv",
            ),
            // Names of models have slashes.
            (
                "sureness report --models org/a org/b --modes basic",
                "sureness report --models org/a org/b --modes basic",
            ),
            (
                "sureness analyze --modes=basic runs/a",
                "sureness analyze --modes=basic runs/a",
            ),
            (
                "sureness compare --models a b",
                "sureness compare --models a b",
            ),
            (
                "sureness analyze --modes basic -- runs/a",
                "sureness analyze --modes basic -- runs/a",
            ),
        ] {
            assert_eq!(joined(&arranged(words(line))), expected);
        }
        // A list of free words ends at a file, or at a folder with runs.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let line = format!("sureness analyze --models a b {path} --seed 1");
        assert_eq!(joined(&arranged(words(&line))), line);
        std::fs::write(folder.path().join(STORE), "").unwrap();
        assert_eq!(
            joined(&arranged(words(&line))),
            format!("sureness analyze {path} --models a b --seed 1")
        );
    }
}
