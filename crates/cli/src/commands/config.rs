//! `sureness config`: the settings in force, and where each comes from.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory};
use sureness_bench::Failure;

use crate::args::config::ConfigArgs;
use crate::args::{Cli, arranged, is_secret_flag};
use crate::config::{self, Applied};
use crate::show::terminal::print;

/// Runs the command.
pub(super) fn run(args: &ConfigArgs) -> Result<ExitCode, Failure> {
    let file = args.file.as_deref();
    let text = if args.schema {
        let mut schema = serde_json::to_string_pretty(&config::schema())
            .map_err(|error| Failure::new(error.to_string()))?;
        schema.push('\n');
        schema
    } else if args.line.is_empty() {
        contents(file)?
    } else {
        in_force(args, file)?
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn contents(file: Option<&std::path::Path>) -> Result<String, Failure> {
    let file = config::read(file)?;
    let file = file.ok_or_else(|| {
        Failure::new("this folder has no sureness.toml")
            .hint("docs/settings.md has one to start from; --config FILE names another")
    })?;
    Ok(file.contents())
}

fn in_force(args: &ConfigArgs, file: Option<&std::path::Path>) -> Result<String, Failure> {
    let mut line = vec![OsString::from("sureness")];
    line.extend(args.line.iter().cloned());
    if let Some(file) = file {
        line.extend(["--config".into(), file.into()]);
    }
    let root = Cli::command();
    let applied = config::applied(arranged(line))?;
    let matches = root.clone().try_get_matches_from(&applied.args);
    let matches = matches.unwrap_or_else(|error| error.exit());
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Failure::new("name a command").hint("such as `sureness config run nightly`"));
    };
    let Some(command) = root.find_subcommand(name) else {
        return Err(Failure::new(format!("{name} has no settings")));
    };
    Ok(table(&rows(&root, command, matches, &applied, args.all)))
}

/// Setting, value and source of each argument.
fn rows(
    root: &Command,
    command: &Command,
    matches: &ArgMatches,
    applied: &Applied,
    all: bool,
) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let key = arg.get_long().unwrap_or(id);
        let Some(source) = matches.value_source(id) else {
            continue;
        };
        if source == ValueSource::DefaultValue && !all {
            continue;
        }
        let values = matches.get_raw(id).into_iter().flatten();
        let values: Vec<String> = values.map(|it| it.to_string_lossy().into_owned()).collect();
        let value = if is_secret_flag(root, key) {
            "***".to_owned()
        } else {
            values.join(", ")
        };
        let source = match (applied.origin(key), source) {
            (Some(origin), _) => origin.to_owned(),
            (None, ValueSource::EnvVariable) => {
                let name = arg.get_env().unwrap_or_default().to_string_lossy();
                format!("environment, {name}")
            }
            (None, ValueSource::DefaultValue) => "default".to_owned(),
            (None, _) => "command line".to_owned(),
        };
        rows.push([key.to_owned(), value, source]);
    }
    rows
}

fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).min(48)
    };
    let [first, second] = [width(0), width(1)];
    let lines = rows
        .iter()
        .map(|[key, value, source]| format!("{key:first$}  {value:second$}  {source}\n"));
    lines.collect()
}
