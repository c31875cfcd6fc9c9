//! Names and ids of tasks.

use sureness_questions::Task;

use crate::error::Failure;

/// Turns a name of a benchmark task into its id (`mmlu` into `qa`); other names are unchanged.
pub fn id_of(name: &str) -> String {
    Task::by_name(name).map_or_else(|| name.to_owned(), |task| task.id)
}

/// Like [`id_of`], but fails for names that cannot be an id.
pub fn task_id(name: &str) -> Result<String, Failure> {
    if let Some(task) = Task::by_name(name) {
        return Ok(task.id);
    }
    let id = name.to_lowercase();
    if !is_task_id(&id) {
        return Err(
            Failure::new(format_args!("{name:?} cannot be the name of a task"))
                .hint("use 1 to 64 letters, digits, - and _, starting with a letter or digit"),
        );
    }
    Ok(id)
}

/// The task with this id.
pub fn named_task(id: &str) -> Task {
    Task::by_name(id).unwrap_or_else(|| Task::custom(id))
}

/// Whether the text is a valid task id, and so a valid file name on any system.
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
    fn names_that_are_not_file_names_are_refused() {
        for name in ["", "../qa", "a/b", "a b", ".x", "-x", "é", &"x".repeat(65)] {
            assert!(task_id(name).is_err(), "{name:?}");
        }
        assert_eq!(task_id("MMLU").unwrap(), "qa");
        assert_eq!(task_id("Tax-Law_2").unwrap(), "tax-law_2");
    }
}
