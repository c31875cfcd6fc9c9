//! A run by its flags, for programs that watch it themselves.

use std::ffi::OsString;

use sureness_bench::{Failure, Model, Settings};

use crate::args::{Command, line_of, try_parse};
use crate::settings;

/// What the flags of `sureness run` ask for.
#[derive(Debug)]
pub struct RunLine {
    /// The settings of the run.
    pub settings: Settings,
    /// The models to measure.
    pub models: Vec<Model>,
    /// Largest share of failed questions in a successful run.
    pub allowed_failures: f64,
}

impl RunLine {
    /// Reads the flags that follow `sureness run`.
    ///
    /// # Errors
    ///
    /// What `sureness run` refuses, with its hint; also a dry run, which asks nothing.
    pub fn read(flags: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let line = ["sureness", "run"].map(OsString::from);
        let line: Vec<OsString> = line.into_iter().chain(flags).collect();
        let command = try_parse(line.clone()).map_err(|error| refused(&error))?;
        let Command::Run(args) = command else {
            return Err(Failure::new("this is another command than `sureness run`"));
        };
        if let Some(stray) = &args.settings {
            return Err(Failure::new(format!(
                "{stray:?} belongs to no flag: the one before it takes one value"
            ))
            .hint("give one value; a name of sureness.toml is for the command line"));
        }
        if args.dry_run {
            return Err(Failure::new("a dry run asks nothing")
                .hint("run `sureness run --dry-run` for what a run would cost"));
        }
        let args = settings::with_setup(&args);
        Ok(Self {
            models: settings::models(&args)?,
            settings: Settings {
                command: line_of(&line),
                ..settings::run(&args)?
            },
            allowed_failures: args.allowed_failures,
        })
    }
}

/// The first paragraph of clap's message is the sentence, the rest what to do.
fn refused(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let text = text.trim().trim_start_matches("error: ");
    let sentence = text.split("\n\n").next().unwrap_or(text);
    Failure::new(sentence).hint("see `sureness run --help` for the flags and their values")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str]) -> Result<RunLine, Failure> {
        RunLine::read(flags.iter().map(OsString::from))
    }

    #[test]
    fn flags_become_the_settings_of_a_run() {
        let line = read(&["--gguf", "model.gguf", "--sample-size", "7", "--no-cache"]).unwrap();
        assert_eq!(line.models.len(), 1);
        assert_eq!(line.settings.questions.sample_size, Some(7));
        assert!(line.settings.cache.ignore);
    }

    #[test]
    fn unknown_flags_and_dry_runs_are_refused_without_leaving_the_process() {
        let refused = read(&["--gguf", "model.gguf", "--no-such-flag"]).unwrap_err();
        assert!(refused.to_string().contains("--no-such-flag"), "{refused}");
        assert!(read(&["--help"]).is_err());
        let stray = read(&["--gguf", "model.gguf", "--shots", "0", "2"]).unwrap_err();
        assert!(
            stray.to_string().contains("\"2\" belongs to no flag"),
            "{stray}"
        );
        let dry = read(&["--gguf", "model.gguf", "--dry-run"]).unwrap_err();
        assert_eq!(dry.to_string(), "a dry run asks nothing");
    }
}
