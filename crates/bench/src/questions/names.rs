//! What tasks are called.

use sureness_questions::Task;

use crate::error::Failure;

/// `qa` for `mmlu` and `question_answering`; other names stay as they are.
pub fn id_of(name: &str) -> String {
    Task::by_name(name).map_or_else(|| name.to_owned(), |task| task.id)
}

/// The id that a task's name on the command line stands for: `mmlu` is `qa`.
pub fn task_id(name: &str) -> Result<String, Failure> {
    if let Some(task) = Task::by_name(name) {
        return Ok(task.id);
    }
    let id = name.to_lowercase();
    if !is_task_id(&id) {
        return Err(
            Failure::new(format_args!("{name:?} cannot be the name of a task"))
                .hint("use 1 to 64 letters, digits, - and _, a letter or digit first"),
        );
    }
    Ok(id)
}

/// The task with this id.
pub fn named_task(id: &str) -> Task {
    Task::by_name(id).unwrap_or_else(|| Task::custom(id))
}

/// Whether it may be a task's id, and with that a file's name on any system.
pub(super) fn is_task_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.len() <= 64
        && id.bytes().next().is_some_and(plain)
        && id.bytes().all(|byte| plain(byte) || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for name in ["", "../qa", "a/b", "a b", ".x", "-x", "é", &"x".repeat(65)] {
            assert!(task_id(name).is_err(), "{name:?}");
        }
        assert_eq!(task_id("MMLU").unwrap(), "qa");
        assert_eq!(task_id("Tax-Law_2").unwrap(), "tax-law_2");
    }
}
