//! Names of subjects, streams and consumers.

use std::fmt;
use std::str::FromStr;

/// Name of a run, which every subject and stream of it carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunName(String);

impl RunName {
    /// The longest name.
    pub const MAX_LEN: usize = 48;

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where workers ask to take part.
    pub(crate) fn hello(&self) -> String {
        self.subject("hello")
    }

    /// Where the coordinator is asked how the run goes.
    pub(crate) fn status(&self) -> String {
        self.subject("status")
    }

    /// Where workers say that they live.
    pub(crate) fn beat(&self) -> String {
        self.subject("beat")
    }

    /// Where the coordinator says that the run is over.
    pub(crate) fn done(&self) -> String {
        self.subject("done")
    }

    /// Where the coordinator says that there is work on a lane, and of which group.
    pub(crate) fn news(&self, lane: u16) -> String {
        self.subject(&format!("news.{lane}"))
    }

    /// Where the coordinator is asked which questions of a unit are still open.
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

    /// What a group's questions share.
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

    /// The stream with units.
    pub(crate) fn work_stream(&self) -> String {
        format!("sureness_{}_work", self.0)
    }

    /// The stream with results.
    pub(crate) fn result_stream(&self) -> String {
        format!("sureness_{}_result", self.0)
    }

    /// The stream with what units have in common.
    pub(crate) fn about_stream(&self) -> String {
        format!("sureness_{}_about", self.0)
    }

    /// The consumer from which workers pull a group's units.
    pub(crate) fn work_consumer(lane: u16, group: &str) -> String {
        format!("work_{lane}_{group}")
    }

    /// The consumer from which the coordinator pulls a lane's results.
    pub(crate) fn result_consumer(lane: u16) -> String {
        format!("result_{lane}")
    }

    /// Where replies to requests arrive: under the run's name, so that permissions can tell runs
    /// apart.
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

/// Name of a group: what its questions share, digested, so that a restarted coordinator gives it
/// the same.
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
