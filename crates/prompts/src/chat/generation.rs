//! The `{% generation %}` block of Hugging Face, which marks the assistant's part for training
//! and changes nothing in the text. The engine does not know it.

/// Replaces the block's two tags by those of a condition that always holds; whitespace control
/// and line numbers stay.
pub(super) fn unmark(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start + 2);
        result.push_str(before);
        rest = tag;
        let Some(end) = tag.find("%}") else { break };
        let body = &tag[..end];
        let name = body.trim_matches(|c: char| c.is_whitespace() || "-+".contains(c));
        let replacement = match name {
            "generation" => "if true",
            "endgeneration" => "endif",
            _ => continue,
        };
        result.push_str(&body.replace(name, replacement));
        rest = &tag[end..];
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_generation_tags_change() {
        assert_eq!(
            unmark("a{%- generation -%}\n{{ generation }}{% endgeneration %}{% set x = 1 %}{%"),
            "a{%- if true -%}\n{{ generation }}{% endif %}{% set x = 1 %}{%"
        );
        assert_eq!(
            unmark("{%generation%}é{%+ if generation %}"),
            "{%if true%}é{%+ if generation %}"
        );
    }
}
