//! The files under `deploy/` as their schedulers would run them: Slurm's scripts in a real shell
//! with a stand-in for `sbatch`, Kubernetes' arguments with its numbers filled in.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Case, ends_with, script, text};

/// The flags that the files leave open.
const SMALL: &str = "--tasks qa --sample-size 40 --prompt-strategies base --allowed-failures 0.2";

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn put_program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs a batch script once, or once for each number of `--array`.
const SBATCH: &str = r#"#!/usr/bin/env bash
set -u
array=""
for arg in "$@"; do
    case $arg in
    --array=*) array=${arg#--array=} ;;
    --*) ;;
    *) script=$arg ;;
    esac
done
case $array in
"") bash "$script" >&2 ;;
*-*) numbers=$(seq "${array%-*}" "${array#*-}") ;;
*) numbers=${array//,/ } ;;
esac
for number in ${numbers:-}; do
    SLURM_ARRAY_TASK_COUNT=$(wc -w <<<"$numbers") SLURM_ARRAY_TASK_ID=$number bash "$script" >&2
done
echo "4711;cluster"
"#;

#[test]
fn slurms_scripts_ask_all_shards_and_merge_them() {
    let case = Case::new(script());
    let whole = format!("run --model small {SMALL}");
    ends_with(&case.ask(&whole, "whole"), 0);
    let programs = case.path("bin");
    put_program(&programs.join("sbatch"), SBATCH);
    // A served model in the embedded one's place, and fewer questions.
    let sureness = assert_cmd::cargo::cargo_bin!("sureness");
    put_program(
        &programs.join("sureness"),
        &format!(
            "#!/usr/bin/env bash\nif [[ $1 == run && $2 == --gguf && $4 == --threads ]]; then\n\
             set -- run --model small --api-base {} {SMALL} \"${{@:6}}\"\n\
             else\nset -- \"$@\" --allowed-failures 0.2\nfi\nexec {} \"$@\"\n",
            case.server.base(),
            sureness.display(),
        ),
    );
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let run = |script: &str, args: &[&str]| {
        let mut command = Command::new(deploy().join("slurm").join(script));
        if script != "submit.sh" {
            command = Command::new("sbatch");
            command.args(args).arg(deploy().join("slurm").join(script));
        }
        command
            .env("PATH", &path)
            .env("SURENESS_HOME", case.path("home"))
            .env("SHARDS", "4")
            .env("OUT", case.path("out"))
            .current_dir(case.folder.path())
            .output()
            .unwrap()
    };
    let output = run("submit.sh", &[]);
    ends_with(&output, 0);
    assert_eq!(text(&output.stdout), "shards: job 4711, merge: job 4711\n");
    assert_eq!(case.figures("out/merged"), case.figures("whole"));

    // Some of them again: the number of shards stays that of the run.
    std::fs::remove_dir_all(case.path("out/merged")).unwrap();
    for index in [2, 3] {
        std::fs::remove_dir_all(case.path(format!("out/shards/{index}"))).unwrap();
    }
    let output = run("merge.sbatch", &[]);
    assert!(text(&output.stderr).contains("2 of 4 shards are missing: 2, 3"));
    ends_with(&run("shards.sbatch", &["--array=2,3"]), 0);
    ends_with(&run("merge.sbatch", &[]), 0);
    assert_eq!(case.figures("out/merged"), case.figures("whole"));
}

/// The arguments in a manifest, one per line.
fn arguments(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(deploy().join("kubernetes").join(file)).unwrap();
    let mut lines = text.lines().skip_while(|line| line.trim() != "args:");
    lines.next();
    lines
        .map_while(|line| line.trim().strip_prefix("- ").map(str::to_owned))
        .collect()
}

#[test]
fn kubernetes_arguments_ask_all_shards_and_merge_them() {
    let case = Case::new(script());
    ends_with(
        &case.ask(&format!("run --model my-model {SMALL}"), "whole"),
        0,
    );
    let data = case.path("data").display().to_string();
    let run = |file: &str, index: u32, more: &str| {
        let mut line = String::new();
        for argument in arguments(file) {
            // Those that name what is only there in a cluster.
            if argument.starts_with("--api-base") || argument.starts_with("--metrics-addr") {
                continue;
            }
            let argument = argument.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
            line.push_str(&argument.replace("/data", &data));
            line.push(' ');
        }
        case.sureness(&format!("{line} {more}")).output().unwrap()
    };
    let more = format!("{SMALL} --api-base {}", case.server.base());
    for index in 0..16 {
        ends_with(&run("shards.yaml", index, &more), 0);
    }
    ends_with(&run("merge.yaml", 0, "--allowed-failures 0.2"), 0);
    assert_eq!(case.figures("data/merged"), case.figures("whole"));
}
