//! What the hub says about a data set.

use std::path::{Component, Path};
use std::time::Duration;

use hf_hub::Cache;
use hf_hub::api::sync::{Api, ApiBuilder};
use serde::Deserialize;

use crate::cache::{is_commit, repo_at};
use crate::{Hub, HubError};

/// The longest wait for an answer that is not a file.
const PATIENCE: Duration = Duration::from_secs(60);

/// The files of a revision.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) files: Vec<RemoteFile>,
}

/// A file, and what the hub says about its bytes.
#[derive(Debug, Clone)]
pub(crate) struct RemoteFile {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    /// For files of a size that git does not keep itself.
    pub(crate) sha256: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Debug, Deserialize)]
struct Lfs {
    sha256: Option<String>,
}

impl Hub {
    pub(crate) fn api(&self) -> Result<Api, HubError> {
        ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_token(self.token.as_ref().map(|token| token.0.clone()))
            .with_user_agent("sureness", env!("CARGO_PKG_VERSION"))
            .with_progress(false)
            .build()
            .map_err(|error| self.unreachable(&self.shown(), &error))
    }

    /// Resolves a revision to a commit and lists its files.
    pub(crate) fn listing(
        &self,
        api: &Api,
        repo: &str,
        revision: &str,
    ) -> Result<Listing, HubError> {
        let unreachable = |error: ureq::Error| self.unreachable(repo, &error);
        let mut response = api
            .repo(repo_at(repo, revision))
            .info_request()
            .query("blobs", "true")
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .call()
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let code = response.headers().get("x-error-code");
        let code = code.and_then(|code| code.to_str().ok()).unwrap_or_default();
        if status != 200 {
            return Err(self.refusal(repo, revision, status, code));
        }
        let odd = |answer: &str| self.answer(repo, answer);
        let info: Info = response
            .body_mut()
            .read_json()
            .map_err(|_| odd("answered with something other than a list of files"))?;
        if !is_commit(&info.sha) {
            return Err(odd("named no commit"));
        }
        let files = info.siblings.into_iter().map(|file| RemoteFile {
            name: file.rfilename,
            size: file.size,
            sha256: file.lfs.and_then(|lfs| lfs.sha256),
        });
        let files: Vec<_> = files.collect();
        if files.iter().any(|file| !stays_inside(&file.name)) {
            return Err(odd("named a file outside of the data set"));
        }
        Ok(Listing {
            commit: info.sha,
            files,
        })
    }

    fn refusal(&self, repo: &str, revision: &str, status: u16, code: &str) -> HubError {
        match (status, code) {
            (_, "RevisionNotFound") => HubError::NoRevision {
                repo: repo.to_owned(),
                revision: revision.to_owned(),
            },
            (_, "GatedRepo") | (403, _) => self.gated(repo),
            // The hub answers so to whom it hides a private data set.
            (_, "RepoNotFound") | (401 | 404, _) => HubError::NoRepo {
                repo: repo.to_owned(),
                endpoint: self.shown(),
                token: self.token.is_some(),
            },
            _ => self.answer(repo, &format!("answered with HTTP {status}")),
        }
    }

    pub(crate) fn gated(&self, repo: &str) -> HubError {
        HubError::Gated {
            repo: repo.to_owned(),
            page: format!("{}/datasets/{repo}", self.shown()),
            token: self.token.is_some(),
        }
    }

    pub(crate) fn answer(&self, what: &str, answer: &str) -> HubError {
        HubError::Answer {
            what: what.to_owned(),
            endpoint: self.shown(),
            answer: answer.to_owned(),
        }
    }

    pub(crate) fn unreachable(&self, what: &str, cause: &dyn std::error::Error) -> HubError {
        HubError::Unreachable {
            what: what.to_owned(),
            endpoint: self.shown(),
            cause: cause.to_string(),
        }
    }
}

/// Whether a path of the hub stays below the folder of its snapshot.
fn stays_inside(name: &str) -> bool {
    let is_normal = |part| matches!(part, Component::Normal(_));
    !name.is_empty() && !name.contains('\\') && Path::new(name).components().all(is_normal)
}
