//! Scripts in TOML.

use std::path::{Path, PathBuf};

use super::{Script, When};

/// Errors of a script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The text is not a script.
    #[error("{0}\nhint: the crate's README shows the format")]
    Syntax(#[from] Box<toml::de::Error>),
    /// A rule is invalid.
    #[error("rule {rule} (counted from 1): {what}")]
    Rule {
        /// Its number, from 1.
        rule: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Script {
    /// Reads a script file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| ScriptError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text)
    }

    /// Reads a script from TOML text.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text).map_err(Box::new)?;
        for (index, rule) in script.rules.iter().enumerate() {
            let what = match rule.when {
                _ if rule.faults.is_empty() => "it has no faults",
                When::Nth(0) => "`nth` counts from 1",
                When::Chance { probability, .. } if !(0.0..=1.0).contains(&probability) => {
                    "`probability` is not in 0..=1"
                }
                _ => continue,
            };
            let rule = index + 1;
            return Err(ScriptError::Rule { rule, what });
        }
        Ok(script)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, Fault, RetryAfter, Routes};
    use super::*;

    #[test]
    fn an_empty_file_is_a_healthy_server() {
        let script = Script::from_toml("").unwrap();
        assert!(script.rules.is_empty() && script.server.logprobs);
        assert_eq!(script.capacity, super::super::Capacity::default());
    }

    #[test]
    fn every_way_to_write_a_rule_is_read() {
        let script = Script::from_toml(
            r#"
            [server]
            dialect = "llama_cpp"
            [capacity]
            workers = 2
            retry_after = { seconds = 1.5 }
            [[rules]]
            faults = [{ kind = "never_starts" }]
            [[rules]]
            when = { chance = { probability = 0.25, seed = 3 } }
            routes = "any"
            faults = [{ kind = "too_many_requests", retry_after = { date_in = 2 } }, { kind = "gzip" }]
            limit = 5
            [[rules]]
            when = { nth = 3 }
            routes = { path = "models" }
            faults = [{ kind = "delay", ms = 5 }]
            [[rules]]
            when = { contains = "x" }
            faults = [{ kind = "internal_error" }]
            per_prompt = 1
            "#,
        )
        .unwrap();
        assert_eq!(script.server.dialect, Dialect::LlamaCpp);
        assert_eq!(script.capacity.retry_after, RetryAfter::Seconds(1.5));
        let [first, second, third, fourth] = script.rules.as_slice() else {
            panic!("{script:?}")
        };
        assert!(matches!(first.when, When::Always));
        assert_eq!(second.routes, Routes::Any);
        assert_eq!(second.faults.len(), 2);
        assert_eq!(second.limit, Some(5));
        assert_eq!(third.routes, Routes::Path("models".into()));
        assert_eq!(
            third.faults,
            [Fault::Delay {
                ms: 5,
                up_to_ms: None
            }]
        );
        assert!(matches!(&fourth.when, When::Contains(text) if text == "x"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            ("[server]\ndialekt = 1", "dialekt"),
            ("[[rules]]\nfaults = [{ kind = \"explode\" }]", "explode"),
            ("[[rules]]\nfaults = []", "rule 1"),
            (
                "[[rules]]\nwhen = { nth = 0 }\nfaults = [{ kind = \"gzip\" }]",
                "from 1",
            ),
            (
                "[[rules]]\nwhen = { chance = { probability = 2 } }\nfaults = [{ kind = \"gzip\" }]",
                "0..=1",
            ),
        ] {
            let error = Script::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let error = Script::from_file("/no/such/file").unwrap_err().to_string();
        assert!(error.contains("/no/such/file"), "{error}");
    }
}
