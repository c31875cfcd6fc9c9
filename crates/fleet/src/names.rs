//! Names of subjects, streams and consumers.

use std::fmt;
use std::str::FromStr;

/// Kinds of messages with a stream of their own: units, results, and the models and prefixes that
/// units share.
pub(crate) const WORK: &str = "work";
pub(crate) const RESULT: &str = "result";
pub(crate) const ABOUT: &str = "about";

/// Name of a run, which is part of its subjects and streams.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunName(String);

impl RunName {
    /// The longest name.
    pub const MAX_LEN: usize = 48;

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Greetings of workers that ask to take part.
    pub(crate) fn hello(&self) -> String {
        self.subject("hello")
    }

    /// Requests for the run's status.
    pub(crate) fn status(&self) -> String {
        self.subject("status")
    }

    /// Heartbeats of workers.
    pub(crate) fn beat(&self) -> String {
        self.subject("beat")
    }

    /// The coordinator's notice that the run is over.
    pub(crate) fn done(&self) -> String {
        self.subject("done")
    }

    /// The coordinator's news that a lane has work, with the group's name.
    pub(crate) fn news(&self, lane: u16) -> String {
        self.subject(&format!("news.{lane}"))
    }

    /// Queries for the open questions of a unit.
    pub(crate) fn open(&self, lane: u16) -> String {
        self.subject(&format!("open.{lane}"))
    }

    /// Units of one group; `*` for the group stands for all.
    pub(crate) fn work(&self, lane: u16, group: &str) -> String {
        self.subject(&format!("work.{lane}.{group}"))
    }

    /// Results of a lane.
    pub(crate) fn results(&self, lane: u16) -> String {
        self.subject(&format!("result.{lane}"))
    }

    /// The prefix of a group.
    pub(crate) fn about_group(&self, lane: u16, group: &str) -> String {
        self.subject(&format!("about.{lane}.{group}"))
    }

    /// The model of a lane.
    pub(crate) fn about_model(&self, lane: u16) -> String {
        self.subject(&format!("about.{lane}.model"))
    }

    /// Everything of one kind.
    pub(crate) fn all(&self, kind: &str) -> String {
        self.subject(&format!("{kind}.>"))
    }

    /// The stream with messages of this kind.
    pub(crate) fn stream(&self, kind: &str) -> String {
        format!("sureness_{}_{kind}", self.0)
    }

    /// The consumer from which workers pull a group's units.
    pub(crate) fn work_consumer(lane: u16, group: &str) -> String {
        format!("work_{lane}_{group}")
    }

    /// The consumer from which the coordinator pulls a lane's results.
    pub(crate) fn result_consumer(lane: u16) -> String {
        format!("result_{lane}")
    }

    /// Prefix of reply subjects: it has the run's name, so that permissions can separate runs.
    pub(crate) fn inbox(&self) -> String {
        format!("_INBOX_{}", self.0)
    }

    fn subject(&self, rest: &str) -> String {
        format!("sureness.{}.{rest}", self.0)
    }
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > Self::MAX_LEN || !name.chars().all(fits) {
            return Err(format!(
                "a run's name has 1 to {} letters, digits, - and _",
                Self::MAX_LEN
            ));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of a group: a digest of its prefix, so that it is the same for a restarted coordinator.
pub(crate) fn group_name(prefix: &str) -> String {
    let digest = blake3::hash(prefix.as_bytes()).to_hex();
    digest[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_reach_into_other_subjects() {
        for bad in ["", "a.b", "*", "a>", "a b", "ä", &"x".repeat(49)] {
            assert!(bad.parse::<RunName>().is_err(), "{bad}");
        }
        let run: RunName = "eval-7_b".parse().unwrap();
        assert_eq!(run.work(0, "*"), "sureness.eval-7_b.work.0.*");
    }
}
