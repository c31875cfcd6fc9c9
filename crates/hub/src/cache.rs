//! The cache folder that is shared with Python's `huggingface_hub`:
//! `datasets--OWNER--NAME/{refs,snapshots,blobs}`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use crate::remote::{Listing, RemoteFile};
use crate::{Hub, HubError};

/// A data set of which the cache holds files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// Owner and name.
    pub repo: String,
    /// The branches and tags that were fetched.
    pub revisions: Vec<String>,
    /// Number of files, those of several revisions counted once each.
    pub files: usize,
    /// Bytes on disk, each file counted once.
    pub bytes: u64,
}

impl Hub {
    /// The data sets in the cache, by name. Folders that cannot be read are left out.
    pub fn cached(&self) -> Vec<Cached> {
        let mut all: Vec<_> = entries(&self.cache)
            .into_iter()
            .filter_map(|folder| {
                let name = folder.file_name()?.to_str()?.strip_prefix("datasets--")?;
                let snapshots = entries(&folder.join("snapshots"));
                let files: usize = snapshots.iter().map(|folder| walk(folder).len()).sum();
                let blobs = entries(&folder.join("blobs"));
                let whole = blobs.iter().filter(|blob| blob.extension().is_none());
                Some(Cached {
                    repo: name.replacen("--", "/", 1),
                    revisions: walk(&folder.join("refs")),
                    files,
                    bytes: whole
                        .filter_map(|blob| blob.metadata().ok())
                        .map(|m| m.len())
                        .sum(),
                })
            })
            .filter(|cached| cached.files > 0)
            .collect();
        all.sort_by(|a, b| a.repo.cmp(&b.repo));
        all
    }

    /// The files of a revision in the cache.
    pub(crate) fn cached_listing(&self, repo: &str, revision: &str) -> Result<Listing, HubError> {
        let folder = self.folder(repo);
        let commit = if is_commit(revision) {
            Some(revision.to_owned())
        } else {
            let found = fs::read_to_string(folder.join("refs").join(revision)).ok();
            found.map(|commit| commit.trim().to_owned())
        };
        let snapshot = commit
            .filter(|commit| is_commit(commit))
            .map(|commit| (folder.join("snapshots").join(&commit), commit))
            .filter(|(snapshot, _)| snapshot.is_dir());
        let Some((snapshot, commit)) = snapshot else {
            return Err(HubError::Offline {
                what: format!("{repo}, revision {revision},"),
                cache: self.cache.clone(),
            });
        };
        let files = walk(&snapshot).into_iter().map(|name| RemoteFile {
            name,
            size: None,
            sha256: None,
        });
        Ok(Listing {
            commit,
            files: files.collect(),
        })
    }

    /// The file of a commit, if the cache holds it. A link to nothing is removed.
    pub(crate) fn in_cache(&self, repo: &str, commit: &str, file: &RemoteFile) -> Option<PathBuf> {
        let path = self.snapshot(repo, commit).join(&file.name);
        match path.metadata() {
            Ok(found) if file.size.is_none_or(|size| size == found.len()) => Some(path),
            Ok(_) => {
                remove(&path);
                None
            }
            Err(_) => {
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Notes which commit a branch or tag is, as `huggingface_hub` does.
    pub(crate) fn note_revision(&self, repo: &str, revision: &str, commit: &str) -> io::Result<()> {
        if is_commit(revision) {
            return Ok(());
        }
        let path = self.folder(repo).join("refs").join(revision);
        if fs::read_to_string(&path).is_ok_and(|known| known == commit) {
            return Ok(());
        }
        self.entry(repo, revision).create_ref(commit)
    }

    pub(crate) fn snapshot(&self, repo: &str, commit: &str) -> PathBuf {
        self.folder(repo).join("snapshots").join(commit)
    }

    pub(crate) fn folder(&self, repo: &str) -> PathBuf {
        self.cache.join(repo_at(repo, "main").folder_name())
    }

    pub(crate) fn entry(&self, repo: &str, revision: &str) -> CacheRepo {
        Cache::new(self.cache.clone()).repo(repo_at(repo, revision))
    }
}

pub(crate) fn repo_at(repo: &str, revision: &str) -> Repo {
    Repo::with_revision(repo.to_owned(), RepoType::Dataset, revision.to_owned())
}

/// Whether a revision is a whole commit, which never changes.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Removes a file of a snapshot, and the bytes that it links to.
pub(crate) fn remove(path: &Path) {
    if let Ok(blob) = path.canonicalize() {
        let _ = fs::remove_file(blob);
    }
    let _ = fs::remove_file(path);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// The files below a folder, as paths with slashes, in order.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_dir() {
            found.extend(
                walk(&path)
                    .into_iter()
                    .map(|inner| format!("{name}/{inner}")),
            );
        } else if path.exists() {
            found.push(name.to_owned());
        }
    }
    found.sort();
    found
}
