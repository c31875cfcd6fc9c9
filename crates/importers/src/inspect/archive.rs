//! A log as a zip archive.

use std::io::{Read, Seek};
use std::path::Path;

use zip::ZipArchive;

use super::log::{Ending, Log};
use crate::error::printable;
use crate::{ImportError, Place, Problem, json};

/// The largest member, unpacked: a sample with all its events.
const MAX_MEMBER: u64 = 64 << 20;
/// All members together, unpacked.
const MAX_TOTAL: u64 = 4 << 30;
/// Headers of complete logs, of unfinished ones, and of those from old versions.
const HEADERS: [&str; 3] = ["header.json", "_journal/start.json", "start.json"];
/// The rest of the header in old versions.
const ENDING: &str = "results.json";

/// An open archive.
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
    unpacked: u64,
}

impl<R: Read + Seek> Archive<R> {
    pub(super) fn open(reader: R) -> Result<Self, Problem> {
        let zip = ZipArchive::new(reader).map_err(|error| damaged(&error))?;
        Ok(Self { zip, unpacked: 0 })
    }

    /// The header of the log.
    pub(super) fn header(&mut self, path: &Path) -> Result<Log, ImportError> {
        let name = HEADERS
            .into_iter()
            .find(|name| self.zip.index_for_name(name).is_some())
            .ok_or_else(|| Problem::UnknownFormat.of(path))?;
        let mut read = |name: &str| self.member(name);
        let at = |name: &str, problem: Problem| problem.at(path, Place::Sample(name.to_owned()));
        let bytes = read(name).map_err(|problem| at(name, problem))?;
        let mut log: Log = json::parse(&bytes).map_err(|problem| at(name, problem))?;
        if name == "start.json" && self.zip.index_for_name(ENDING).is_some() {
            let bytes = self.member(ENDING).map_err(|problem| at(ENDING, problem))?;
            let ending: Ending = json::parse(&bytes).map_err(|problem| at(ENDING, problem))?;
            log.add(ending);
        }
        Ok(log)
    }

    /// Names of the samples, in the order of the archive. A sample is one member, or a folder
    /// whose `sample.json` holds everything except its messages and events.
    pub(super) fn samples(&self) -> Vec<String> {
        let is_sample = |name: &str| {
            name.strip_prefix("samples/").is_some_and(|rest| {
                let name = rest.strip_suffix("/sample.json");
                let name = name.or_else(|| rest.strip_suffix(".json"));
                // Ids may have slashes, as the names of a folder's other members do.
                name.is_some_and(|name| !name.contains('/') || has_epoch(name))
            })
        };
        // Inspect writes only UTF-8 names.
        let names = self.zip.file_names().filter_map(Result::ok);
        names
            .filter(|name| is_sample(name))
            .map(|name| name.to_string())
            .collect()
    }

    /// A member's bytes, limited whatever size it claims.
    pub(super) fn member(&mut self, name: &str) -> Result<Vec<u8>, Problem> {
        let member = self.zip.by_name(name).map_err(|error| damaged(&error))?;
        let limit = MAX_MEMBER.min(MAX_TOTAL - self.unpacked.min(MAX_TOTAL));
        let mut bytes = Vec::new();
        let read = member.take(limit + 1).read_to_end(&mut bytes);
        let read = read.map_err(|error| damaged(&error))? as u64;
        if read > limit {
            let all = limit < MAX_MEMBER;
            let most = if all { MAX_TOTAL } else { MAX_MEMBER };
            return Err(Problem::TooLarge(most >> 20));
        }
        self.unpacked += read;
        Ok(bytes)
    }
}

/// Whether a name ends as those of samples do: `7_epoch_1`.
fn has_epoch(name: &str) -> bool {
    let epoch = name.rsplit_once("_epoch_").map(|(_, epoch)| epoch);
    epoch.is_some_and(|epoch| !epoch.is_empty() && epoch.bytes().all(|it| it.is_ascii_digit()))
}

fn damaged(error: &dyn std::fmt::Display) -> Problem {
    Problem::Archive(printable(&error.to_string()))
}
