//! Every command line of docs/performance.md works as it is written.

use sureness_faultserver::Script;

use super::{Case, ends_with};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");

/// The commands in the page's `bash` blocks, continued lines put together.
fn commands() -> Vec<String> {
    let page = std::fs::read_to_string(GUIDE).unwrap();
    page.split("```bash\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().replace("\\\n", " "))
        .collect()
}

#[test]
fn the_guides_commands_work_as_written() {
    let commands = commands();
    assert!(commands.len() >= 8, "{}", commands.len());
    for command in commands {
        let mut script = Script::healthy();
        script.server.model = "your-model-name".to_owned();
        let case = Case::new(script);
        let line = command
            .trim()
            .strip_prefix("sureness ")
            .unwrap()
            .replace("http://yourserver.example.com/v1", &case.server.base());
        let mut here = std::process::Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
        here.env_clear().current_dir(case.folder.path());
        here.env("SURENESS_HOME", case.folder.path());
        here.args(line.split_whitespace());
        if !line.starts_with("doctor") {
            here.args(["--sample-size", "20", "--progress", "none"]);
        }
        ends_with(&here.output().unwrap(), 0);
    }
}
