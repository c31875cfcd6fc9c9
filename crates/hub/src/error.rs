//! Errors, with hints.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use sureness_hint::Hint;

/// Why a data set of the hub cannot be used. Contains no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A name that the hub cannot have.
    #[error("{name}: {problem}")]
    Name {
        /// The name as given.
        name: String,
        /// Which part is wrong.
        problem: String,
    },
    /// A variable of the environment that cannot be used; its value is not shown.
    #[error("{variable} {problem}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No such data set, or a private one.
    #[error("{repo}: the hub at {endpoint} has no such data set, or hides it")]
    NoRepo {
        /// The data set.
        repo: String,
        /// The hub.
        endpoint: String,
        /// Whether a token was sent.
        token: bool,
    },
    /// No such branch, tag or commit.
    #[error("{repo}: the hub has no revision {revision}")]
    NoRevision {
        /// The data set.
        repo: String,
        /// The revision.
        revision: String,
    },
    /// Access has to be asked for.
    #[error("{repo}: access to the files is restricted")]
    Gated {
        /// The data set.
        repo: String,
        /// The address of its page.
        page: String,
        /// Whether a token was sent.
        token: bool,
    },
    /// A data set that only its own program can read.
    #[error("{repo}: its files are read by a program of its own, {script}, which is not run")]
    Script {
        /// The data set.
        repo: String,
        /// The program.
        script: String,
        /// Whether the revision was stated.
        stated: bool,
    },
    /// No files of questions.
    #[error("{repo}: holds no Parquet, JSON or CSV files")]
    NoFiles {
        /// The data set.
        repo: String,
    },
    /// A card whose list of configurations cannot be read.
    #[error("{repo}: the configurations in README.md cannot be read: {problem}")]
    Card {
        /// The data set.
        repo: String,
        /// What is wrong.
        problem: String,
    },
    /// Files that are not there, are not read, or contradict each other.
    #[error("{repo}: configuration {config}: {problem}")]
    Files {
        /// The data set.
        repo: String,
        /// The configuration.
        config: String,
        /// What is wrong.
        problem: String,
    },
    /// No such configuration, or several and none chosen.
    #[error("{repo}: {}", missing("configuration", config.as_deref()))]
    Config {
        /// The data set.
        repo: String,
        /// The configuration.
        config: Option<String>,
        /// The existing ones.
        known: Vec<String>,
    },
    /// No such split, or several and none chosen.
    #[error("{repo}: {} in configuration {config}", missing("split", split.as_deref()))]
    Split {
        /// The data set.
        repo: String,
        /// Its configuration.
        config: String,
        /// The split.
        split: Option<String>,
        /// The existing ones.
        known: Vec<String>,
    },
    /// A split of which the hub holds only the beginning.
    #[error("{repo}: the hub converted only the beginning of split {split}")]
    Partial {
        /// The data set.
        repo: String,
        /// The split.
        split: String,
    },
    /// The cache lacks it, and the hub is not to be asked.
    #[error("{what} is not in the cache {}, and HF_HUB_OFFLINE is set", cache.display())]
    Offline {
        /// The data set or the file.
        what: String,
        /// The folder.
        cache: PathBuf,
    },
    /// The hub does not answer.
    #[error("{what}: the hub at {endpoint} cannot be reached: {cause}")]
    Unreachable {
        /// The data set or the file.
        what: String,
        /// The hub.
        endpoint: String,
        /// What the library says.
        cause: String,
    },
    /// The hub stopped sending.
    #[error("{file}: the hub at {endpoint} sent nothing for {seconds} s")]
    Stalled {
        /// The file.
        file: String,
        /// The hub.
        endpoint: String,
        /// How long the download waited.
        seconds: u64,
    },
    /// An answer that does not help.
    #[error("{what}: the hub at {endpoint} {answer}")]
    Answer {
        /// The data set or the file.
        what: String,
        /// The hub.
        endpoint: String,
        /// What it did.
        answer: String,
    },
    /// The downloaded bytes are not those that the hub holds.
    #[error("{file}: {problem}; the download was deleted")]
    Damaged {
        /// The file.
        file: String,
        /// What differs.
        problem: String,
    },
    /// The cache cannot be read or written.
    #[error("{}: {error}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// `has no split dev`, or `which split is not said`.
fn missing(kind: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("has no {kind} {name:?}"),
        None => format!("which {kind} to ask is not said"),
    }
}

impl Hint for HubError {
    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Name { .. } => {
                "write hf:OWNER/NAME[@REVISION][:CONFIG[/SPLIT]], such as \
                 hf:cais/mmlu@main:all/test; --sample-size takes fewer questions"
                    .into()
            }
            Self::Variable { .. } => "correct the variable, or unset it".into(),
            Self::NoRepo { token: false, .. } => {
                "check the spelling; if it is private, set HF_TOKEN to a token of an account that \
                 sees it"
                    .into()
            }
            Self::NoRepo { .. } => {
                "check the spelling, and whether the account of HF_TOKEN sees it".into()
            }
            Self::NoRevision { .. } => {
                "name a branch, a tag or a whole commit, or leave the revision out for the newest"
                    .into()
            }
            Self::Gated { page, token, .. } => {
                let then = if *token {
                    "with the account of HF_TOKEN"
                } else {
                    "then set HF_TOKEN to a token of your account"
                };
                format!("accept the conditions on {page}, {then}").into()
            }
            Self::Script {
                repo, stated: true, ..
            } => format!(
                "leave the revision out, or take the hub's converted copy: \
                 hf:{repo}@refs/convert/parquet"
            )
            .into(),
            Self::Script { .. } => {
                "look on the hub for a copy as Parquet, or write the rows as JSON lines and name the \
                 file instead"
                    .into()
            }
            Self::NoFiles { .. } => {
                "download it by hand, turn it into JSON lines, and name the file instead".into()
            }
            Self::Card { .. } | Self::Files { .. } => {
                "choose another configuration or revision, or download the files and name them \
                 instead"
                    .into()
            }
            Self::Config { repo, known, .. } => {
                let first = known.first().map_or("CONFIG", String::as_str);
                format!("choose among {}, as in hf:{repo}:{first}", listed(known)).into()
            }
            Self::Split {
                repo,
                config,
                known,
                ..
            } => {
                let first = known.first().map_or("SPLIT", String::as_str);
                let known = listed(known);
                format!("choose among {known}, as in hf:{repo}:{config}/{first}").into()
            }
            Self::Partial { .. } => {
                "choose another split, or download the whole one and name its file instead".into()
            }
            Self::Offline { .. } => "unset HF_HUB_OFFLINE, or fetch it on a machine with access to \
                                     the hub and copy the cache"
                .into(),
            Self::Unreachable { .. } => {
                "check the network, HTTPS_PROXY and HF_ENDPOINT, and repeat the command: it resumes \
                 the download; HF_HUB_OFFLINE=1 takes what is in the cache"
                    .into()
            }
            Self::Stalled { .. } => {
                "check the network, and repeat the command: it resumes the download; \
                 HF_HUB_DOWNLOAD_TIMEOUT waits for more seconds"
                    .into()
            }
            Self::Answer { .. } => {
                "repeat the command later; the download is resumed".into()
            }
            Self::Damaged { .. } => {
                "repeat the command; if it happens again, a proxy or HF_ENDPOINT changes the files"
                    .into()
            }
            Self::Disk { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some disk space, or set HF_HUB_CACHE to a folder on another disk; the \
                     download is resumed"
                        .into()
                }
                _ => "check its permissions, or set HF_HUB_CACHE to another folder".into(),
            },
        }
    }
}

/// Names in words; of many, the first.
fn listed(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST {
        text += &format!(" and {} more", names.len() - MOST);
    }
    text
}
