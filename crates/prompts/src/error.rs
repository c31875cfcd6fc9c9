//! Errors in wording, few-shot examples and chat templates, with hints.

use std::path::PathBuf;

/// Why a prompt cannot be made. The message says what is wrong and where, [`Self::hint`] what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// A wording file that cannot be read.
    #[error("cannot read the prompts file {}: {source}", path.display())]
    WordingUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A wording file that is not TOML.
    #[error("{file}, line {line}: not valid TOML: {message}")]
    WordingSyntax {
        /// The file.
        file: String,
        /// Line of the mistake, from 1.
        line: usize,
        /// The parser's message.
        message: String,
    },
    /// A key of a wording file that is unknown or has a wrong value.
    #[error("{file}, line {line}: `{key}`: {message}")]
    WordingKey {
        /// The file.
        file: String,
        /// Line of the key, from 1.
        line: usize,
        /// Full path of the key, such as `qa.task_specific.zero_shot`.
        key: String,
        /// What is wrong with it.
        message: String,
        /// What to write instead.
        hint: String,
    },
    /// Too few few-shot examples for a few-shot prompt.
    #[error("task {task} has {found} few-shot examples, but {wanted} are needed")]
    TooFewExamples {
        /// Id of the task.
        task: String,
        /// Examples asked for.
        wanted: usize,
        /// Examples at hand.
        found: usize,
    },
    /// A few-shot example that cannot be shown.
    #[error("task {task}, few-shot example {id}: {message}")]
    BadExample {
        /// Id of the task.
        task: String,
        /// Id of the example.
        id: String,
        /// What is wrong with it.
        message: String,
    },
    /// A chat template that does not parse.
    #[error("the chat template does not parse, line {line}: {message}")]
    TemplateSyntax {
        /// Line of the mistake, from 1.
        line: usize,
        /// The template engine's message.
        message: String,
    },
    /// A chat template that parses but refuses or fails to render.
    #[error("the chat template failed at line {line}: {message}")]
    TemplateFailed {
        /// Line of the failure, from 1.
        line: usize,
        /// The message of the template or its engine.
        message: String,
    },
}

impl PromptError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::WordingUnreadable { .. } => {
                "check the path given to --prompts and that the file is readable UTF-8 text".into()
            }
            Self::WordingSyntax { .. } => {
                "put texts in double quotes, or in \"\"\" when they have several lines, and open each table once; see docs/prompts.md".into()
            }
            Self::WordingKey { hint, .. } => hint.clone(),
            Self::TooFewExamples { found: 0, .. } => {
                "supply few-shot examples with the data set, or ask zero-shot with --shots 0".into()
            }
            Self::TooFewExamples { found, .. } => {
                format!("supply more few-shot examples, or show fewer with --shots {found}")
            }
            Self::BadExample { .. } => {
                "correct the example in the data set, or remove it from the few-shot examples".into()
            }
            Self::TemplateSyntax { .. } => {
                "correct the template, or ask without --chat to use the plain prompt".into()
            }
            Self::TemplateFailed { .. } => {
                "supply a template that accepts a single user message, or ask without --chat".into()
            }
        }
    }
}
