//! Cut, damaged and repeated downloads, and the cache.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use sureness_hub::Hub;
use sureness_testkit::HubServer;

use crate::{REPO, fetch, hub, open, says};

/// Long enough to be cut.
fn text() -> String {
    "0,1,2,3,4,5,6,7,8,9;".repeat(5_000)
}

/// A hub with one large file, and a fault in its download.
fn faulty(fault: &serde_json::Value) -> Option<HubServer> {
    let server = HubServer::with(REPO, &[("test.csv", &text())])?;
    server.describe(REPO, json!({"faults": {"test.csv": fault}}));
    Some(server)
}

/// The files that lie beside the data.
fn blobs(server: &HubServer) -> Vec<String> {
    let folder = server.cache().join("datasets--own--set/blobs");
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.contains(".lock")).collect()
}

/// Asserts that a part is left which is not taken for the whole, and that the next download goes on
/// after so many bytes.
#[track_caller]
fn resumes(server: &HubServer, hub: &Hub, after: usize) {
    assert!(blobs(server)[0].contains(".part"), "{:?}", blobs(server));
    says(
        fetch(&hub.clone().offline(), "hf:own/set", "test"),
        &["HF_HUB_OFFLINE"],
    );
    let paths = fetch(hub, "hf:own/set", "test").unwrap();
    assert_eq!(fs::read_to_string(&paths[0]).unwrap(), text());
    let requests = server.requests().join("\n");
    assert!(requests.contains(&format!("bytes={after}-")), "{requests}");
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let Some(server) = faulty(&json!({"cut": 1000, "times": 2})) else {
        return;
    };
    let paths = fetch(&hub(&server), "hf:own/set", "test").unwrap();
    assert_eq!(fs::read_to_string(&paths[0]).unwrap(), text());
    let requests = server.requests().join("\n");
    assert!(
        requests.contains("bytes=1000-") && requests.contains("bytes=2000-"),
        "{requests}"
    );
    assert_eq!(blobs(&server).len(), 1);
}

#[test]
fn a_cut_that_lasts_leaves_no_file_and_the_next_command_goes_on() {
    let Some(server) = faulty(&json!({"cut": 1000, "times": 4})) else {
        return;
    };
    let hub = hub(&server);
    says(
        fetch(&hub, "hf:own/set", "test"),
        &["test.csv: ", "it resumes"],
    );
    resumes(&server, &hub, 4000);
}

#[test]
fn a_download_that_brings_nothing_ends_and_the_next_one_resumes() {
    let Some(server) = faulty(&json!({"stall": 1000, "times": 1, "seconds": 4})) else {
        return;
    };
    let hub = hub(&server);
    let begun = Instant::now();
    says(
        fetch(
            &hub.clone().with_patience(Duration::from_secs(1)),
            "hf:own/set",
            "test",
        ),
        &["test.csv: the hub at", "sent nothing for 1 s", "it resumes"],
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
    resumes(&server, &hub, 1000);
}

#[test]
fn bytes_that_differ_from_the_hubs_are_deleted_and_fetched_again() {
    for fault in [
        json!({"flip": 500, "times": 1}),
        json!({"status": 503, "times": 1}),
    ] {
        let Some(server) = faulty(&fault) else {
            return;
        };
        let paths = fetch(&hub(&server), "hf:own/set", "test").unwrap();
        assert_eq!(fs::read_to_string(&paths[0]).unwrap(), text(), "{fault}");
    }
    let Some(server) = faulty(&json!({"flip": 500, "times": 99})) else {
        return;
    };
    says(
        fetch(&hub(&server), "hf:own/set", "test"),
        &["test.csv: its SHA-256 is", "was deleted"],
    );
    assert!(blobs(&server).is_empty(), "{:?}", blobs(&server));
    says(
        fetch(&hub(&server).offline(), "hf:own/set", "test"),
        &["HF_HUB_OFFLINE"],
    );
}

#[test]
fn a_server_that_sends_the_whole_instead_of_the_rest_does_no_harm() {
    let Some(server) = faulty(&json!({"cut": 1000, "times": 4})) else {
        return;
    };
    assert!(fetch(&hub(&server), "hf:own/set", "test").is_err());
    server.describe(
        REPO,
        json!({"faults": {"test.csv": {"whole": true, "times": 5}}}),
    );
    let paths = fetch(&hub(&server), "hf:own/set", "test").unwrap();
    assert_eq!(fs::read_to_string(&paths[0]).unwrap(), text());
}

#[test]
fn a_file_in_the_cache_is_not_fetched_again() {
    let files = [("data/test 1.csv", "1"), ("data/train.csv", "2")];
    let Some(server) = HubServer::with(REPO, &files) else {
        return;
    };
    let hub = hub(&server);
    let first = fetch(&hub, "hf:own/set", "test").unwrap();
    assert!(first[0].ends_with(format!("snapshots/{}/data/test 1.csv", HubServer::COMMIT)));
    let before = server.requests().len();
    assert_eq!(fetch(&hub, "hf:own/set", "test").unwrap(), first);
    assert_eq!(
        server.requests().len(),
        before + 1,
        "the revision alone is asked for"
    );

    let offline = hub.clone().offline();
    for name in ["hf:own/set", &format!("hf:own/set@{}", HubServer::COMMIT)] {
        assert_eq!(fetch(&offline, name, "test").unwrap(), first);
    }
    says(
        fetch(&offline, "hf:own/set", "train"),
        &["no split \"train\""],
    );
    says(
        open(&offline, "hf:own/set@v1"),
        &["own/set, revision v1, is not in the cache"],
    );
    says(
        open(&offline, "hf:own/other"),
        &["own/other", "HF_HUB_OFFLINE"],
    );
    assert_eq!(server.requests().len(), before + 1);

    // Cut afterwards, by whatever.
    fs::write(first[0].canonicalize().unwrap(), "").unwrap();
    assert_eq!(fetch(&hub, "hf:own/set", "test").unwrap(), first);
    assert_eq!(fs::read(&first[0]).unwrap(), b"1");
    let cached = hub.cached();
    assert_eq!((cached[0].repo.as_str(), cached[0].files), ("own/set", 1));
    assert_eq!(cached[0].revisions, ["main"]);
}

#[test]
fn a_hub_that_leads_out_of_the_cache_is_refused() {
    let Some(server) = HubServer::with(REPO, &[("test.csv", "1")]) else {
        return;
    };
    server.describe(REPO, json!({"more": ["../../../outside.csv"]}));
    says(open(&hub(&server), "hf:own/set"), &["a file outside"]);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    let Some(server) = HubServer::with(REPO, &[("test.csv", "1")]) else {
        return;
    };
    fs::write(server.cache(), "a file").unwrap();
    says(
        fetch(&hub(&server), "hf:own/set", "test"),
        &["cache: ", "HF_HUB_CACHE"],
    );
    let nowhere =
        sureness_hub::Hub::at(Path::new("/nowhere").into(), "http://127.0.0.1:9").unwrap();
    says(
        open(&nowhere, "hf:own/set"),
        &["own/set: the hub at http://127.0.0.1:9 cannot be reached"],
    );
}
