//! Shared by the fuzz target and by the test that replays its corpus.

use sureness_prompts::{ChatTemplate, Prompt};

/// Compiles `input` as a chat template and wraps a prompt in it.
pub(crate) fn read(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let prompt = Prompt {
        prefix: "Question: one\nAnswer: A\n\n".into(),
        suffix: "Question: two\nAnswer:".to_owned(),
    };
    let wrapped = ChatTemplate::new(source, Some("<s>"), Some("</s>")).and_then(|template| {
        let template = template.strip_bos(true);
        let whole = template.render_user(&prompt.text())?;
        Ok((whole, template.apply(&prompt)?))
    });
    match wrapped {
        Ok((whole, wrapped)) => {
            let text = wrapped.text();
            assert!(text == whole || whole.strip_prefix("<s>") == Some(&*text));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
