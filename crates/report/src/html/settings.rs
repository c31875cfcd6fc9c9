//! What is needed to repeat the run.

use serde_json::Value;

use super::markup::esc;

/// Deeper values are shown as JSON.
const DEEPEST: usize = 6;

/// Writes settings as lists of names and values.
pub(super) fn settings(out: &mut String, value: &Value) {
    entry(out, value, 0);
}

fn entry(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if depth < DEEPEST => {
            out.push_str("<dl class=\"settings\">\n");
            for (name, value) in fields {
                out.push_str(&format!("<dt>{}</dt><dd>", esc(&name.replace('_', " "))));
                if matches!(name.as_str(), "command" | "commands") {
                    command(out, value);
                } else {
                    entry(out, value, depth + 1);
                }
                out.push_str("</dd>\n");
            }
            out.push_str("</dl>\n");
        }
        Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
            for (at, item) in items.iter().enumerate() {
                if depth >= DEEPEST {
                    out.push_str(&format!("<pre>{}</pre>", esc(&item.to_string())));
                    continue;
                }
                out.push_str(&format!(
                    "<details class=\"keep\"><summary>{}</summary>\n",
                    esc(&name_of(item).unwrap_or_else(|| (at + 1).to_string()))
                ));
                entry(out, item, depth + 1);
                out.push_str("</details>\n");
            }
        }
        Value::Array(items) if items.is_empty() => out.push_str("none"),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(plain).collect();
            out.push_str(&esc(&texts.join(", ")).to_string());
        }
        Value::String(text) if text.contains('\n') => {
            out.push_str(&format!("<pre>{}</pre>", esc(text)));
        }
        Value::Object(_) => out.push_str(&format!("<pre>{}</pre>", esc(&value.to_string()))),
        _ => out.push_str(&esc(&plain(value)).to_string()),
    }
}

/// Commands, each in a line of its own that one click selects.
fn command(out: &mut String, value: &Value) {
    let line = |out: &mut String, text: &str| {
        out.push_str(&format!("<pre class=\"command\">{}</pre>", esc(text)));
    };
    match value {
        Value::String(text) => line(out, text),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            for item in items {
                line(out, &plain(item));
            }
        }
        _ => entry(out, value, 1),
    }
}

/// What an item of a list is called.
fn name_of(item: &Value) -> Option<String> {
    ["name", "model", "title", "id", "path"]
        .iter()
        .find_map(|field| item.get(field)?.as_str().map(str::to_owned))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_readable_and_escaped() {
        let mut out = String::new();
        settings(
            &mut out,
            &json!({
                "command": "sureness compare <a> b",
                "error_rate": 0.1,
                "seeds": [1, 2],
                "models": [{"name": "</dl>", "sampled": false, "limit": null}],
            }),
        );
        for part in [
            "<pre class=\"command\">sureness compare &lt;a&gt; b</pre>",
            "<dt>error rate</dt><dd>0.1</dd>",
            "<dt>seeds</dt><dd>1, 2</dd>",
            "<summary>&lt;/dl&gt;</summary>",
            "<dt>sampled</dt><dd>no</dd>",
            "<dt>limit</dt><dd>not set</dd>",
        ] {
            assert!(out.contains(part), "{part} in {out}");
        }
    }

    #[test]
    fn deep_settings_end_as_json() {
        let mut value = json!({"bottom": "<"});
        for _ in 0..100 {
            value = json!({ "down": value });
        }
        let mut out = String::new();
        settings(&mut out, &value);
        assert_eq!(out.matches("<dl").count(), DEEPEST);
        assert!(out.contains("&quot;bottom&quot;:&quot;&lt;&quot;"));
    }
}
