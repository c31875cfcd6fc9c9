//! Opens a data set: from its name to the files of its splits.

use std::path::PathBuf;

use hf_hub::api::sync::Api;

use crate::files::{self, Config, DEFAULT, SplitFiles, by_names, card, converted, is_converted};
use crate::remote::{Listing, RemoteFile};
use crate::{DatasetName, Hub, HubError};

/// The branch of the hub's own copies as Parquet.
const CONVERTED: &str = "refs/convert/parquet";
const CARD: &str = "README.md";

/// The files of one configuration of a data set, at one commit.
#[derive(Debug)]
pub struct DataFiles {
    hub: Hub,
    /// `None` offline.
    api: Option<Api>,
    repo: String,
    listing: Listing,
    config: Config,
    /// Whether all splits of the configuration are known.
    complete: bool,
    converted: bool,
}

impl Hub {
    /// Resolves the revision to a commit, finds the configuration and lists its splits. Asks the hub,
    /// or the cache alone if it is offline. A data set that is a program is read from the hub's
    /// converted copy.
    pub fn open(&self, name: &DatasetName) -> Result<DataFiles, HubError> {
        let repo = &name.repo;
        let api = if self.offline {
            None
        } else {
            Some(self.api()?)
        };
        let list = |revision: &str| match &api {
            Some(api) => self.listing(api, repo, revision),
            None => self.cached_listing(repo, revision),
        };
        let revision = name.revision.as_deref();
        let (mut listing, mut from) = match (list(revision.unwrap_or("main")), revision) {
            // The cache may hold the converted copy alone.
            (Err(error @ HubError::Offline { .. }), None) => {
                (list(CONVERTED).map_err(|_| error)?, CONVERTED)
            }
            (listing, _) => (listing?, revision.unwrap_or("main")),
        };
        let card = self.card(api.as_ref(), repo, &listing)?;
        let all = api.is_some();
        let mut names = listing.names();
        let mut listed = match &card {
            Some(card) => card::configs(repo, card, &names, all)?,
            None => None,
        };
        if listed.is_none()
            && let Some(script) = script(repo, &names)
        {
            let script = HubError::Script {
                repo: repo.clone(),
                script,
                stated: revision.is_some(),
            };
            if revision.is_some() {
                return Err(script);
            }
            listing = match list(CONVERTED) {
                Err(HubError::NoRevision { .. }) => return Err(script),
                listing => listing?,
            };
            from = CONVERTED;
            names = listing.names();
        }
        let complete = all || listed.is_some();
        let converted = from == CONVERTED || is_converted(&names);
        let configs = listed.take().unwrap_or_else(|| {
            if converted {
                self::converted(&names)
            } else {
                by_names(&names)
            }
        });
        if configs.is_empty() && !all {
            return Err(HubError::Offline {
                what: format!("{repo}, or the files of it that hold questions,"),
                cache: self.cache.clone(),
            });
        }
        if configs.is_empty() {
            return Err(HubError::NoFiles { repo: repo.clone() });
        }
        let config = files::choose(repo, &configs, name.config.as_deref())?;
        if !complete && name.config.is_none() && config.name != DEFAULT {
            // The cache need not hold the others.
            return Err(HubError::Config {
                repo: repo.clone(),
                config: None,
                known: vec![config.name],
            });
        }
        if api.is_some() {
            self.note_revision(repo, from, &listing.commit)
                .map_err(|error| HubError::Disk {
                    path: self.cache.clone(),
                    error,
                })?;
        }
        Ok(DataFiles {
            hub: self.clone(),
            api,
            repo: repo.clone(),
            listing,
            config,
            complete,
            converted: from == CONVERTED && revision.is_none(),
        })
    }

    fn card(
        &self,
        api: Option<&Api>,
        repo: &str,
        listing: &Listing,
    ) -> Result<Option<String>, HubError> {
        let Some(file) = listing.files.iter().find(|file| file.name == CARD) else {
            return Ok(None);
        };
        let path = self.obtain(api, repo, &listing.commit, file)?;
        let bytes = std::fs::read(&path).map_err(|error| HubError::Disk { path, error })?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file's path in the cache, after a download if need be.
    fn obtain(
        &self,
        api: Option<&Api>,
        repo: &str,
        commit: &str,
        file: &RemoteFile,
    ) -> Result<PathBuf, HubError> {
        match (self.in_cache(repo, commit, file), api) {
            (Some(path), _) => Ok(path),
            (None, Some(api)) => self.download(api, repo, commit, file),
            (None, None) => Err(HubError::Offline {
                what: format!("{} of {repo}", file.name),
                cache: self.cache.clone(),
            }),
        }
    }
}

impl DataFiles {
    /// The splits, in the order of the card or of the files.
    pub fn splits(&self) -> &[SplitFiles] {
        &self.config.splits
    }

    /// Whether all splits are known. Offline, the cache may lack some that no card names.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the hub's converted copy stands for a data set that is a program.
    pub fn is_converted(&self) -> bool {
        self.converted
    }

    /// The split of a name; an error that lists the existing ones.
    pub fn split(&self, name: &str) -> Result<&SplitFiles, HubError> {
        let found = self.splits().iter().find(|split| split.name == name);
        found.ok_or_else(|| self.no_split(Some(name)))
    }

    /// The error for a split that is not there, or was not said.
    pub fn no_split(&self, name: Option<&str>) -> HubError {
        let splits = self.splits().iter();
        HubError::Split {
            repo: self.repo.clone(),
            config: self.config.name.clone(),
            split: name.map(str::to_owned),
            known: splits.map(|split| split.name.clone()).collect(),
        }
    }

    /// The paths of a split's files in the cache, after downloads if need be. A split of which the hub
    /// has only a part, or files in two formats, is refused before.
    pub fn fetch(&self, split: &SplitFiles) -> Result<Vec<PathBuf>, HubError> {
        self.fetch_first(split, usize::MAX)
    }

    /// Like [`fetch`](Self::fetch), for the first `most` files.
    pub fn fetch_first(&self, split: &SplitFiles, most: usize) -> Result<Vec<PathBuf>, HubError> {
        if split.partial {
            return Err(HubError::Partial {
                repo: self.repo.clone(),
                split: split.name.clone(),
            });
        }
        files::check_formats(&self.repo, &self.config.name, split)?;
        if split.files.is_empty() {
            return Err(HubError::Offline {
                what: format!("split {} of {}", split.name, self.repo),
                cache: self.hub.cache.clone(),
            });
        }
        let mut paths = Vec::new();
        for name in split.files.iter().take(most) {
            let known = self.listing.files.iter().find(|file| file.name == *name);
            let file = known.cloned().unwrap_or_else(|| RemoteFile {
                name: name.clone(),
                size: None,
                sha256: None,
            });
            let commit = &self.listing.commit;
            paths.push(
                self.hub
                    .obtain(self.api.as_ref(), &self.repo, commit, &file)?,
            );
        }
        Ok(paths)
    }

    /// The name of a split at this commit, which names the same questions for ever.
    pub fn source(&self, split: &str) -> String {
        let (repo, commit, config) = (&self.repo, &self.listing.commit, &self.config.name);
        format!("hf:{repo}@{commit}:{config}/{split}")
    }
}

impl Listing {
    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }
}

/// The program that reads the data set: named after it.
fn script(repo: &str, names: &[String]) -> Option<String> {
    let name = repo.rsplit('/').next()?;
    let script = format!("{name}.py");
    names.contains(&script).then_some(script)
}
