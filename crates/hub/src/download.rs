//! Downloads of files into the cache.
//!
//! `hf-hub` transfers the bytes, into a file beside the others that gets its name when it is whole,
//! and resumes from its length. It checks nothing, its own retries append to the wrong place, and it
//! waits for ever, so all three are done here.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiError};
use indicatif::{ProgressBar, ProgressStyle};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::cache::{remove, repo_at};
use crate::patience::{Ended, Pulse, patiently};
use crate::remote::RemoteFile;
use crate::{Hub, HubError};

/// How often a file is tried, each time from where the last try ended.
const TRIES: u32 = 4;
/// What stands in the path of an address as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Why a try failed.
enum Failed {
    /// Another try may succeed.
    Passing(HubError),
    Lasting(HubError),
}

impl Hub {
    /// Downloads a file of a commit; returns its path in the cache.
    pub(crate) fn download(
        &self,
        api: &Api,
        repo: &str,
        commit: &str,
        file: &RemoteFile,
    ) -> Result<PathBuf, HubError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(api, repo, commit, file) {
                Ok(path) => return Ok(path),
                Err(Failed::Passing(_)) if tries < TRIES => {
                    thread::sleep(Duration::from_millis(250) * 2_u32.pow(tries));
                }
                Err(Failed::Passing(error) | Failed::Lasting(error)) => return Err(error),
            }
        }
    }

    fn attempt(
        &self,
        api: &Api,
        repo: &str,
        commit: &str,
        file: &RemoteFile,
    ) -> Result<PathBuf, Failed> {
        let at = api.repo(repo_at(repo, commit));
        // The library puts the name into the address, and into the cache, as it is.
        let encoded = utf8_percent_encode(&file.name, PATH).to_string();
        let failed = |error| self.judge(repo, file, error);
        let (asked, url) = (api.clone(), at.url(&encoded));
        let about = patiently(self.patience, move |_| asked.metadata(&url));
        // Nothing is begun yet, so that another try is possible.
        let about = about.map_err(|ended| Failed::Passing(self.ended(file, &ended)))?;
        let about = about.map_err(failed)?;
        let blob = self.blob(repo, about.etag()).ok_or_else(|| {
            Failed::Lasting(self.answer(&file.name, "sent a tag that cannot be a file's name"))
        })?;
        if about.commit_hash() != commit {
            return Err(Failed::Lasting(
                self.answer(&file.name, "sent a file of another commit"),
            ));
        }
        let line = Line::new(self.progress, &file.name);
        let name = encoded.clone();
        let fetched = patiently(self.patience, move |pulse| {
            at.download_with_progress(&name, Seen { line, pulse })
        });
        // The begun file stays locked by its thread.
        let fetched = fetched.map_err(|ended| Failed::Lasting(self.ended(file, &ended)))?;
        let fetched = fetched.map_err(|error| {
            if is_stale(&error) {
                let _ = fs::remove_file(blob.with_extension("part"));
            }
            failed(error)
        })?;
        // Branches alone have a reference.
        let _ = fs::remove_file(self.folder(repo).join("refs").join(commit));
        let path = self.snapshot(repo, commit).join(&file.name);
        if encoded != file.name {
            rename(&fetched, &path).map_err(|error| self.disk(error))?;
        }
        let size = file.size.unwrap_or(about.size() as u64);
        // Large files have their hash as the tag.
        let tag = Some(about.etag()).filter(|tag| tag.len() == 64);
        let sha256 = file.sha256.as_deref().or(tag);
        match check(&path, size, sha256) {
            Ok(None) => Ok(path),
            Ok(Some(problem)) => {
                remove(&path);
                Err(Failed::Passing(HubError::Damaged {
                    file: file.name.clone(),
                    problem,
                }))
            }
            Err(error) => Err(self.disk(error)),
        }
    }

    /// Where the bytes with a tag lie; `None` if the tag could lead elsewhere.
    fn blob(&self, repo: &str, tag: &str) -> Option<PathBuf> {
        let is_plain = !tag.is_empty()
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_plain.then(|| self.folder(repo).join("blobs").join(tag))
    }

    fn ended(&self, file: &RemoteFile, ended: &Ended) -> HubError {
        match ended {
            Ended::Stalled => HubError::Stalled {
                file: file.name.clone(),
                endpoint: self.shown(),
                seconds: self.patience.as_secs(),
            },
            Ended::Died => self.answer(&file.name, "sent what the download cannot handle"),
        }
    }

    fn judge(&self, repo: &str, file: &RemoteFile, error: ApiError) -> Failed {
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(401 | 403) => Failed::Lasting(self.gated(repo)),
                ureq::Error::StatusCode(status @ (416 | 429 | 500..)) => Failed::Passing(
                    self.answer(&file.name, &format!("answered with HTTP {status}")),
                ),
                ureq::Error::StatusCode(status) => Failed::Lasting(
                    self.answer(&file.name, &format!("answered with HTTP {status}")),
                ),
                error => Failed::Passing(self.unreachable(&file.name, &error)),
            },
            ApiError::IoError(error) if is_local(&error) => self.disk(error),
            ApiError::IoError(error) => Failed::Passing(self.unreachable(&file.name, &error)),
            ApiError::InvalidResume => Failed::Passing(self.answer(
                &file.name,
                "sent fewer bytes than an earlier download of the file has",
            )),
            ApiError::LockAcquisition(path) => Failed::Passing(HubError::Disk {
                path,
                error: io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another process downloads this file",
                ),
            }),
            other => Failed::Lasting(self.answer(&file.name, &format!("answered oddly: {other}"))),
        }
    }

    fn disk(&self, error: io::Error) -> Failed {
        Failed::Lasting(HubError::Disk {
            path: self.cache.clone(),
            error,
        })
    }
}

/// A line of progress, gone when the download ends.
struct Line(ProgressBar);

impl Line {
    fn new(shown: bool, name: &str) -> Self {
        if !shown {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0).with_message(name.to_owned());
        let style = ProgressStyle::with_template(
            "  {bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left  \
             {wide_msg}",
        );
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }
}

/// A line of progress whose changes show that bytes arrive.
struct Seen<T> {
    line: Line,
    pulse: Pulse<T>,
}

impl<T> Progress for Seen<T> {
    fn init(&mut self, size: usize, name: &str) {
        self.line.init(size, name);
        self.pulse.beat();
    }

    fn update(&mut self, size: usize) {
        self.line.update(size);
        self.pulse.beat();
    }

    fn finish(&mut self) {
        self.line.finish();
    }
}

impl Progress for Line {
    fn init(&mut self, size: usize, _: &str) {
        self.0.set_length(size as u64);
        self.0.set_position(0);
    }

    fn update(&mut self, size: usize) {
        self.0.inc(size as u64);
    }

    fn finish(&mut self) {}
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Whether the begun file is of no use to the next try.
fn is_stale(error: &ApiError) -> bool {
    match error {
        ApiError::InvalidResume => true,
        ApiError::RequestError(error) => matches!(**error, ureq::Error::StatusCode(416)),
        _ => false,
    }
}

/// Whether the disk is at fault rather than the connection.
fn is_local(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::StorageFull
            | Kind::QuotaExceeded
            | Kind::FileTooLarge
            | Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::NotFound
            | Kind::AlreadyExists
    )
}

/// Gives the link of an encoded name the name itself. Both are equally deep, so that the link stays
/// valid.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(from, to)
}

/// What is wrong with a file's bytes.
fn check(path: &Path, size: u64, sha256: Option<&str>) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length != size {
        return Ok(Some(format!("{length} bytes arrived of {size}")));
    }
    let Some(expected) = sha256 else {
        return Ok(None);
    };
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut HashWriter(&mut hasher))?;
    let found = HEXLOWER.encode(&hasher.finalize());
    let same = found.eq_ignore_ascii_case(expected);
    Ok((!same).then(|| format!("its SHA-256 is {found}, the hub's is {expected}")))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
