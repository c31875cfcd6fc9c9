//! The flags of `sureness data`.

use std::path::PathBuf;

use sureness_questions::{Columns, Format};

/// Lists, checks and imports questions.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// List the tasks and their data sets, and the known data sets with what is fetched and imported
    List,
    /// Read a data set and describe it, without storing anything
    Check {
        /// File, folder or pattern of files of questions, or hf:NAME of the hub
        path: PathBuf,
        /// Task the questions belong to [default: derived from the layout]
        #[arg(long, value_name = "NAME")]
        task: Option<String>,
        #[command(flatten)]
        layout: Layout,
    },
    /// Fetch a data set of the Hugging Face hub, into the cache that Python shares, and print the
    /// paths of its files
    Fetch {
        /// Data set, such as hf:cais/mmlu@main:all/test; the newest revision, the only configuration
        /// and the split of its layout may be left out
        #[arg(value_name = "hf:NAME[@REVISION][:CONFIG[/SPLIT]]")]
        name: String,
    },
    /// Import a data set for use with `sureness run --tasks TASK`
    Import {
        /// Task the questions belong to: qa, rc, ci, drs, ds or a name of your own
        task: String,
        /// File, folder or pattern of files of questions, or hf:NAME of the hub
        #[arg(required_unless_present = "remove")]
        path: Option<PathBuf>,
        #[command(flatten)]
        layout: Layout,
        /// Store it as a separate task that is prompted like TASK
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Remove the data set imported for TASK
        #[arg(long, conflicts_with_all = ["path", "format", "columns", "examples", "name"])]
        remove: bool,
    },
}

/// How a data set is read.
#[derive(Debug, clap::Args)]
pub(crate) struct Layout {
    /// Layout of the questions [default: detected]
    #[arg(long, value_parser = format_by_name, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Columns by their meaning, in place of a layout, such as
    /// question=prompt,options=a+b+c,answer=key
    #[arg(long, value_name = "KEY=COLUMN,…", conflicts_with = "format")]
    pub(crate) columns: Option<Columns>,
    /// File or folder of few-shot examples, instead of the data set's own
    #[arg(long, value_name = "PATH")]
    pub(crate) examples: Option<PathBuf>,
}

/// Parses the name of a layout.
pub(super) fn format_by_name(name: &str) -> Result<Format, String> {
    Format::by_name(name).ok_or_else(|| format!("the formats are {}", Format::list()))
}
