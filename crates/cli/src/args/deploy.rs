//! Checks that every command line in `deploy/` and its guide parses.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::*;

/// Values for variables that a scheduler sets.
fn value_of(name: &str) -> &'static str {
    match name {
        "SLURM_ARRAY_TASK_ID" | "i" => "3",
        "JOB_COMPLETION_INDEX" => "2",
        "SHARDS" | "shards" => "16",
        "shard" => "3/16",
        _ => "value",
    }
}

/// Substitutes `$NAME`, `${NAME:-default}` and `$(NAME)`.
fn filled_in(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        filled.push_str(before);
        let closing = match behind.chars().next() {
            Some('{') => Some('}'),
            Some('(') => Some(')'),
            _ => None,
        };
        if let Some(closing) = closing {
            let (inner, after) = behind[1..].split_once(closing).expect(text);
            match inner.split_once(":-") {
                Some((_, default)) => filled.push_str(default),
                None => filled.push_str(value_of(inner.split(':').next().unwrap())),
            }
            rest = after;
        } else {
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, after) = behind.split_at(end.unwrap_or(behind.len()));
            filled.push_str(value_of(name));
            rest = after;
        }
    }
    filled + rest
}

/// The words of `sureness …` in the lines of a shell script.
fn in_shell(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    let commands = lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| {
            // One line may hold several commands, some in the background.
            line.split([';', '&', '|']).filter_map(|command| {
                let command = command.split(" #").next()?.split(" > ").next()?.trim();
                let begin = ["exec ", "do ", ""].iter().find_map(|lead| {
                    let command = command.strip_prefix(lead)?;
                    command.starts_with("sureness ").then_some(command)
                })?;
                let words = begin.split_whitespace();
                Some(
                    words
                        .map(|word| filled_in(&word.replace(['"', '\''], "")))
                        .collect(),
                )
            })
        });
    commands.collect()
}

/// The command lines in a manifest's lists of arguments.
fn in_manifest(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !matches!(line.trim(), "args:" | "command:") {
            continue;
        }
        let mut words = vec!["sureness".to_owned()];
        while let Some(word) = lines.peek().and_then(|line| line.trim().strip_prefix("- ")) {
            words.push(filled_in(word.trim_matches('"')));
            lines.next();
        }
        // NATS has arguments, too, but no subcommand.
        if words.get(1).is_some_and(|word| !word.starts_with('-')) {
            found.push(words);
        }
    }
    found
}

/// The command lines in the code blocks of a page.
fn in_page(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("```").skip(1).step_by(2);
    let shell = blocks.filter_map(|block| {
        let (language, text) = block.split_once('\n')?;
        matches!(language, "sh" | "bash").then_some(text)
    });
    shell.flat_map(in_shell).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    paths.into_iter().flat_map(below).collect()
}

/// Whether this build has the command and its flags: workers need the feature `nats`.
fn is_known(words: &[String]) -> bool {
    let root = Cli::command();
    let Some(command) = words.get(1).and_then(|name| root.find_subcommand(name)) else {
        return !matches!(words[1].as_str(), "worker" | "status");
    };
    let knows_nats = command
        .get_arguments()
        .any(|arg| arg.get_long() == Some("nats"));
    knows_nats || !words.iter().any(|word| word.starts_with("--nats"))
}

#[test]
fn the_command_lines_of_ready_files_and_their_guide_parse() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut lines = Vec::new();
    for path in files(&root.join("deploy")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => in_manifest(&text),
            Some("sbatch" | "sh") => in_shell(&text),
            _ => Vec::new(),
        };
        lines.extend(found);
    }
    let in_files = lines.len();
    let guide = std::fs::read_to_string(root.join("docs/scale-out.md")).unwrap();
    lines.extend(in_page(&guide));
    // Two for Slurm, four for Kubernetes, two for Compose.
    assert_eq!(in_files, 8, "{lines:#?}");
    assert!(lines.len() >= in_files + 5, "{lines:#?}");
    let mut parsed = 0;
    for words in &lines {
        if !is_known(words) {
            continue;
        }
        let args = super::order::arranged(words.iter().map(OsString::from).collect());
        if let Err(error) = Cli::try_parse_from(args) {
            panic!("{}: {error}", words.join(" "));
        }
        parsed += 1;
    }
    assert!(parsed >= 9, "{parsed}");
}
