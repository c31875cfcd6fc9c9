//! Separates a model's thought from its answer.

/// Marks around thoughts, in lower case, with models that write them. The texts of models were
/// looked up in September 2026 in the reasoning parsers of vLLM, `SGLang` and llama.cpp and in the chat
/// templates of the models.
const MARKS: [(&str, &str); 14] = [
    // DeepSeek R1, Qwen3, GLM 4.5, MiniMax M2, Phi 4, Nemotron, Hunyuan A13B
    ("<think>", "</think>"),
    // Claude, if asked to
    ("<thinking>", "</thinking>"),
    // EXAONE Deep, Marco-o1
    ("<thought>", "</thought>"),
    // Reka Flash
    ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"),
    ("<scratchpad>", "</scratchpad>"),
    // Seed-OSS
    ("<seed:think>", "</seed:think>"),
    // Magistral
    ("[think]", "[/think]"),
    // Kimi
    ("◁think▷", "◁/think▷"),
    // Command A
    ("<|start_thinking|>", "<|end_thinking|>"),
    // OpenThinker, Sky-T1
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    // Apertus
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    // Gemma 4
    ("<|channel>thought", "<channel|>"),
    // s1
    ("<|im_start|>think", "<|im_start|>answer"),
];
/// The phrases of Granite 3.2, which are marks only at the start of the text.
const PHRASES: (&str, &str) = ("here is my thought process:", "here is my response:");

/// Marks of gpt-oss's harmony format, as openai/harmony's `docs/format.md` describes them.
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
/// Marks that end a message of harmony.
const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>", CHANNEL];
/// What is left of harmony's marks after a server has removed them.
const BARE: (&str, &str) = ("analysis", "assistantfinal");

/// The thought and the answer of a text.
///
/// An unclosed thought reaches to the end of the text, and one whose opening mark was part of the
/// prompt begins at its start. An answer before the thought counts only if none follows it.
///
/// ```
/// use sureness_answers::split_thought;
///
/// assert_eq!(split_thought("<think>Paris.</think>B"), (Some("Paris."), "B"));
/// assert_eq!(split_thought("So it is Paris.</think>\n\nB"), (Some("So it is Paris."), "B"));
/// assert_eq!(split_thought("<think>It may be"), (Some("It may be"), ""));
/// assert_eq!(split_thought("B"), (None, "B"));
/// ```
pub fn split_thought(text: &str) -> (Option<&str>, &str) {
    // Only ASCII changes, so byte offsets stay valid.
    let lower = text.to_ascii_lowercase();
    let (thought, answer) = harmony(text, &lower)
        .or_else(|| bare_harmony(text))
        .or_else(|| phrases(text, &lower))
        .unwrap_or_else(|| marked(text, &lower));
    let thought = thought.map(str::trim).filter(|thought| !thought.is_empty());
    (thought, answer.trim())
}

type Split<'a> = (Option<&'a str>, &'a str);

fn marked<'a>(text: &'a str, lower: &str) -> Split<'a> {
    let opening = MARKS.iter().filter_map(|(open, _)| {
        let at = lower.find(open)?;
        Some((at, at + open.len()))
    });
    let closing = MARKS.iter().filter_map(|(_, close)| {
        let at = lower.rfind(close)?;
        Some((at, at + close.len()))
    });
    let last_opening = MARKS
        .iter()
        .filter_map(|(open, _)| lower.rfind(open).map(|at| (at, at + open.len())))
        .max();
    let (first, last) = (opening.min(), closing.max());
    match (first, last) {
        (None, None) => (None, text),
        // Whatever the model said before, it was not done.
        (Some((_, from)), None) => (text.get(from..), ""),
        (first, Some((to, behind))) => {
            // A prompt may hold the opening mark: then all before the closing one is thought.
            let (before, from) = first.filter(|(at, _)| *at < to).unwrap_or((0, 0));
            let thought = text.get(from..to);
            match last_opening {
                Some((at, inner)) if at >= behind => (text.get(inner..), ""),
                _ => (thought, either(text, before, behind)),
            }
        }
    }
}

/// The text behind the thought, or the one before it where nothing follows.
fn either(text: &str, before: usize, behind: usize) -> &str {
    let rest = text.get(behind..).unwrap_or_default();
    if rest.trim().is_empty() {
        text.get(..before).unwrap_or_default()
    } else {
        rest
    }
}

fn phrases<'a>(text: &'a str, lower: &str) -> Option<Split<'a>> {
    let (open, close) = PHRASES;
    let from = lower.len() - lower.trim_start().strip_prefix(open)?.len();
    match lower.find(close) {
        Some(to) => Some((text.get(from..to), text.get(to + close.len()..)?)),
        None => Some((text.get(from..), "")),
    }
}

/// The channels of gpt-oss: `final` is the answer, all others are thought.
fn harmony<'a>(text: &'a str, lower: &str) -> Option<Split<'a>> {
    let first = lower.find(CHANNEL)?;
    let last = lower.rfind(CHANNEL)?;
    let content = |at: usize| {
        let header = at + CHANNEL.len();
        let begin = lower.get(header..)?.find(MESSAGE)? + header + MESSAGE.len();
        Some(begin)
    };
    let end = |begin: usize| {
        let rest = lower.get(begin..).unwrap_or_default();
        let ends = ENDS.iter().filter_map(|mark| rest.find(mark)).min();
        begin + ends.unwrap_or(rest.len())
    };
    let thought_from = content(first).unwrap_or(first + CHANNEL.len());
    let header = lower.get(last + CHANNEL.len()..)?.trim_start();
    let answer = header.starts_with("final").then(|| content(last)).flatten();
    Some(match answer {
        Some(begin) => {
            let thought = (first < last).then(|| text.get(thought_from..last));
            (
                thought.flatten().map(without_marks),
                text.get(begin..end(begin))?,
            )
        }
        None => (text.get(thought_from..), ""),
    })
}

/// A thought up to the mark that ends its last message.
fn without_marks(thought: &str) -> &str {
    let thought = thought.trim_end();
    let thought = thought.strip_suffix("assistant").unwrap_or(thought);
    let thought = thought.strip_suffix("<|start|>").unwrap_or(thought);
    thought.strip_suffix("<|end|>").unwrap_or(thought)
}

/// Harmony whose marks a server has removed: `analysisWe need …assistantfinalB`.
fn bare_harmony(text: &str) -> Option<Split<'_>> {
    let (open, close) = BARE;
    let rest = text.trim_start().strip_prefix(open)?;
    // "analysis" of a text in prose is followed by a blank or a colon.
    if !rest.starts_with(char::is_uppercase) {
        return None;
    }
    Some(match rest.rsplit_once(close) {
        Some((thought, answer)) => (Some(thought), answer),
        None => (Some(rest), ""),
    })
}

#[cfg(test)]
mod tests {
    use super::split_thought;

    #[test]
    fn thoughts_of_all_families_are_cut_off() {
        for (text, thought, answer) in [
            ("<think>\nA?\n</think>\n\nB", Some("A?"), "B"),
            ("<think>\n\n</think>\n\nB", None, "B"),
            ("<think></think>", None, ""),
            ("<think>A? It is", Some("A? It is"), ""),
            ("A? It is B.\n</think>\nB", Some("A? It is B."), "B"),
            ("</think>B", None, "B"),
            (
                "<Thought>A?</Thought>\n<Output>B</Output>",
                Some("A?"),
                "<Output>B</Output>",
            ),
            (
                "<thinking>A?</thinking><answer>B</answer>",
                Some("A?"),
                "<answer>B</answer>",
            ),
            ("[THINK]A?[/THINK]B", Some("A?"), "B"),
            ("◁think▷A?◁/think▷B", Some("A?"), "B"),
            ("<seed:think>A?</seed:think>B", Some("A?"), "B"),
            ("<|START_THINKING|>A?<|END_THINKING|>B", Some("A?"), "B"),
            ("<|inner_prefix|>A?<|inner_suffix|>B", Some("A?"), "B"),
            ("<|channel>thought\nA?<channel|>B", Some("A?"), "B"),
            (
                "<|im_start|>think\nA?\n<|im_start|>answer\nB",
                Some("A?"),
                "B",
            ),
            (
                "Here is my thought process: A? Here is my response: B",
                Some("A?"),
                "B",
            ),
            ("Here is my thought process: A?", Some("A?"), ""),
            (
                "<think>A?</think>C<think>No.</think>B",
                Some("A?</think>C<think>No."),
                "B",
            ),
            ("<think>A?</think>C<think>No.", Some("No."), ""),
            ("B<think>A?</think>", Some("A?"), "B"),
            ("C<think>A?</think>B", Some("A?"), "B"),
            ("B", None, "B"),
            ("Analysis: B", None, "Analysis: B"),
        ] {
            assert_eq!(split_thought(text), (thought, answer), "{text:?}");
        }
    }

    #[test]
    fn channels_of_gpt_oss_are_told_apart() {
        for (text, thought, answer) in [
            (
                "<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>",
                Some("A?"),
                "B",
            ),
            (
                "<|channel|>analysis<|message|>A? It is",
                Some("A? It is"),
                "",
            ),
            ("<|channel|>final<|message|>B", None, "B"),
            (
                "<|channel|>final <|constrain|>json<|message|>{\"answer\": \"B\"}",
                None,
                "{\"answer\": \"B\"}",
            ),
            (
                "<|channel|>analysis<|message|>A?<|channel|>final",
                Some("A?<|channel|>final"),
                "",
            ),
            (
                "analysisWe need A? assistantfinalB",
                Some("We need A?"),
                "B",
            ),
            ("analysisWe need A?", Some("We need A?"), ""),
        ] {
            assert_eq!(split_thought(text), (thought, answer), "{text:?}");
        }
    }
}
