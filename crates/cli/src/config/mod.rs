//! The settings file: flags of runs and gates under names, in `sureness.toml`.
//!
//! Its settings become arguments behind the command, before clap parses them. So a setting means exactly
//! what its flag means, and every check of a flag holds for it. Flags on the command line, and those in
//! the environment, win.

mod file;
mod flags;
mod schema;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory};
use sureness_bench::Failure;
use sureness_bench::questions::today;

use crate::args::Cli;
use file::{DEFAULTS, Entry, GATES, GROUPS, RUNS, SettingsFile, Table, Value};
pub(crate) use schema::schema;

/// The settings file of a folder.
const FILE: &str = "sureness.toml";

/// The arguments with those of the settings file.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) args: Vec<OsString>,
    /// Where each setting of the file stands, by the key of its flag.
    origins: BTreeMap<String, String>,
}

impl Applied {
    /// Where the value of this flag stands in the settings file, if it comes from there.
    pub(crate) fn origin(&self, key: &str) -> Option<&str> {
        self.origins.get(key).map(String::as_str)
    }

    /// The same for the flag that a usage error is about.
    pub(crate) fn origin_of(&self, error: &clap::Error) -> Option<&str> {
        let ContextValue::String(argument) = error.get(ContextKind::InvalidArg)? else {
            return None;
        };
        let key = argument.trim_start_matches('-').split([' ', '=']).next()?;
        self.origin(key)
    }
}

/// Adds the settings of the file to arguments in clap's order.
///
/// # Errors
///
/// If the settings file cannot be read or has a fault, or if a name is not in it.
pub(crate) fn applied(args: Vec<OsString>) -> Result<Applied, Failure> {
    let root = Cli::command();
    let name = args.get(1).and_then(|name| name.to_str());
    let command = name.filter(|name| flags::COMMANDS.contains(name));
    let Some(command) = command.and_then(|name| root.find_subcommand(name)).cloned() else {
        return Ok(Applied::unchanged(args));
    };
    // What is missing may be in the file.
    let given = root.clone().ignore_errors(true).try_get_matches_from(&args);
    let Some((_, given)) = given.ok().and_then(|mut given| given.remove_subcommand()) else {
        return Ok(Applied::unchanged(args));
    };
    if given.get_flag("no_config") || asks_for_help(&args) {
        return Ok(Applied::unchanged(args));
    }
    let path = given.get_one::<PathBuf>("config");
    let file = match path {
        Some(path) => Some(file::read(&root, path, &today())?),
        None if Path::new(FILE).exists() => Some(file::read(&root, Path::new(FILE), &today())?),
        None => None,
    };
    let wanted = wanted(&command, &given);
    let Some(file) = file else {
        return match wanted.filter(|_| command.get_name() != "gate") {
            Some(name) => Err(no_file(&name)),
            None => Ok(Applied::unchanged(args)),
        };
    };
    Settings {
        command: &command,
        given: &given,
        file: &file,
    }
    .applied(args, wanted.as_deref())
}

/// The settings file of this folder, if there is one.
pub(crate) fn read(path: Option<&Path>) -> Result<Option<SettingsFile>, Failure> {
    let path = path.unwrap_or(Path::new(FILE));
    if path == Path::new(FILE) && !path.exists() {
        return Ok(None);
    }
    file::read(&Cli::command(), path, &today()).map(Some)
}

impl SettingsFile {
    /// Its path and its tables with their lines, for people.
    pub(crate) fn contents(&self) -> String {
        let tables = self.tables.iter().map(|table| {
            let keys: Vec<&str> = table.entries.iter().map(|entry| &*entry.key).collect();
            format!(
                "  line {:<5} [{}]  {}\n",
                table.line,
                table.title(),
                keys.join(", ")
            )
        });
        format!("{}\n{}", self.name, tables.collect::<String>())
    }
}

fn asks_for_help(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--help" || arg == "-h")
}

/// The name whose settings the command line asks for: that of a run, or the only argument of a gate.
fn wanted(command: &Command, given: &ArgMatches) -> Option<String> {
    let text = |id: &str| given.try_get_one::<String>(id).ok().flatten().cloned();
    match command.get_name() {
        "gate" => text("base").filter(|_| text("candidate").is_none()),
        _ => text("settings"),
    }
}

fn no_file(name: &str) -> Failure {
    Failure::new(format!(
        "{name:?} names settings, and this folder has no {FILE}"
    ))
    .hint(
        "go to the folder of the file or give --config FILE; without settings, flags begin with --",
    )
}

impl Applied {
    fn unchanged(args: Vec<OsString>) -> Self {
        Self {
            args,
            origins: BTreeMap::new(),
        }
    }
}

/// What meets: a command, what was given to it, and the file.
struct Settings<'a> {
    command: &'a Command,
    given: &'a ArgMatches,
    file: &'a SettingsFile,
}

impl Settings<'_> {
    fn applied(&self, mut args: Vec<OsString>, wanted: Option<&str>) -> Result<Applied, Failure> {
        let own = wanted.map(|name| self.named(name)).transpose()?;
        let mut entries = BTreeMap::new();
        for table in self.layers(own)? {
            for entry in &table.entries {
                entries.insert(&*entry.key, (entry, table));
            }
        }
        let mut origins = BTreeMap::new();
        let mut words = Vec::new();
        for (key, (entry, table)) in entries {
            let arg = self
                .command
                .get_arguments()
                .find(|arg| flags::key_of(arg) == key);
            let Some(arg) = arg.filter(|arg| self.is_open(arg)) else {
                continue;
            };
            let title = table.title();
            let place = format!("{}, line {} ([{title}])", self.file.name, entry.line);
            if arg.is_positional() {
                origins.insert(key.to_owned(), place);
                continue;
            }
            let values = words_of(arg, entry, &place)?;
            words.extend(
                values
                    .into_iter()
                    .filter(|word| self.concerns_a_task(arg, word)),
            );
            origins.insert(key.to_owned(), place);
        }
        if let Some(own) = own {
            self.replace_name(&mut args, own)?;
        }
        args.splice(2..2, words);
        Ok(Applied { args, origins })
    }

    /// The tables that count, the strongest last.
    fn layers<'a>(&'a self, own: Option<&'a Table>) -> Result<Vec<&'a Table>, Failure> {
        let defaults = self.file.tables.iter().filter(|it| it.section == DEFAULTS);
        let mut layers: Vec<&Table> = defaults.collect();
        let Some(own) = own else { return Ok(layers) };
        for (group, line) in &own.uses {
            layers.push(self.group(group, *line)?);
        }
        layers.push(own);
        Ok(layers)
    }

    fn group(&self, title: &str, line: usize) -> Result<&Table, Failure> {
        let groups = || {
            let is_group = |table: &&Table| GROUPS.contains(&&*table.section);
            self.file.tables.iter().filter(is_group)
        };
        let found = groups().find(|table| table.title() == title);
        found.ok_or_else(|| {
            let titles: Vec<String> = groups().map(Table::title).collect();
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let what = format!("`use` names {title:?}, which the file does not have");
            self.missing(line, &what, title, &titles)
        })
    }

    /// The table of a named run or gate.
    fn named(&self, name: &str) -> Result<&Table, Failure> {
        let section = match self.command.get_name() {
            "gate" => GATES,
            _ => RUNS,
        };
        let tables = || self.file.tables.iter().filter(|it| it.section == section);
        let found = tables().find(|table| table.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = tables().map(|table| &*table.name).collect();
            let what = format!("there is no [{section}.{name}]");
            self.missing(1, &what, name, &names)
        })
    }

    fn missing(&self, line: usize, what: &str, name: &str, known: &[&str]) -> Failure {
        let hint = match flags::nearest(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None if known.is_empty() => "docs/settings.md has an example".to_owned(),
            None => format!("the file has {}", known.join(", ")),
        };
        let place = match line {
            1 => self.file.name.clone(),
            _ => format!("{}, line {line}", self.file.name),
        };
        Failure::new(format!("{place}: {what}")).hint(hint)
    }

    /// Whether the value of a flag such as `--data TASK=PATH` is about a task that is asked: `--tasks` on the
    /// command line may leave out some of those in the file.
    fn concerns_a_task(&self, arg: &clap::Arg, word: &OsString) -> bool {
        let names = arg.get_value_names().unwrap_or_default();
        let of_task = names.iter().any(|name| name.starts_with("TASK="));
        if !of_task || self.given.value_source("tasks") != Some(ValueSource::CommandLine) {
            return true;
        }
        let word = word.to_string_lossy();
        let task = word.split('=').nth(1);
        let mut tasks = self.given.get_many::<String>("tasks").into_iter().flatten();
        tasks.any(|given| Some(given.as_str()) == task)
    }

    /// Whether neither the command line nor the environment gives the flag, or one that excludes it.
    fn is_open(&self, arg: &clap::Arg) -> bool {
        let is_given = |id: &str| {
            let source = self.given.try_contains_id(id).ok().filter(|given| *given);
            let source = source.and_then(|_| self.given.value_source(id));
            source.is_some_and(|source| source != ValueSource::DefaultValue)
        };
        let excludes = |a: &clap::Arg, b: &clap::Arg| {
            let excluded = self.command.get_arg_conflicts_with(a);
            excluded.iter().any(|other| other.get_id() == b.get_id())
        };
        let mut given = self
            .command
            .get_arguments()
            .filter(|other| is_given(other.get_id().as_str()));
        arg.is_positional()
            || !given.any(|other| {
                other.get_id() == arg.get_id() || excludes(arg, other) || excludes(other, arg)
            })
    }

    /// Puts the two sides of a named gate in place of its name, and takes that of a run away: the record's
    /// command then needs no file.
    fn replace_name(&self, args: &mut Vec<OsString>, own: &Table) -> Result<(), Failure> {
        let side = |key: &str| {
            let entry = own.entries.iter().find(|entry| entry.key == key);
            match entry.map(|entry| &entry.value) {
                Some(Value::Words(words)) => Ok(OsString::from(words.join(","))),
                _ => Err(Failure::new(format!(
                    "{}, line {}: [{}] has no `{key}`",
                    self.file.name,
                    own.line,
                    own.title()
                ))
                .hint("name both runs: base = \"FOLDER\" and candidate = \"FOLDER\"")),
            }
        };
        let sides = match self.command.get_name() {
            "gate" => vec![side("base")?, side("candidate")?],
            _ => Vec::new(),
        };
        let is_name = |arg: &OsString| *arg == *own.name;
        // Right behind the command; elsewhere, the same word may be the value of a flag before it.
        let place = match args.get(2) {
            Some(first) if is_name(first) => Some(2),
            _ => args.iter().rposition(is_name),
        };
        if let Some(place) = place {
            args.splice(place..=place, sides);
        }
        Ok(())
    }
}

/// The arguments that stand for an entry.
fn words_of(arg: &clap::Arg, entry: &Entry, place: &str) -> Result<Vec<OsString>, Failure> {
    let key = flags::key_of(arg);
    let refused = |what: &str, hint: &str| {
        Err(Failure::new(format!("{place}: `{key}` {what}")).hint(hint.to_owned()))
    };
    match (&entry.value, flags::is_switch(arg)) {
        (Value::Switch(true), true) => Ok(vec![format!("--{key}").into()]),
        (Value::Switch(false), true) => Ok(Vec::new()),
        (Value::Words(_), true) => refused("is a switch", "give true or false, without quotes"),
        (Value::Switch(switch), false) => Ok(vec![format!("--{key}={switch}").into()]),
        (Value::Words(words), false) => {
            let is_list = arg.get_num_args().is_some_and(|many| many.max_values() > 1);
            let is_repeated = matches!(arg.get_action(), clap::ArgAction::Append);
            if words.len() > 1 && !is_list && !is_repeated {
                return refused("takes one value", "give one, not a list");
            }
            Ok(words
                .iter()
                .map(|word| format!("--{key}={word}").into())
                .collect())
        }
    }
}
