//! Data sets from a hub of our own, `scripts/servers/hub.py`. `scripts/verify/hub.py` holds that
//! server against Python's `huggingface_hub`.

mod downloads;
mod names;

use std::path::PathBuf;

use sureness_hub::{DataFiles, Hub, HubError};
use sureness_testkit::HubServer;

/// The data set of most tests.
const REPO: &str = "own/set";

fn hub(server: &HubServer) -> Hub {
    Hub::at(server.cache(), &server.endpoint).unwrap()
}

fn open(hub: &Hub, name: &str) -> Result<DataFiles, HubError> {
    hub.open(&name.parse()?)
}

fn fetch(hub: &Hub, name: &str, split: &str) -> Result<Vec<PathBuf>, HubError> {
    let data = open(hub, name)?;
    data.fetch(data.split(split)?)
}

fn splits(data: &DataFiles) -> Vec<&str> {
    data.splits().iter().map(|split| &*split.name).collect()
}

/// Checks what an error and its hint say.
#[track_caller]
fn says<T>(result: Result<T, HubError>, words: &[&str]) {
    use sureness_hint::Hint;
    let error = result.err().expect("an error");
    let text = format!("{error}\nhint: {}", error.hint());
    sureness_testkit::says(&text, words);
    assert!(!text.contains("hf_"), "{text}");
}
