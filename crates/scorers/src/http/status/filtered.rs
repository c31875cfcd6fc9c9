//! Recognises the refusals of content filters, which judge a prompt in place of the model.

use serde_json::Value;

/// Where errors have a code, as Azure, `OpenAI` and proxies before them write them.
const CODES_AT: [&str; 5] = [
    "/error/code",
    "/error/type",
    "/code",
    "/error/innererror/code",
    "/error/provider_specific_fields/innererror/code",
];
/// Codes that only filters have: Azure's two, `OpenAI`'s, Alibaba's.
const CODES: [&str; 4] = [
    "content_filter",
    "responsibleaipolicyviolation",
    "content_policy_violation",
    "data_inspection_failed",
];
/// Words of filters whose code is that of any bad request: Azure through a proxy, `OpenAI`'s reasoning
/// models, `OpenRouter`'s moderation, `DeepSeek`.
const WORDS: [&str; 5] = [
    "content management policy",
    "contentpolicyviolation",
    "violating our usage policy",
    "your input was flagged",
    "content exists risk",
];

/// Whether a refusal with this status, of the request itself, comes from a content filter. One filter
/// answers with 403, which otherwise means that the key is wrong.
pub(super) fn is_filtered(status: u16, json: Option<&Value>, message: &str) -> bool {
    if !(matches!(status, 200 | 400..=499) && status != 429) {
        return false;
    }
    let mut codes = CODES_AT
        .iter()
        .filter_map(|path| json?.pointer(path)?.as_str());
    let said = message.to_lowercase();
    codes.any(|code| CODES.contains(&code.to_lowercase().as_str()))
        || WORDS.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_are_told_from_other_refusals() {
        let azure = json!({"error": {
            "message": "The response was filtered due to the prompt triggering the content filter.",
            "type": null, "param": "prompt", "code": "content_filter", "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"hate": {"filtered": true, "severity": "high"}}},
        }});
        let wrapped = json!({"error": {
            "message": "AzureException - triggering Azure OpenAI's content management policy.",
            "type": null, "param": null, "code": "400",
        }});
        let flagged = json!({"error": {
            "message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
            "type": "invalid_request_error", "param": null, "code": "invalid_prompt",
        }});
        let moderated = json!({"error": {"code": 403,
            "message": "This model requires moderation, and your input was flagged for \"violence\".",
            "metadata": {"reasons": ["violence"], "flagged_input": "…"}}});
        let other = json!({"error": {
            "message": "max_tokens is too large", "type": "invalid_request_error", "code": null,
        }});
        let is = |status, json: &Value| {
            let message = json.pointer("/error/message").and_then(Value::as_str);
            is_filtered(status, Some(json), message.unwrap_or_default())
        };
        for (status, json) in [
            (400, &azure),
            (400, &wrapped),
            (400, &flagged),
            (403, &moderated),
        ] {
            assert!(is(status, json), "{json}");
        }
        assert!(!is(400, &other));
        // What may pass is asked again, whatever it says.
        assert!(!is(429, &azure) && !is(500, &azure));
    }
}
