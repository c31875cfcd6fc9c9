//! The server as a program.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::client::{Client, question};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sureness-faultserver");

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Program {
    fn start(script: &str) -> (Self, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(script.as_bytes()).unwrap();
        let mut child = Command::new(PROGRAM)
            .arg("--script")
            .arg(file.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = lines.next().unwrap().unwrap();
        let address = base
            .strip_prefix("http://")
            .unwrap()
            .strip_suffix("/v1")
            .unwrap();
        let address = address.to_owned();
        (
            Self {
                child,
                lines,
                address,
            },
            file,
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_plays_the_readme_s_example() {
    let readme = include_str!("../../README.md");
    let script = readme
        .split("```toml")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let (mut program, _file) = Program::start(script);
    let mut client = Client::to(&program.address);
    client.send(
        "POST",
        "/v1/completions",
        "Authorization: Bearer secret\r\n",
        &question("x").to_string(),
    );
    // Whichever fault the example draws, the request is counted.
    let _ = client.response();
    let counts = Client::to(&program.address).get("/counts").json();
    assert_eq!(counts["requests"], 1);
    assert_eq!(counts["prompts_asked"], 1);

    #[cfg(unix)]
    {
        let pid = program.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let last: Value = serde_json::from_str(&program.lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(last["requests"], 1);
        assert!(program.child.wait().unwrap().success());
    }
}

#[test]
fn a_bad_script_is_named_at_once() {
    let output = Command::new(PROGRAM)
        .args(["--script", "/no/such.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/no/such.toml"), "{said}");
}
